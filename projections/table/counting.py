"""How many there are of a kind, and how many refer to each of some things, as their views show it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from domain.kernel.fields import Reference
from eventstore.database import Db
from projections.table.rows import RowTable
from projections.table.seeing import seen


def rows_of(conn: Db, kind: str) -> int:
    """How many there are of a kind of stream."""
    query = "SELECT n FROM row_counts WHERE workspace_id = %s AND kind = %s"
    row = conn.execute(query, (conn.workspace_id, kind)).fetchone()
    return 0 if row is None else int(row[0])


def referring(conn: Db, table: RowTable[Any], field: str, keys: Sequence[UUID]) -> dict[UUID, int]:
    """How many rows of the table refer to each of these by a counted field; 0 where none does.

    From the counts that commands keep. For a caller who sees only what is theirs those rows are counted alone.
    """
    (reference,) = (found for found in table.references if found.field == field)
    limited = table.limited and conn.visible_to is not None
    found = _seen(conn, table, reference, keys) if limited else _kept(conn, table, reference, keys)
    return {key: found.get(key, 0) for key in keys}


def _kept(conn: Db, table: RowTable[Any], reference: Reference, keys: Sequence[UUID]) -> dict[UUID, int]:
    named = {f"{table.counted_by(reference)}{key}": key for key in keys}
    query = "SELECT kind, n FROM row_counts WHERE workspace_id = %s AND kind = ANY(%s)"
    return {named[row[0]]: row[1] for row in conn.execute(query, (conn.workspace_id, list(named)))}


def _seen(conn: Db, table: RowTable[Any], reference: Reference, keys: Sequence[UUID]) -> dict[UUID, int]:
    to = f"unnest({reference.field})" if reference.many else reference.field
    theirs = seen(table, conn.visible_to)
    query = (
        f"SELECT key, count(*) FROM (SELECT {to} AS key FROM {table.table}"
        f" WHERE workspace_id = %s AND ({theirs.sql})) AS found WHERE key = ANY(%s) GROUP BY key"
    )
    rows = conn.execute(query.encode(), (conn.workspace_id, *theirs.params_in(conn.workspace_id), list(keys)))
    return {row[0]: row[1] for row in rows}
