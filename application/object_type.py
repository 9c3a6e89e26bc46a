"""Object types: made with their first attributes, and what is of one of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, Final
from uuid import UUID

from application import object_attribute as attributes
from domain.kernel import Decider, Refused, invalid, not_found
from domain.kernel.changes import named
from domain.kernel.check import Check
from domain.object_type import OBJECT_TYPE, CreateObjectType, ObjectType
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import object_type as rows
from projections.table.counting import rows_of
from schemas.object_type import NewObjectType, ObjectTypeView

MAX_TYPES: Final = 100
"""Of a workspace."""


def create(unit: Work, form: NewObjectType) -> Current[ObjectType]:
    """A new type; refuses (``validation_failed``) more than ``MAX_TYPES``, and (``conflict``) another's slug."""
    if rows_of(unit.conn, OBJECT_TYPE.stream_type) >= MAX_TYPES:
        raise Refused("validation_failed", f"A workspace has at most {MAX_TYPES} object types.")
    first = form.attributes or ()
    if len(first) > attributes.MAX_ATTRIBUTES:
        raise invalid("attributes", f"must have at most {attributes.MAX_ATTRIBUTES} entries")
    fields = {name: value for name, value in named(form).items() if name != "attributes"}
    made = unit.begin(OBJECT_TYPE, new_id(), CreateObjectType(**fields))
    check = Check()
    with unit.because():
        for place, attribute in enumerate(first):
            check.field(f"attributes[{place}]", partial(attributes.add, unit, made.id, place=place), attribute)
    check.done()
    return made


def meant(given: str) -> Callable[[Work], UUID]:
    """How the type is found that a path means."""
    return lambda unit: rows.meant(unit.conn, given)


def within(given: str, decider: Decider[Any, Any, Any], thing_id: UUID) -> Callable[[Work], UUID]:
    """How what is of the type that a path means is found; refuses (``not_found``) what is of another."""

    def found(unit: Work) -> UUID:
        if unit.get(decider, thing_id).state.object_type_id != rows.meant(unit.conn, given):
            raise not_found(unit.rows[decider.stream_type].noun)
        return thing_id

    return found


def view(unit: Work, found: Current[ObjectType]) -> ObjectTypeView:
    unit.write_rows()
    return rows.views(unit.conn, [found])[0]
