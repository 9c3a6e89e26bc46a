"""JSON Schemas (draft 2020-12) of what crosses the wire, made from the structs themselves."""

from __future__ import annotations

import inspect
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final, get_args, get_origin

import msgspec

from domain.catalogue import EVENTS
from domain.kernel import JSON, Event
from schemas.wire.page import One, Page

_REFERENCE: Final = re.compile(r"#/\$defs/(\w+)")
_TIME: Final = re.compile(r"\w+At|timestamp|since|until|lastDelivery")
"""Names of fields that are RFC 3339 times, wherever they are."""

_SUFFIX: Final = {Page: "Page", One: "Answer"}


_NAMES: Final = {"ImportAnswer": "ImportResult"}
"""Where the struct's own name would read badly: One[ImportAnswer] is no ImportAnswerAnswer."""


def name_of(kind: Any) -> str:
    """What a type is called in the documentation: ``Page[ContactView]`` is a ContactPage, ``ContactView`` a Contact."""
    origin, args = get_origin(kind), get_args(kind)
    if origin in _SUFFIX:
        return name_of(args[0]) + _SUFFIX[origin]
    if origin is list:
        return f"{name_of(args[0])}List"
    if origin is dict:
        return f"{name_of(args[1])}Map"
    name: str = _NAMES.get(kind.__name__, kind.__name__)
    return f"{name}Event" if issubclass(kind, Event) else name.removesuffix("View")


def schemas(
    types: Sequence[Any], ref: str, *, answered: bool = False, taken: bool = False
) -> tuple[list[JSON], dict[str, JSON]]:
    """The schema of each type, and the components that they refer to by ``ref`` (such as ``#/$defs/{name}``).

    ``answered``: they are what Daybook answers, so every field that it does not leave out is there. ``taken``: they are
    what it takes, so a field with a default may be left out; of one with a ``default`` generators of clients believe that
    it is always there, so it is told in words. What is within them is called ``Given…``: answers may have it in full.
    """
    template = "#/made/{name}"
    found, made = msgspec.json.schema_components(types, ref_template=template)
    names = {
        schema["$ref"]: name_of(kind) for kind, schema in zip(types, found, strict=True) if schema.keys() == {"$ref"}
    }
    for name in made:
        plain = name.rsplit(".", 1)[-1]
        inner = _NAMES.get(plain, plain).removesuffix("View")
        names.setdefault(template.format(name=name), f"Given{inner}" if taken else inner)
    if len(set(names.values())) < len(names):
        raise ValueError(f"two types have one name in the documentation: {sorted(names.values())}")
    refs = {old: ref.format(name=new) for old, new in names.items()}
    components = {
        new: _component(new, _plain(made[old.removeprefix("#/made/")], refs), answered=answered, taken=taken)
        for old, new in names.items()
    }
    return [_plain(schema, refs) for schema in found], components


def _component(name: str, schema: JSON, *, answered: bool, taken: bool) -> JSON:
    schema["title"] = name
    if description := text(schema.get("description", "")) or _about(name):
        schema["description"] = description
    properties: dict[str, JSON] = schema.get("properties", {})
    if answered:
        there = {field for field, value in properties.items() if "default" in value}
        schema["required"] = [field for field in properties if field in there or field in schema.get("required", ())]
    if not schema.get("required"):
        schema.pop("required", None)
    for field, value in properties.items():
        default = value.pop("default", None) if answered or taken else None
        if _TIME.fullmatch(field) and "string" in _types(value):
            value["format"] = "date-time"
        _describe(field, value)
        if taken and default not in (None, [], {}, ""):
            value["description"] += f" Unless given, `{msgspec.json.encode(default).decode()}`."
    return schema


_CHANGES: Final = {
    "changed": "The fields that changed, as they became.",
    "previous": "The fields that changed, as they were.",
}
"""Every event of a change has these two."""


def _describe(field: str, schema: JSON) -> None:
    """Brings what a type says of a field out of its alternatives, to the field itself."""
    for alternative in schema.get("anyOf", ()):
        if isinstance(alternative, dict) and (found := alternative.pop("description", None)):
            schema.setdefault("description", found)
    if field in _CHANGES:
        schema.setdefault("description", _CHANGES[field])


def _about(component: str) -> str:
    """What a page or an answer is, which are named for what is in them; nothing of others."""
    if component.endswith("Page"):
        return f"A page of a list: {component.removesuffix('Page')}."
    return "What was asked for, in `data`." if component.endswith("Answer") else ""


