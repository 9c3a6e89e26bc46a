"""Validating against JSON Schemas, with the formats that ours name."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker

FORMATS = FormatChecker(formats=["uuid"])


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or ("T" in value and datetime.fromisoformat(value).tzinfo is not None)


def validator(schema: dict[str, Any], **beside: Any) -> Draft202012Validator:
    """Of a schema; ``beside`` stands at its root, such as ``components`` that it refers to."""
    return Draft202012Validator({**schema, **beside}, format_checker=FORMATS)
