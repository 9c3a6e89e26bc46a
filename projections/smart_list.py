"""Smart list rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.smart_list import SMART_LIST, SmartList
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import FOLDED, WHOLE, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from schemas.smart_list import SmartListView, SmartQuery
from schemas.wire.page import MAX_LIMIT, PageRequest, Sort

SMART_LISTS: RowTable[SmartList] = RowTable(
    name="smart_lists",
    decider=SMART_LIST,
    version=1,
    columns=(
        Column("name", FOLDED, unique="A smart list of this name exists already."),
        Column("place", WHOLE, sort=True),
    ),
)

LISTING: Final = Listing(SMART_LISTS, default=Sort(field="place"))


def every(conn: Db) -> list[Current[SmartList]]:
    """All that there are, in order."""
    return LISTING.fetch(conn, PageRequest(limit=MAX_LIMIT)).rows


def views(_: Db, lists: Sequence[Current[SmartList]]) -> list[SmartListView]:
    return [view(current) for current in lists]


def view(current: Current[SmartList]) -> SmartListView:
    state = current.state
    return SmartListView(
        id=current.id, name=state.name, query=SmartQuery.of(state.query), q=state.q, sort=state.sort,
        columns=state.columns, created_at=current.created_at, updated_at=current.updated_at, version=current.version,
    )  # fmt: skip
