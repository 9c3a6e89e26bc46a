"""Smart lists: saved all at once, as they are to be from then on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Sequence
from functools import partial
from typing import Any, Final
from uuid import UUID

from domain.kernel import invalid
from domain.kernel.check import Check
from domain.kernel.values import folded
from domain.smart_list import SMART_LIST, CreateSmartList, DeleteSmartList, SmartList, UpdateSmartList
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact as contacts
from projections import smart_list as rows
from projections.contact_asked import FIELDS
from projections.custom_field_asked import defined
from projections.table.asking.asked import asked
from schemas.smart_list import NewSmartList, SmartListView

MAX_LISTS: Final = 100


def replace(unit: Work, wanted: Sequence[NewSmartList]) -> list[SmartListView]:
    """Makes, changes and deletes lists until there are these. Refuses (``validation_failed``) ids that are none, names that
    are there twice, and what cannot be asked of contacts.
    """
    _check_apart(wanted)
    there = {current.id: current for current in rows.every(unit.conn)}
    unit.know(SMART_LIST, there.values())
    for gone in there.keys() - {given.id for given in wanted}:
        unit.execute(SMART_LIST, gone, DeleteSmartList())
    check = Check()
    saved = [
        check.field(f"views[{place}]", partial(_saved, unit, there.keys(), place), given)
        for place, given in enumerate(wanted)
    ]
    check.done()
    return [rows.view(current) for current in saved if current is not None]


def _check_apart(views: Sequence[NewSmartList]) -> None:
    if len(views) > MAX_LISTS:
        raise invalid("views", f"must have at most {MAX_LISTS} entries")
    for what, given in (
        ("name", [folded(view.name) for view in views]),
        ("id", [view.id for view in views if view.id]),
    ):
        twice = [entry for entry, times in Counter[Any](given).items() if times > 1]
        if twice:
            raise invalid("views", f"must each have a {what} of its own: {str(twice[0])[:80]}")


def _saved(unit: Work, there: Container[UUID], place: int, given: NewSmartList) -> Current[SmartList]:
    if given.id is not None and given.id not in there:
        raise invalid("id", "no such smart list")
    if given.sort:
        contacts.LISTING.order(unit.conn, given.sort.removeprefix("-"))
    query = given.query.asked()
    asked(query, defined(unit.conn, contacts.CONTACTS, FIELDS), "query")
    fields: dict[str, Any] = {
        "name": given.name, "query": query, "q": given.q, "sort": given.sort, "columns": given.columns, "place": place,
    }  # fmt: skip
    if given.id is None:
        return unit.begin(SMART_LIST, new_id(), CreateSmartList(**fields))
    unit.execute(SMART_LIST, given.id, UpdateSmartList(**fields))
    return unit.get(SMART_LIST, given.id)
