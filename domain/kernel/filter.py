"""Conditions on records: and/or groups of field, operator and value. One form for query strings, smart lists and segments."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from msgspec import Meta

from domain.kernel import Value

Operator = Literal[
    "eq", "neq", "contains", "not_contains", "starts_with", "gt", "lt", "gte", "lte", "in", "has", "not_has",
    "is_set", "is_not_set", "is_empty", "is_not_empty", "after", "before",
]  # fmt: skip

MAX_CONDITIONS: Final = 100
MAX_SIZE: Final = 32_768
"""Of a filter that is kept, in bytes of JSON."""


class Condition(Value, forbid_unknown_fields=True):
    """``field`` is a record's field or ``custom.<key>``; ``is_…`` operators take no value."""

    field: Annotated[str, Meta(description="What is asked for, such as `email`, `tags` or `custom.size`.")]
    operator: Annotated[Operator, Meta(description="How it is compared.")]
    value: Annotated[Any, Meta(description="With what: of the field's type; `in` takes a list, `is_…` nothing.")] = None


class Conditions(Value, forbid_unknown_fields=True):
    """All or any of some conditions; ``all`` of nothing holds for everything, ``any`` for nothing."""

    match: Annotated[Literal["all", "any"], Meta(description="Whether all must hold, or any one.")]
    conditions: Annotated[tuple[Condition, ...], Meta(description="What is asked.")] = ()

    def named(self) -> Iterator[tuple[str, Condition | Conditions]]:
        """What is in it, and where: ``conditions[0]``."""
        return ((f"conditions[{place}]", condition) for place, condition in enumerate(self.conditions))


class Group(Conditions, forbid_unknown_fields=True):
    """All or any of its conditions and of the groups in it: whatever can be asked with and, or, can be put so."""

    groups: Annotated[tuple[Conditions, ...], Meta(description="Groups of conditions in the group.")] = ()

    def named(self) -> Iterator[tuple[str, Condition | Conditions]]:
        yield from super().named()
        yield from ((f"groups[{place}]", group) for place, group in enumerate(self.groups))


Filter = Condition | Conditions

Asked = tuple[str, Operator, Any]
"""A field, an operator, and what it is compared with, if that was given."""


def all_given(*asked: Asked) -> Conditions | None:
    """All of these conditions hold; of what is not given, or empty, nothing is asked."""
    conditions = tuple(
        Condition(field=field, operator=operator, value=str(value) if isinstance(value, UUID) else value)
        for field, operator, value in asked
        if value not in (None, "")
    )
    return Conditions(match="all", conditions=conditions) if conditions else None


def every_given(*wanted: tuple[str, Any]) -> Conditions | None:
    """All of these fields have these values; of what is not given, nothing is asked."""
    return all_given(*((field, "eq", value) for field, value in wanted))


def sized(wanted: Group) -> Group:
    """A filter that can be kept: not too large, and without NUL. Raises ``ValueError``."""
    written = msgspec.json.encode(wanted)
    if len(written) > MAX_SIZE:
        raise ValueError(f"must have at most {MAX_SIZE} bytes")
    if b"\\u0000" in written:
        raise ValueError("must not contain control characters")
    return wanted
