"""Attributes: defined and changed within their object type."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from msgspec.structs import asdict

from domain.kernel import FieldError, Refused, invalid
from domain.kernel.check import Check
from domain.kernel.values import custom_key
from domain.object_attribute import OBJECT_ATTRIBUTE, CreateObjectAttribute, ObjectAttribute, UpdateObjectAttribute
from domain.object_type import OBJECT_TYPE
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import object_attribute as rows
from schemas.object_attribute import NewAttribute, ObjectAttributeView

MAX_ATTRIBUTES: Final = 100
"""Of an object type."""

_FIXED: Final = {"type": "type", "currency": "currency", "related_to": "relatedTo"}
"""What cannot change while records have values, and what callers call it."""


def create(unit: Work, type_id: UUID, form: NewAttribute) -> Current[ObjectAttribute]:
    """A new attribute, behind the others unless it says where."""
    unit.get(OBJECT_TYPE, type_id)
    unit.looked_first = True
    others = rows.of(unit.conn, [type_id])
    if len(others) >= MAX_ATTRIBUTES:
        raise Refused("validation_failed", f"An object type has at most {MAX_ATTRIBUTES} attributes.")
    return add(unit, type_id, form, place=max((other.state.sort_order for other in others), default=-1) + 1)


def add(unit: Work, type_id: UUID, form: NewAttribute, place: int) -> Current[ObjectAttribute]:
    """A new attribute at this place among the others, unless it says where. Refuses (``validation_failed``) a key that
    another has, or under which records have values: nobody has held them to what it says.
    """
    key = _key(form)
    order = place if form.sort_order is None else form.sort_order
    command = CreateObjectAttribute(**asdict(form) | {"object_type_id": type_id, "key": key, "sort_order": order})
    _check_own(unit, type_id, key)
    made = unit.begin(OBJECT_ATTRIBUTE, new_id(), command)
    _check_free(unit, made, "key", "is the key of values that records have already")
    return made


def update(
    unit: Work, attribute_id: UUID, command: UpdateObjectAttribute, if_version: int | None = None
) -> Current[ObjectAttribute]:
    """Changes the given fields. What decides how values are kept stays while there are some (``validation_failed``)."""
    before = unit.get(OBJECT_ATTRIBUTE, attribute_id)
    after = unit.execute(OBJECT_ATTRIBUTE, attribute_id, command, if_version=if_version)
    assert after is not None, "a change ends nothing"
    others = [wire for name, wire in _FIXED.items() if getattr(before.state, name) != getattr(after.state, name)]
    if others:
        _check_free(unit, before, others[0], "cannot change while records have values of it")
    return after


def _key(form: NewAttribute) -> str:
    check = Check()
    key = check.field("key", custom_key, form.key or form.name)
    check.done()
    return key or ""


def _check_own(unit: Work, type_id: UUID, key: str) -> None:
    taken = rows.with_key(unit.conn, type_id, key)
    if taken is not None:
        message = "has already been taken"
        details = [FieldError(field="key", message=message)]
        raise Refused("validation_failed", f"key: {message}", details=details, existing_id=str(taken))


def _check_free(unit: Work, attribute: Current[ObjectAttribute], field: str, message: str) -> None:
    """Nobody writes a value meanwhile: whoever has begun to is waited for, or looks again."""
    unit.defining.alone()
    for table, reference in unit.defining.referring(OBJECT_ATTRIBUTE.stream_type, attribute.state):
        if table.referring(unit.conn, reference, attribute.id, 1):
            raise invalid(field, message)


def view(unit: Work, attribute: Current[ObjectAttribute]) -> ObjectAttributeView:
    return rows.views(unit.conn, [attribute])[0]
