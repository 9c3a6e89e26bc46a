"""What an import's options say of every row: fields that are the same in all of them, and tags for all."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import UNSET

from application.importing.importer import Importer
from domain.importing.cells import names
from domain.importing.fields import TAGS, Fields
from domain.kernel import FieldError, Refused
from schemas.wire.error import field_error

_WHERE = "constantValues"


def constants(importer: Importer[Any], values: Mapping[str, Any], options: Mapping[str, Any]) -> tuple[Any, list[str]]:
    """The fields as a form that is still nobody's, and the names of tags. Refuses what no thing could have.

    ``options``: fields that are options of their own, where ``values`` do not have them.
    """
    known = importer.fields(importer.form())
    tags: list[str] = []
    fields: dict[str, Any] = {}
    errors: list[FieldError] = []
    for name, value in values.items():
        try:
            if known.tagged and name.removeprefix("_") == TAGS:
                tags += _tags(value)
            else:
                _put(known, fields, name, value)
        except ValueError as error:
            errors.append(FieldError(field=f"{_WHERE}.{name[:64]}", message=str(error)))
    fields = {**options, **fields}
    form = _form(importer, fields, frozenset(options), errors)
    if errors:
        said = ", ".join(error.field for error in errors)
        raise Refused("validation_failed", f"Not acceptable: {said}.", details=errors)
    return form, tags


def fixed(known: Fields, form: Any) -> frozenset[str]:
    """What columns need not be taken for: fields, and keys of maps, that the constants fill."""
    keys = (
        prefix + key
        for prefix, kept in known.maps.items()
        if (given := getattr(form, kept.python)) is not UNSET
        for key, value in msgspec.to_builtins(given or {}).items()
        if value is not None
    )
    cells = (wire for wire, python in known.cells.items() if getattr(form, python) is not UNSET)
    whole = known.whole[0] if known.whole is not None else ""
    return frozenset({*cells, *keys, *(known.parts(whole) if isinstance(getattr(form, whole, None), str) else ())})


def _put(known: Fields, fields: dict[str, Any], name: str, value: Any) -> None:
    if isinstance(value, dict) and any(name == kept.wire for kept in known.maps.values()):
        fields.setdefault(name, {}).update(value)
        return
    target = known.target_of(name)
    if target is None or target in known.unlike:
        raise ValueError("must differ from row to row" if target else "must name a field")
    for prefix, kept in known.maps.items():
        if target.startswith(prefix):
            fields.setdefault(kept.wire, {})[target.removeprefix(prefix)] = value
            return
    read = known.readers.get(target)
    fields[target] = read(value) if read is not None and isinstance(value, str) else value


def _tags(value: Any) -> list[str]:
    if isinstance(value, str):
        return names(value)
    if not isinstance(value, list) or not all(isinstance(name, str) for name in value):
        raise ValueError("must be a list of names")
    return value


def _form(importer: Importer[Any], fields: dict[str, Any], own: frozenset[str], errors: list[FieldError]) -> Any:
    try:
        form = msgspec.convert(fields, importer.form)
    except msgspec.ValidationError as error:
        errors.append(_within(field_error(error, _WHERE), own))
        return importer.form()
    try:
        importer.decider.decide(importer.first(**{**importer.somebody, **importer.details(form)}), None)
    except Refused as refusal:
        errors += [_within(detail, own) for detail in refusal.details]
    return form


def _within(error: FieldError, own: frozenset[str]) -> FieldError:
    """An error of an option of its own names that; others stand in the constants."""
    if error.field in (_WHERE, *own):
        return error
    return FieldError(field=f"{_WHERE}.{error.field}", message=error.message)
