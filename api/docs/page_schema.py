"""Schemas on the documentation's page: a type in a few words, and the table of an object's fields."""

from __future__ import annotations

import re
from html import escape
from typing import Any

from domain.kernel import JSON


def kind(schema: JSON) -> str:
    """A schema in a few words, with links to those it refers to: ``list of Tag``, ``string (uuid) or null``."""
    if "$ref" in schema:
        name = schema["$ref"].rsplit("/", 1)[-1]
        return f'<a href="#schema-{escape(name)}">{escape(name)}</a>'
    if "const" in schema:
        return f"<code>{escape(str(schema['const']))}</code>"
    if "anyOf" in schema:
        return " or ".join(kind(option) for option in schema["anyOf"])
    if "allOf" in schema:
        return " and ".join(kind(option) for option in schema["allOf"])
    if "enum" in schema:
        return " or ".join(_value(value) for value in schema["enum"])
    types = schema.get("type", "anything")
    return " or ".join(_one(name, schema) for name in ([types] if isinstance(types, str) else types))


def _value(value: Any) -> str:
    return "null" if value is None else f"<code>{escape(str(value))}</code>"


def _one(name: str, schema: JSON) -> str:
    if name == "array":
        return f"list of {kind(schema.get('items', {}))}"
    if name == "object" and isinstance(schema.get("additionalProperties"), dict):
        return f"map to {kind(schema['additionalProperties'])}"
    if name in ("string", "integer", "number"):
        limits = ", ".join(_limits(schema))
        return f"{name} ({escape(limits)})" if limits else name
    return escape(name)


def _limits(schema: JSON) -> list[str]:
    found = [str(schema["format"])] if "format" in schema else []
    least, most = schema.get("minimum"), schema.get("maximum")
    if least is not None or most is not None:
        found.append(f"{'' if least is None else least}…{'' if most is None else most}")
    if "maxLength" in schema:
        found.append(f"at most {schema['maxLength']} characters")
    return found


def fields_of(document: JSON, schema: JSON) -> JSON:
    """The object that a schema or a reference stands for."""
    if "$ref" in schema:
        found: JSON = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[-1]]
        return found
    return schema


def field_table(schema: JSON) -> str:
    """The fields of an object; nothing for any other schema."""
    properties: dict[str, JSON] = schema.get("properties", {})
    rows = "".join(
        f"<tr><td><code>{escape(name)}</code>{_required(name, schema)}</td><td>{kind(value)}</td>"
        f"<td>{_code(value.get('description', ''))}{_default(value)}</td></tr>\n"
        for name, value in properties.items()
    )
    if not rows:
        return ""
    head = '<tr><th scope="col">Field</th><th scope="col">Type</th><th scope="col">What it is</th></tr>'
    return f'<div class="table" tabindex="0"><table><thead>{head}</thead><tbody>{rows}</tbody></table></div>'


def _required(name: str, schema: JSON) -> str:
    return ' <span class="required">required</span>' if name in schema.get("required", ()) else ""


def _default(schema: JSON) -> str:
    value = schema.get("default")
    return "" if value is None else f" Default: <code>{escape(str(value))}</code>."


def _code(text: str) -> str:
    return re.sub(r"`([^`]+)`", r"<code>\1</code>", escape(text, quote=False))
