"""What no two rows can have: whose it is already."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from domain.kernel import Refused
from eventstore.database import Db
from eventstore.rows import Change
from projections.table.column import Column


def conflict(conn: Db, table: str, column: Column[Any], changes: Sequence[Change]) -> Refused | None:
    """Who has the value of a unique column that one of the changes gives to a row, in the words of the column."""
    if column.unique is None:
        return None
    query = f"SELECT id FROM {table} WHERE workspace_id = %s AND {column.name} = %s AND id <> %s".encode()
    wanted: set[Any] = set()
    for change in changes:
        value = "" if change.after is None else column.value(change.after.state)
        if value == "":  # which is not set
            continue
        found = conn.execute(query, (conn.workspace_id, value, change.id)).fetchone()
        if found is not None:
            return Refused("conflict", column.unique, existing_id=str(found[0]))
        if value in wanted:  # twice in one unit of work, which leaves neither
            return Refused("conflict", column.unique)
        wanted.add(value)
    return None


def is_renewed(column: Column[Any], change: Change) -> bool:
    """Whether a change has another value there than before."""
    if change.after is None:
        return False
    return change.before is None or column.value(change.before.state) != column.value(change.after.state)
