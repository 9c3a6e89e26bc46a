"""What an import's options say of every row: fields that are the same in all of them, and tags for all contacts."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import UNSET

from domain import contact_cells
from domain.contact import CONTACT, ContactChanges, CreateContact
from domain.contact_cells import CUSTOM, FIELDS, PREFERENCES, READERS
from domain.contact_mapping import target_of
from domain.kernel import FieldError, Refused
from schemas.contact import NewContact
from schemas.contact_import import ImportOptions
from schemas.wire.error import field_error

TAGS = "_tags"
_WHERE = "constantValues"
_MAPS = {CUSTOM: "customFields", PREFERENCES: "communicationPreferences"}


def constants(options: ImportOptions) -> tuple[NewContact, list[str]]:
    """The fields as a contact that is still nobody, and the names of tags. Refuses what no contact could have."""
    tags = list(options.tags or [])
    fields: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in (options.constant_values or {}).items():
        try:
            if name in (TAGS, "tags"):
                tags += _tags(value)
            else:
                _put(fields, name, value)
        except ValueError as error:
            errors.append(FieldError(field=f"{_WHERE}.{name[:64]}", message=str(error)))
    if options.source is not None:
        fields.setdefault("source", options.source)
    contact = _contact(fields, errors)
    if errors:
        names = ", ".join(error.field for error in errors)
        raise Refused("validation_failed", f"Not acceptable: {names}.", details=errors)
    return contact, tags


def fixed(contact: NewContact) -> frozenset[str]:
    """What columns need not be taken for: fields, and ``custom.<key>``, that the constants fill."""
    custom = () if contact.custom_fields is UNSET else contact.custom_fields
    fields = (wire for wire, python in FIELDS.items() if getattr(contact, python) is not UNSET)
    return frozenset({*fields, *(CUSTOM + key for key in custom)})


def _put(fields: dict[str, Any], name: str, value: Any) -> None:
    if name in _MAPS.values() and isinstance(value, dict):
        fields.setdefault(name, {}).update(value)
        return
    target = target_of(name)
    if target in ("email", None):
        raise ValueError("must differ from row to row" if target else "must name a field")
    for prefix, field in _MAPS.items():
        if target.startswith(prefix):
            fields.setdefault(field, {})[target.removeprefix(prefix)] = value
            return
    read = READERS.get(target)
    fields[target] = read(value) if read is not None and isinstance(value, str) else value


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        return contact_cells.tags(value)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("must be a list of names")
    return value


def _contact(fields: dict[str, Any], errors: list[FieldError]) -> NewContact:
    try:
        contact = msgspec.convert(fields, NewContact)
    except msgspec.ValidationError as error:
        errors.append(_within(field_error(error, _WHERE)))
        return NewContact()
    details = {
        name: value for name in ContactChanges.__struct_fields__ if (value := getattr(contact, name)) is not UNSET
    }
    try:
        CONTACT.decide(CreateContact(**{"first_name": "Somebody", **details}), None)
    except Refused as refusal:
        errors += [_within(detail) for detail in refusal.details]
    return contact


def _within(error: FieldError) -> FieldError:
    if error.field in (_WHERE, "source"):
        return error
    return FieldError(field=f"{_WHERE}.{error.field}", message=error.message)
