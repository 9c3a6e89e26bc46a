"""The keys that the maps of a table's rows have, whatever they are."""

from __future__ import annotations

from typing import Any

from eventstore.database import Db
from projections.table.asking.compiled import HERE, Compiled
from projections.table.rows import RowTable


def keys_of(conn: Db, table: RowTable[Any], where: Compiled, wire: str, most: int) -> list[str]:
    """Of the rows that are found, the keys in the map that callers call ``wire``, in order; ``most`` of them."""
    found = Compiled(
        f"SELECT DISTINCT key FROM {table.table}, LATERAL jsonb_object_keys(state -> %s) AS key"
        f" WHERE workspace_id = %s AND ({where.sql}) ORDER BY key LIMIT %s",
        (wire, HERE, *where.params, most),
    )
    return [row[0] for row in conn.execute(found.sql.encode(), found.params_in(conn.workspace_id))]
