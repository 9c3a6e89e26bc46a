"""The filters of the contact list, in the words of any of the documents."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, Any, Final
from uuid import UUID

from litestar import Request
from litestar.params import QueryParameter

from api.http.filtering import date_or_time, in_camel_case
from api.http.paging import said_once, searched
from api.http.query import free, malformed, malformed_parameter
from domain.contact_fields import ContactStatus, ContactType
from domain.kernel import FieldError
from domain.kernel.filter import Condition, Conditions, all_given
from projections.table.asking.asked import Fields
from projections.table.search import MAX_WORDS

MAX_FREE: Final = 20


@dataclass(frozen=True)
class ContactQuery:
    filter: Conditions | None
    search: str | None


def contact_query(
    search: Annotated[
        str | None,
        QueryParameter(
            max_length=200,
            description="Words, any part of name, e-mail address, company, phone or a custom field's text; all of them."
            f" {MAX_WORDS} at most.",
        ),
    ] = None,
    q: Annotated[str | None, QueryParameter(max_length=200, description="Another name for `search`.")] = None,
    tag: Annotated[
        list[str] | None, QueryParameter(description="With this tag: id, else name, else slug; given twice: both.")
    ] = None,
    source: Annotated[
        str | None,
        QueryParameter(max_length=200, description="Exactly this lead source, whatever its case and accents."),
    ] = None,
    company: Annotated[
        str | None, QueryParameter(max_length=200, description="Exactly this company, whatever its case and accents.")
    ] = None,
    email: Annotated[str | None, QueryParameter(max_length=320, description="Exactly this e-mail address.")] = None,
    status: Annotated[ContactStatus | None, QueryParameter(description="With this status.")] = None,
    contact_type: Annotated[
        ContactType | None, QueryParameter(name="type", description="Persons or organizations only.")
    ] = None,
    assigned_to: Annotated[
        UUID | None, QueryParameter(name="assigned_to", description="Assigned to the user of this id.")
    ] = None,
    assigned_to_camel: Annotated[UUID | None, in_camel_case("assigned_to")] = None,
    company_id: Annotated[
        UUID | None, QueryParameter(name="companyId", description="Belonging to the company of this id.")
    ] = None,
    created_after: Annotated[
        str | None, QueryParameter(name="created_after", description="Created after this date or RFC 3339 time.")
    ] = None,
    created_after_camel: Annotated[str | None, in_camel_case("created_after")] = None,
    created_before: Annotated[
        str | None, QueryParameter(name="created_before", description="Created before this date or RFC 3339 time.")
    ] = None,
    created_before_camel: Annotated[str | None, in_camel_case("created_before")] = None,
    updated_after: Annotated[
        str | None, QueryParameter(name="updated_after", description="Changed after this date or RFC 3339 time.")
    ] = None,
    updated_after_camel: Annotated[str | None, in_camel_case("updated_after")] = None,
    updated_before: Annotated[
        str | None, QueryParameter(name="updated_before", description="Changed before this date or RFC 3339 time.")
    ] = None,
    updated_before_camel: Annotated[str | None, in_camel_case("updated_before")] = None,
    dnc: Annotated[bool | None, QueryParameter(description="Whether they must not be contacted.")] = None,
    unsubscribed: Annotated[
        bool | None, QueryParameter(description="Whether they are unsubscribed from everything.")
    ] = None,
) -> ContactQuery:
    """All given filters must hold; an empty one is none."""
    wanted = all_given(
        ("source", "eq", source and source.strip()),
        ("company", "eq", company and company.strip()),
        ("email", "eq", email and email.strip()),
        ("status", "eq", status),
        ("type", "eq", contact_type),
        ("companyId", "eq", company_id),
        ("assignedTo", "eq", said_once({"assigned_to": assigned_to, "assignedTo": assigned_to_camel})),
        ("createdAt", "after", date_or_time(created_after=created_after, createdAfter=created_after_camel)),
        ("createdAt", "before", date_or_time(created_before=created_before, createdBefore=created_before_camel)),
        ("updatedAt", "after", date_or_time(updated_after=updated_after, updatedAfter=updated_after_camel)),
        ("updatedAt", "before", date_or_time(updated_before=updated_before, updatedBefore=updated_before_camel)),
        ("dnc", "eq", dnc),
        ("globallyUnsubscribed", "eq", unsubscribed),
        *(("tags", "has", name) for name in tag or () if name),
    )
    return ContactQuery(filter=wanted, search=searched({"search": search, "q": q}))


def any_field(request: Request[Any, Any, Any], known: Fields) -> Conditions:
    """All query parameters that are not the operation's own, as conditions: a contact's field, else a custom field, is what
    is given, whatever its case. Refuses more than twenty of them, and text that a field cannot be compared with.
    """
    given = [(name, value) for name in free(request) for value in request.query_params.getall(name)]
    if len(given) > MAX_FREE:
        raise malformed(
            "Too many fields", [FieldError(field=given[MAX_FREE][0][:64], message=f"is one of more than {MAX_FREE}")]
        )
    return Conditions(match="all", conditions=tuple(_equal(known, name, value) for name, value in given))


def _equal(known: Fields, name: str, value: str) -> Condition:
    found = known.known_as(name)
    asked_for = f"custom.{name}" if found is None and "." not in name else name
    field = known.find(asked_for)
    try:
        wanted = value if field is None else field.comparison.from_text(value)
    except ValueError as error:
        raise malformed_parameter(name[:64], str(error)) from None
    return Condition(field=asked_for, operator="eq", value=wanted)
