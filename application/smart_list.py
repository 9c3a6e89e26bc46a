"""Smart lists: saved all at once, as they are to be from then on."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from domain.kernel import Refused, invalid
from domain.kernel.values import folded
from domain.smart_list import SMART_LIST, CreateSmartList, DeleteSmartList, SmartList, UpdateSmartList
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact as contacts
from projections import smart_list as rows
from projections.contact_asked import FIELDS
from projections.table.asking.asked import asked
from schemas.smart_list import NewSmartList, SmartLists, SmartListView

MAX_LISTS: Final = 100


def replace(unit: Work, wanted: SmartLists) -> list[SmartListView]:
    """Makes, changes and deletes lists until there are these. Refuses (``validation_failed``) ids that are none, names that
    are there twice, and what cannot be asked of contacts.
    """
    _check(wanted.views)
    there = {current.id: current for current in rows.every(unit.conn)}
    unit.loaded.update(there)
    for current in there.keys() - {given.id for given in wanted.views}:
        unit.execute(SMART_LIST, current, DeleteSmartList())
    return [rows.view(_saved(unit, there, place, given)) for place, given in enumerate(wanted.views)]


def _check(views: list[NewSmartList]) -> None:
    if len(views) > MAX_LISTS:
        raise invalid("views", f"must have at most {MAX_LISTS} entries")
    for what, given in (
        ("name", [folded(view.name) for view in views]),
        ("id", [view.id for view in views if view.id]),
    ):
        twice = [entry for entry, times in Counter[Any](given).items() if times > 1]
        if twice:
            raise invalid(f"views.{what}", f"must be different in each: {str(twice[0])[:80]}")
    for place, view in enumerate(views):
        _check_one(f"views.{place}", view)


def _check_one(field: str, view: NewSmartList) -> None:
    try:
        asked(view.query.asked(), FIELDS)
    except Refused as refusal:
        raise invalid(f"{field}.query", refusal.message) from None
    if view.sort is not None and view.sort.removeprefix("-") not in contacts.LISTING.sorts:
        raise invalid(f"{field}.sort", f"must be one of {', '.join(sorted(contacts.LISTING.sorts))}")


def _saved(unit: Work, there: dict[Any, Any], place: int, given: NewSmartList) -> Current[SmartList]:
    fields: dict[str, Any] = {
        "name": given.name, "query": given.query.asked(), "q": given.q, "sort": given.sort, "columns": given.columns,
        "place": place,
    }  # fmt: skip
    if given.id is None:
        return unit.begin(SMART_LIST, new_id(), CreateSmartList(**fields))
    if given.id not in there:
        raise invalid(f"views.{place}.id", "no such smart list")
    unit.execute(SMART_LIST, given.id, UpdateSmartList(**fields))
    return unit.get(SMART_LIST, given.id)
