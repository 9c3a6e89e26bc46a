"""Validating against JSON Schemas, with the formats that ours name."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource

FORMATS = FormatChecker(formats=["uuid"])


@FORMATS.checks("date-time", raises=ValueError)
def _is_time(value: object) -> bool:
    return not isinstance(value, str) or ("T" in value and datetime.fromisoformat(value).tzinfo is not None)


def validator(schema: dict[str, Any], **beside: Any) -> Draft202012Validator:
    """Of a schema; ``beside`` stands at its root, such as ``components`` that it refers to."""
    return Draft202012Validator({**schema, **beside}, format_checker=FORMATS)


def of_folder(folder: Path, reference: str) -> Draft202012Validator:
    """Of one schema of a folder whose files refer to each other, such as ``tag.created.json#data``."""
    files = ((path.name, json.loads(path.read_text())) for path in folder.glob("*.json"))
    known = Registry().with_resources((name, Resource.from_contents(found)) for name, found in files)
    return Draft202012Validator({"$ref": reference}, registry=known, format_checker=FORMATS)
