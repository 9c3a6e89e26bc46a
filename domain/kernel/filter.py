"""Conditions on records: and/or groups of field, operator and value. One form for query strings, smart lists and segments."""

from __future__ import annotations

from typing import Any, Final, Literal
from uuid import UUID

from domain.kernel import Value

Operator = Literal[
    "eq", "neq", "contains", "not_contains", "starts_with", "gt", "lt", "gte", "lte", "in", "has", "not_has",
    "is_set", "is_not_set", "is_empty", "is_not_empty", "after", "before",
]  # fmt: skip

MAX_DEPTH: Final = 5
MAX_CONDITIONS: Final = 100


class Condition(Value, tag="condition", tag_field="kind"):
    """``field`` is a record's field, ``tags`` or ``custom.<key>``; ``is_…`` operators take no value."""

    field: str
    operator: Operator
    value: Any = None


class Group(Value, tag="group", tag_field="kind"):
    """All or any of its conditions; an empty group of ``all`` holds for everything, of ``any`` for nothing."""

    match: Literal["all", "any"]
    conditions: tuple[Condition | Group, ...] = ()


Filter = Condition | Group


Asked = tuple[str, Operator, Any]
"""A field, an operator, and what it is compared with, if that was given."""


def all_given(*asked: Asked) -> Filter | None:
    """All of these conditions hold; of what is not given, or empty, nothing is asked."""
    conditions = tuple(
        Condition(field=field, operator=operator, value=str(value) if isinstance(value, UUID) else value)
        for field, operator, value in asked
        if value not in (None, "")
    )
    return Group(match="all", conditions=conditions) if conditions else None


def every_given(*wanted: tuple[str, Any]) -> Filter | None:
    """All of these fields have these values; of what is not given, nothing is asked."""
    return all_given(*((field, "eq", value) for field, value in wanted))
