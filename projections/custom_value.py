"""Custom value rows: what a workspace's tokens stand for."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import Final, LiteralString

from domain.custom_value import CUSTOM_VALUE, CustomValue, token
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import TEXT, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.custom_value import CustomValueView
from schemas.wire.page import Sort

CUSTOM_VALUES: RowTable[CustomValue] = RowTable(
    name="custom_values",
    decider=CUSTOM_VALUE,
    version=1,
    columns=(Column("key", TEXT, sort=True, unique="A custom value of this key exists already."),),
)

LISTING: Final = Listing(CUSTOM_VALUES, default=Sort(field="key"))

_WITH_KEYS: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {CUSTOM_VALUES.table}
    WHERE workspace_id = %s AND key = ANY(%s)
"""


def with_keys(conn: Db, keys: Collection[str]) -> dict[str, Current[CustomValue]]:
    """Of these keys those that there are."""
    rows = conn.execute(_WITH_KEYS, (conn.workspace_id, list(keys)))
    found = (CUSTOM_VALUES.current(row) for row in rows)
    return {current.state.key: current for current in found}


def views(_: Db, found: Sequence[Current[CustomValue]]) -> list[CustomValueView]:
    return [shown(CustomValueView, current, token=token(current.state.key)) for current in found]
