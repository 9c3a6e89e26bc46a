"""What the rows of an import of deals name: deals that there are already, and what deals refer to by name."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from uuid import UUID

from domain.deal import Deal
from eventstore.database import Db
from eventstore.rows import Current
from projections.deal import DEALS
from projections.table.rows import RowTable
from projections.table.seeing import seen


def named(conn: Db, names: Collection[str], visible_to: UUID | None) -> list[Current[Deal]]:
    """The deals of these folded names that the user sees, the oldest first."""
    found = DEALS.load(conn, [deal for deals in ids(conn, DEALS, "name", names, visible_to).values() for deal in deals])
    return sorted(found.values(), key=lambda deal: (deal.created_at, deal.id))


def ids(
    conn: Db, table: RowTable[Any], column: str, texts: Collection[str], visible_to: UUID | None
) -> dict[str, list[UUID]]:
    """By what stands in a column, the ids of the rows that have it and that the user sees."""
    found: dict[str, list[UUID]] = {}
    if texts:
        theirs = seen(table, visible_to)
        query = (
            f"SELECT {column}, id FROM {table.table} WHERE workspace_id = %s AND {column} = ANY(%s) AND {theirs.sql}"
        )
        params = (conn.workspace_id, list(texts), *theirs.params_in(conn.workspace_id))
        for text, row_id in conn.execute(query.encode(), params):
            found.setdefault(text, []).append(row_id)
    return found
