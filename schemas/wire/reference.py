"""The page of all events: what each says, field by field, and an example, made from the events' schemas."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import groupby
from typing import Any, Final

import msgspec

from domain.kernel import JSON

_INTRODUCTION: Final = """\
# Events

Everything that happens in a workspace is an event in its log, for ever, and can be sent to [webhooks](webhooks.md) by \
its name. This is the `data` of each; what stands around it, in the log and at a receiver, is told in \
[webhooks](webhooks.md#what-is-sent) and [the map](architecture.md#the-log). JSON Schemas are in `schemas/events/`. \
Amounts of money are whole numbers of the currency's smallest unit. Further fields may come.
"""
_BESIDE: Final = """
## Beside the log

Webhooks can be sent this too, though it is no event of the log but says something about it.
"""
_HEAD: Final = "| field | type | |\n|---|---|---|\n"
_WITHIN: Final = "#/$defs/"


def event_page(schemas: Mapping[str, JSON], examples: Mapping[str, bytes], beside: Mapping[str, bytes]) -> bytes:
    """All events by name, in Markdown; ``schemas`` as ``event_documents`` makes them, ``examples`` the JSON of their data.

    ``beside``: examples of what webhooks are sent that is no event of the log.
    """
    names = sorted(examples.keys() & schemas.keys())
    parts = [_INTRODUCTION]
    for noun, of_noun in groupby(names, lambda name: name.split(".")[0]):
        parts.append(f"\n## {noun}\n")
        parts += (_event(name, schemas[name], examples[name]) for name in of_noun)
    parts.append(_BESIDE)
    parts += (_event(name, schemas[name], example) for name, example in sorted(beside.items()))
    return "".join(parts).encode()


def _event(name: str, schema: JSON, example: bytes) -> str:
    (data,) = (found for found in schema["$defs"].values() if found.get("$anchor") == "data")
    rows = [*_rows(data, schema["$defs"])]
    table = f"\n{_HEAD}{''.join(rows)}" if rows else ""
    shown = msgspec.json.format(example, indent=2).decode().strip()
    return f"\n### {name}\n\n{schema['description']}\n{table}\n```json\n{shown}\n```\n"


def _rows(struct: JSON, within: JSON, prefix: str = "") -> Iterator[str]:
    """A line for each field; what a field has fields of its own in, they follow as ``field.inner``."""
    required = struct.get("required", ())
    for field, schema in struct.get("properties", {}).items():
        kind = _type(schema) + ("" if field in required else ", optional")
        yield f"| `{prefix}{field}` | {kind} | {_cell(schema.get('description', ''))} |\n"
        for inner in _inner(schema, within):
            yield from _rows(inner, within, f"{prefix}{field}.")


def _type(schema: JSON) -> str:
    if "$ref" in schema:
        return "object"
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(_type(found) for found in schema["anyOf"]))
    if "const" in schema or "enum" in schema:
        values = schema.get("enum", [schema.get("const")])
        return " or ".join("null" if value is None else f"`{value}`" for value in values)
    kinds = schema.get("type", "any")
    named = [kinds] if isinstance(kinds, str) else kinds
    return " or ".join(_named(kind, schema) for kind in named)


def _named(kind: str, schema: JSON) -> str:
    if kind == "array":
        return f"list of {_type(schema.get('items', {}))}"
    return str(schema.get("format", kind)) if kind == "string" else kind


def _inner(schema: JSON, within: JSON) -> list[JSON]:
    """The structs that a field is one of, or a list of."""
    choices: list[Any] = [schema, *schema.get("anyOf", ()), schema.get("items", {})]
    names = [found["$ref"].removeprefix(_WITHIN) for found in choices if isinstance(found, dict) and "$ref" in found]
    return [within[name] for name in names]


def _cell(text: str) -> str:
    return " ".join(text.replace("|", "\\|").split())
