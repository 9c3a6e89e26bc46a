"""Smart lists on the wire: groups of conditions, of which all of one group must hold."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Value
from domain.kernel.filter import Condition, Conditions, Group, Operator
from domain.smart_list import Columns, ListName, Order, Words
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class SmartCondition(Value, forbid_unknown_fields=True):
    """One thing that is asked of a contact."""

    field: Annotated[str, Meta(description="What is asked for, such as `email`, `tags` or `custom.size`.")]
    op: Annotated[Operator, Meta(description="How it is compared.")]
    value: Annotated[Any, Meta(description="With what: of the field's type; `in` takes a list, `is_…` nothing.")] = None


class SmartGroup(Value, forbid_unknown_fields=True):
    """Conditions all of which must hold."""

    conditions: Annotated[tuple[SmartCondition, ...], Meta(description="What is asked; all of it must hold.")] = ()


class SmartQuery(Value, forbid_unknown_fields=True):
    """Groups of conditions: all of one group must hold, whichever. Without groups all contacts are meant."""

    groups: Annotated[tuple[SmartGroup, ...], Meta(description="Of which one must hold.")] = ()

    def asked(self) -> Group:
        """As a filter."""
        groups = tuple(
            Conditions(
                match="all",
                conditions=tuple(
                    Condition(field=condition.field, operator=condition.op, value=condition.value)
                    for condition in group.conditions
                ),
            )
            for group in self.groups
        )
        return Group(match="any" if groups else "all", groups=groups)

    @staticmethod
    def of(asked: Group) -> SmartQuery:
        """What ``asked`` made a filter of."""
        return SmartQuery(groups=tuple(SmartGroup(conditions=_conditions(group)) for group in asked.groups))


def _conditions(group: Conditions) -> tuple[SmartCondition, ...]:
    return tuple(
        SmartCondition(field=condition.field, op=condition.operator, value=condition.value)
        for condition in group.conditions
    )


_ID = Annotated[UUID, Meta(description="Of the smart list that this one is from now on; a new one without it.")]


class NewSmartList(Value, forbid_unknown_fields=True):
    """A smart list as it is to be. One that was read can be sent back as it is: what nobody can change has no effect."""

    name: ListName
    query: Annotated[SmartQuery, Meta(description="Which contacts are meant.")] = SmartQuery()
    id: _ID | None = None
    q: Words | None = None
    sort: Order | None = None
    columns: Columns = ()
    created_at: CreatedAt | None = None
    updated_at: UpdatedAt | None = None
    version: Version | None = None


class SmartLists(Value, forbid_unknown_fields=True):
    """All smart lists of the workspace, in order."""

    views: Annotated[list[NewSmartList], Meta(description="All that there are to be, in order; others are deleted.")]


class SmartListView(Value):
    """A smart list."""

    id: Id
    name: ListName
    query: Annotated[SmartQuery, Meta(description="Which contacts are meant.")]
    q: Words | None
    sort: Order | None
    columns: Columns
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b0",
        "name": "Fresh leads",
        "query": {"groups": [{"conditions": [{"field": "tags", "op": "contains", "value": "lead"}]}]},
        "q": None,
        "sort": "-createdAt",
        "columns": ["name", "email"],
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }
