"""The filters of the contact list, in the words of any of the documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from domain.contact import ContactStatus, ContactType
from domain.filter import Condition, Filter, Group, Operator


@dataclass(frozen=True)
class ContactQuery:
    filter: Filter | None
    search: str | None


def contact_query(
    search: Annotated[
        str | None, QueryParameter(max_length=200, description="Words of name, e-mail, company or phone.")
    ] = None,
    q: Annotated[str | None, QueryParameter(max_length=200, description="Another name for search.")] = None,
    tag: Annotated[
        list[str] | None, QueryParameter(description="With this tag: name, slug or id; given twice: both.")
    ] = None,
    source: Annotated[str | None, QueryParameter(max_length=200, description="Lead source.")] = None,
    company: Annotated[str | None, QueryParameter(max_length=200, description="Company.")] = None,
    email: Annotated[str | None, QueryParameter(max_length=320, description="E-mail address.")] = None,
    status: Annotated[ContactStatus | None, QueryParameter(description="Status.")] = None,
    contact_type: Annotated[
        ContactType | None, QueryParameter(name="type", description="Person or organization.")
    ] = None,
    assigned_to: Annotated[UUID | None, QueryParameter(name="assigned_to", description="Assigned user's id.")] = None,
    assigned_to_camel: Annotated[
        UUID | None, QueryParameter(name="assignedTo", description="Another name for assigned_to.")
    ] = None,
    created_after: Annotated[
        str | None, QueryParameter(name="created_after", description="A date or RFC 3339 time.")
    ] = None,
    created_before: Annotated[
        str | None, QueryParameter(name="created_before", description="A date or RFC 3339 time.")
    ] = None,
    updated_after: Annotated[
        str | None, QueryParameter(name="updated_after", description="A date or RFC 3339 time.")
    ] = None,
    updated_before: Annotated[
        str | None, QueryParameter(name="updated_before", description="A date or RFC 3339 time.")
    ] = None,
    dnc: Annotated[bool | None, QueryParameter(description="Do not contact.")] = None,
    unsubscribed: Annotated[bool | None, QueryParameter(description="Unsubscribed from everything.")] = None,
    list_id: Annotated[UUID | None, QueryParameter(name="listId", description="On this list.")] = None,
) -> ContactQuery:
    """All given filters must hold. No contact is on any list yet, so ``listId`` finds none."""
    assignee = assigned_to or assigned_to_camel
    given: list[tuple[str, Operator, object]] = [
        ("source", "eq", source),
        ("company", "eq", company),
        ("email", "eq", email),
        ("status", "eq", status),
        ("type", "eq", contact_type),
        ("assignedTo", "eq", None if assignee is None else str(assignee)),
        ("createdAt", "after", created_after),
        ("createdAt", "before", created_before),
        ("updatedAt", "after", updated_after),
        ("updatedAt", "before", updated_before),
        ("dnc", "eq", dnc),
        ("globallyUnsubscribed", "eq", unsubscribed),
        *(("tags", "has", name) for name in tag or ()),
    ]  # fmt: skip
    conditions: list[Condition | Group] = [
        Condition(field=field, operator=operator, value=value) for field, operator, value in given if value is not None
    ]
    if list_id is not None:
        conditions.append(Group(match="any"))
    wanted = Group(match="all", conditions=tuple(conditions)) if conditions else None
    return ContactQuery(filter=wanted, search=search or q)
