"""All that is wrong with a document of a type: each field is looked at by itself, once the whole was not acceptable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from itertools import islice
from types import UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

import msgspec

from domain.kernel import FieldError
from domain.kernel.check import Check
from domain.kernel.fields import keepers
from schemas.wire.error import field_error, shown

MAX_FAULTS: Final = 50
"""So many are told of at most."""


def faults(kind: Any, document: bytes | str | msgspec.Raw, whole: str = "body") -> list[FieldError]:
    """What is wrong with JSON that was sent for a type, in the order of its fields; nothing where nothing is.

    Fields of the right shape are looked at as they would be kept, so that a caller hears of everything at once.
    ``whole``: what the document is called where it is no object at all.
    """
    found = islice(_faults(kind, document, ""), MAX_FAULTS)
    return [error if error.field else shown(whole, error.message) for error in found]


def _faults(kind: Any, document: bytes | str | msgspec.Raw, at: str) -> Iterator[FieldError]:
    try:
        msgspec.json.decode(document, type=kind)
    except msgspec.ValidationError as error:
        struct, given = struct_of(kind), object_of(document)
        if struct is None or given is None:
            found = field_error(error, "", kind)
            yield shown(_joined(at, found.field), found.message)
        else:
            yield from _of_fields(struct, given, f"{at}." if at else "")


def _of_fields(kind: type[msgspec.Struct], given: Mapping[str, msgspec.Raw], at: str) -> Iterator[FieldError]:
    known = {field.encode_name: field for field in msgspec.structs.fields(kind)}
    keeps = {wire: keep for _, wire, keep in keepers(kind)}
    if kind.__struct_config__.forbid_unknown_fields:
        yield from (shown(at + name, "is not a known field") for name in given if name not in known)
    for name, field in known.items():
        if name in given:
            found = list(_faults(field.type, given[name], at + name))
            yield from found or _unkept(field.type, given[name], keeps.get(name), at + name)
        elif field.required:
            yield shown(at + name, "is required")


def _unkept(kind: Any, document: msgspec.Raw, keep: Callable[[Any], object] | None, at: str) -> Iterator[FieldError]:
    value = msgspec.json.decode(document, type=kind)
    if keep is None or value is None:
        return
    check = Check()
    check.field(at, keep, value)
    yield from (shown(error.field, error.message) for error in check.errors)


def object_of(document: bytes | str | msgspec.Raw) -> dict[str, msgspec.Raw] | None:
    """The fields of an object, ``None`` where it is none."""
    try:
        return msgspec.json.decode(document, type=dict[str, msgspec.Raw])
    except msgspec.ValidationError:
        return None


def _joined(at: str, path: str) -> str:
    return at + path if path.startswith("[") else ".".join(part for part in (at, path) if part)


def struct_of(kind: Any) -> type[msgspec.Struct] | None:
    """The struct that a type is, or that it may be beside null and unset; not one in a list of them."""
    if isinstance(kind, type):
        return kind if issubclass(kind, msgspec.Struct) else None
    if get_origin(kind) not in (Annotated, Union, UnionType):
        return None
    return next((found for inner in get_args(kind) if (found := struct_of(inner)) is not None), None)
