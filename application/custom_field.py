"""Custom fields: definitions in the words of any of the documents."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from msgspec import UNSET

from domain.custom_field import CUSTOM_FIELD, CreateCustomField, CustomField, Entity, UpdateCustomField
from domain.kernel import FieldError, Refused, invalid
from domain.kernel.check import Check
from domain.kernel.fields import kept
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import custom_field as fields
from schemas.custom_field import CustomFieldPatch, CustomFieldView, NewCustomField

MAX_FIELDS: Final = 500
"""Of contacts, of companies, and of deals."""

_FIXED: Final = {"type": "type", "key": "key", "allow_multiple": "allowMultiple"}
"""What cannot change while there is data, and what callers call it."""


def create(unit: Work, form: NewCustomField) -> Current[CustomField]:
    """A new definition. Refuses a key that another of the entity's has (``validation_failed`` with its id)."""
    command = _command(unit, form)
    unit.looked_first = True
    _check_key(unit, command.entity, command.key)
    if fields.how_many(unit.conn, command.entity) >= MAX_FIELDS:
        raise Refused("validation_failed", f"There are at most {MAX_FIELDS} custom fields of each entity.")
    return unit.begin(CUSTOM_FIELD, new_id(), command)


def _command(unit: Work, form: NewCustomField) -> CreateCustomField:
    """In the words of the documents: with a label, the name is the key."""
    check = Check()
    own = kept(form, check)
    if form.workspace_id not in (None, str(unit.origin.workspace_id)):
        check.fail("workspaceId", "must be the workspace that you are in")
    given = {
        "entity": form.entity or _entity(form),
        "key": form.key or form.tag or (form.name if form.label else None),
        "type": _type(form.type or form.field_type),
    }
    for name in sorted(name for name, value in given.items() if value is None):
        check.fail(name, "is required")
    check.done()
    others = {name: value for name, value in own.items() if name in _DETAILS - given.keys()}
    return CreateCustomField(**{**others, **given, "name": form.label or form.name})


_DETAILS: Final = frozenset(CreateCustomField.__struct_fields__) - {"integration_id"}


def _entity(form: NewCustomField) -> Entity | None:
    """Where the document whose words these are has fields of contacts alone."""
    return "contact" if form.contact_type or form.tag or form.label else None


def _type(given: str | None) -> str | None:
    return "multi_select" if given == "multiselect" else given


def update(unit: Work, field_id: UUID, form: CustomFieldPatch, if_version: int | None = None) -> Current[CustomField]:
    """Changes the given fields. What decides how values are kept stays while there are some (``validation_failed``)."""
    unit.looked_first = True
    before = unit.get(CUSTOM_FIELD, field_id).state
    _check_same(form, before)
    changes = _changes(form)
    if "key" in changes:
        _check_key(unit, before.entity, changes["key"], field_id)
    current = unit.execute(CUSTOM_FIELD, field_id, UpdateCustomField(**changes), if_version=if_version)
    assert current is not None, "a change ends nothing"
    if others := [wire for name, wire in _FIXED.items() if getattr(before, name) != getattr(current.state, name)]:
        _check_empty(unit, field_id, before, others)
    return current


def _changes(form: CustomFieldPatch) -> dict[str, Any]:
    """By any of the names that the documents have for them."""
    given = kept(form)
    words = {"label": "name", "tag": "key", "field_type": "type"}
    found = {words.get(name, name): value for name, value in given.items() if name not in ("entity", "contact_type")}
    return found | ({"type": _type(found["type"])} if "type" in found else {})


def _check_same(form: CustomFieldPatch, field: CustomField) -> None:
    check = Check()
    for name, wire in (("entity", "entity"), ("contact_type", "contactType")):
        if getattr(form, name) not in (UNSET, getattr(field, name)):
            check.fail(wire, "cannot change")
    check.done()


def _check_key(unit: Work, entity: Entity, key: str, own: UUID | None = None) -> None:
    taken = fields.with_key(unit.conn, entity, key)
    if taken not in (None, own):
        message = "has already been taken"
        raise Refused(
            "validation_failed",
            f"key: {message}",
            details=[FieldError(field="key", message=message)],
            existing_id=str(taken),
        )


def _check_empty(unit: Work, field_id: UUID, field: CustomField, changed: list[str]) -> None:
    """Nobody writes a value meanwhile: whoever has begun to is waited for, or looks again."""
    unit.defining.alone()
    for rows, reference in unit.defining.referring(CUSTOM_FIELD.stream_type, field):
        if rows.referring(unit.conn, reference, field_id, 1):
            raise invalid(changed[0], "cannot change while there is data in the field")


def view(unit: Work, field: Current[CustomField]) -> CustomFieldView:
    return fields.views(unit.conn, [field])[0]
