"""Times in bodies: callers write them in more ways than JSON is read in."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from functools import cache, partial
from typing import Any, get_args

import msgspec

from domain.kernel.times import rfc3339
from schemas.wire.faults import object_of, struct_of

Document = bytes | str | msgspec.Raw


def with_times(kind: Any, document: Document) -> Document:
    """JSON that was sent for a type, each time in it as JSON readers take it; as it stands where it has none."""
    struct = struct_of(kind)
    writers = {} if struct is None else _writers(struct)
    given = object_of(document) if writers else None
    if given is None:
        return document
    written = {name: msgspec.Raw(write(given[name])) for name, write in writers.items() if name in given}
    return msgspec.json.encode(given | written)


@cache
def _writers(kind: type[msgspec.Struct]) -> Mapping[str, Callable[[Document], Document]]:
    """By name on the wire, the fields that are times or have times in them, and how these are put right."""
    fields = {field.encode_name: field.type for field in msgspec.structs.fields(kind)}
    found = {name: _time for name, annotation in fields.items() if _is_time(annotation)}
    nested = {name: struct for name, annotation in fields.items() if (struct := struct_of(annotation)) is not None}
    return found | {name: partial(with_times, struct) for name, struct in nested.items() if _writers(struct)}


def _time(document: Document) -> Document:
    value = msgspec.json.decode(document)
    return msgspec.json.encode(rfc3339(value)) if isinstance(value, str) else document


def _is_time(annotation: Any) -> bool:
    return annotation is datetime or any(_is_time(inner) for inner in get_args(annotation))
