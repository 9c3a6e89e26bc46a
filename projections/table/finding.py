"""All that is found at once, by id: for what is done to each of many."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from eventstore.database import Db
from projections.table.asking.compiled import Compiled, every
from projections.table.rows import RowTable
from projections.table.seeing import seen


def ids(conn: Db, table: RowTable[Any], where: Compiled, most: int) -> list[UUID]:
    """The ids of up to so many rows that are found and that the caller sees."""
    asked = every(where, seen(table, conn.visible_to))
    query = f"SELECT id FROM {table.table} WHERE workspace_id = %s AND ({asked.sql}) LIMIT %s"
    params = (conn.workspace_id, *asked.params_in(conn.workspace_id), most)
    return [row[0] for row in conn.execute(query.encode(), params)]
