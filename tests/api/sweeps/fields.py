"""The fields of a body as its schema has them, wherever in it they stand: text, references, entries of lists and maps."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from tests.api.sweeps.operations import Operation, resolved

ENTRY: Final = "[]"
"""In a way to a field: the one entry of a list."""
VALUE: Final = "{}"
"""The value of a map's one entry."""
KEY: Final = "{key}"
"""The key of a map's one entry."""


@dataclass(frozen=True)
class Field:
    """``way``: the names that lead to it; ``schema``: what the document says of its value; ``nullable``: it or null."""

    way: tuple[str, ...]
    schema: Mapping[str, Any]
    nullable: bool = False

    @property
    def name(self) -> str:
        """The field of the body that it is, or is in, as an error names it."""
        return self.way[0]

    @property
    def is_reference(self) -> bool:
        return self.schema.get("format") == "uuid"

    @property
    def is_secret(self) -> bool:
        """Only a hash of it is kept."""
        return self.name == "password"

    def within(self, body: Mapping[str, Any], value: Any) -> dict[str, Any]:
        """The body with this value there, and the rest as it was."""
        placed: dict[str, Any] = _placed(copy.deepcopy(dict(body)), self.way, value)
        return placed

    def __str__(self) -> str:
        return ".".join(self.way)


def _placed(there: Any, way: tuple[str, ...], value: Any) -> Any:
    if not way:
        return value
    step, rest = way[0], way[1:]
    if step == ENTRY:
        first = there[0] if isinstance(there, list) and there else None
        return [_placed(first, rest, value)]
    if step in (KEY, VALUE):
        key, known = next(iter((there or {}).items()), ("anything", "anything"))
        return {value: known} if step == KEY else {key: _placed(None, rest, value)}
    return {**(there if isinstance(there, dict) else {}), step: _placed((there or {}).get(step), rest, value)}


def text_fields(op: Operation) -> list[Field]:
    """Wherever the body takes text, of whatever format; but for the rows of an import, each of which is judged by itself
    (``test_import.py``).
    """
    found = [] if op.body is None else list(_strings(op.body["schema"], ()))
    return [field for field in found if not (op.imports and field.way[1:2] == (ENTRY,) and len(field.way) > 2)]


def references(op: Operation) -> list[Field]:
    """Wherever the body takes an id that must be right; of many things each is judged by itself."""
    found = (field for field in text_fields(op) if field.is_reference)
    return [field for field in found if not (op.in_bulk and field.way == ("ids", ENTRY))]


def named(answer: httpx.Response) -> set[str]:
    """The fields of the body that an error names."""
    details = answer.json()["error"].get("details", [])
    return {re.split(r"[.\[]", detail["field"])[0] for detail in details}


def _strings(schema: Mapping[str, Any], way: tuple[str, ...], *, nullable: bool = False) -> Iterator[Field]:
    schema = resolved(dict(schema))
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        nullable = nullable or {"type": "null"} in alternatives
        for one in alternatives:
            yield from _strings(one, way, nullable=nullable)
        return
    kinds = schema.get("type", [])
    kinds = {kinds} if isinstance(kinds, str) else set(kinds)
    if "string" in kinds:
        yield Field(way, schema, nullable or "null" in kinds)
    if "array" in kinds:
        yield from _strings(schema.get("items", {}), (*way, ENTRY))
    if "object" in kinds:
        yield from _of_object(schema, way)


def _of_object(schema: Mapping[str, Any], way: tuple[str, ...]) -> Iterator[Field]:
    for name, inner in schema.get("properties", {}).items():
        yield from _strings(inner, (*way, name))
    values = schema.get("additionalProperties", "properties" not in schema)
    if values is not False:
        yield Field((*way, KEY), {"type": "string"})
        yield from _strings(values if isinstance(values, dict) else {"type": "string"}, (*way, VALUE))