def _types(schema: Mapping[str, Any]) -> list[str]:
    kind = schema.get("type", [])
    return [kind] if isinstance(kind, str) else list(kind)


def _plain(schema: Any, refs: Mapping[str, str]) -> Any:
    """A copy with our references, and ``anyOf`` a scalar and null as a scalar that may be null."""
    if isinstance(schema, list):
        return [_plain(entry, refs) for entry in schema]
    if not isinstance(schema, dict):
        return schema
    copy = {name: _plain(value, refs) for name, value in schema.items()}
    if isinstance(copy.get("$ref"), str):
        copy["$ref"] = refs.get(copy["$ref"], copy["$ref"])
    if "enum" in copy and "type" not in copy and all(isinstance(value, str) for value in copy["enum"]):
        copy["type"] = "string"
    if copy.get("format") == "decimal":  # exact, and on the wire a number
        copy["type"] = "number"
        del copy["format"]
    if copy.get("type") == "object" and "properties" not in copy:
        copy.setdefault("additionalProperties", True)  # said, as generators of clients else believe that it is empty
    match copy.get("anyOf"):
        case [{"type": str(kind)} as value, {"type": "null"}]:
            rest = {name: found for name, found in copy.items() if name != "anyOf"}
            copy = {**value, **rest, "type": [kind, "null"]}
            if "enum" in copy:
                copy["enum"] = [*copy["enum"], None]
        case _:
            pass
    return copy


def text(docstring: str) -> str:
    """A docstring as Markdown: its indentation and double backticks are Python's."""
    return inspect.cleandoc(docstring).replace("``", "`")


def event_schemas(ref: str) -> tuple[dict[str, JSON], dict[str, JSON]]:
    """The schema of every event's data by the event's name, and the components they refer to."""
    found, components = schemas(list(EVENTS.values()), ref)
    return dict(zip(EVENTS, found, strict=True)), components


def event_documents(entry: type[Any], webhook: type[Any]) -> dict[str, JSON]:
    """By the event's name: the schema of its log entry, with ``#data`` and ``#webhook`` in it; and ``envelope``.

    That one has what an event comes in: ``#entry`` in the log, ``#webhook`` at a receiver.
    """
    data, components = event_schemas("#/$defs/{name}")
    envelope = _envelope(entry=entry, webhook=webhook)
    return {"envelope": envelope, **{name: _document(name, schema, components) for name, schema in data.items()}}


def _envelope(**kinds: type[Any]) -> JSON:
    """The document of both envelopes, each under the anchor that it is given by."""
    found, components = schemas(list(kinds.values()), "#/$defs/{name}", answered=True)
    for anchor, schema in zip(kinds, found, strict=True):
        components[schema["$ref"].removeprefix("#/$defs/")]["$anchor"] = anchor
    said = "What an event comes in: `#entry` in the log, `#webhook` at a receiver."
    return {**_headed("envelope", said), "$defs": components}


def _document(name: str, data: JSON, components: Mapping[str, JSON]) -> JSON:
    own = data["$ref"].removeprefix("#/$defs/")
    needed = _reached({own: {**components[own], "$anchor": "data"}}, components)
    inside = {"properties": {"type": {"const": name}, "data": {"$ref": "#data"}}}
    webhook = {"$anchor": "webhook", "$ref": "envelope.json#webhook", **inside}
    said = components[own].get("description", "")
    return {**_headed(name, said), "$ref": "envelope.json#entry", **inside, "$defs": {**needed, "webhook": webhook}}


def _headed(name: str, description: str) -> JSON:
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"{name}.json",
        "title": name,
        "description": description,
    }


def _reached(roots: Mapping[str, JSON], components: Mapping[str, JSON]) -> dict[str, JSON]:
    """The roots and all components that they lead to."""
    found = dict(roots)
    waiting = list(roots.values())
    while waiting:
        for name in _REFERENCE.findall(msgspec.json.encode(waiting.pop()).decode()):
            if name not in found:
                found[name] = components[name]
                waiting.append(components[name])
    return found


def written(document: JSON) -> bytes:
    """As a file: the same every time, whatever the order it was made in."""
    return msgspec.json.format(msgspec.json.encode(document, order="sorted"), indent=2) + b"\n"
