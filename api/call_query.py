"""The filters of the list of calls."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar.params import QueryParameter

from api.http.filtering import asked_of, date_or_time
from domain.call import Direction, Outcome
from projections.call import CALLS
from projections.table.asking.compiled import Compiled


def call_query(
    contact_id: Annotated[
        UUID | None, QueryParameter(name="contactId", description="With the contact of this id.")
    ] = None,
    deal_id: Annotated[UUID | None, QueryParameter(name="dealId", description="About the deal of this id.")] = None,
    user_id: Annotated[
        UUID | None, QueryParameter(name="userId", description="Made or taken by the user of this id.")
    ] = None,
    direction: Annotated[Direction | None, QueryParameter(description="Only from, or only to contacts.")] = None,
    status: Annotated[Outcome | None, QueryParameter(description="Of which this came.")] = None,
    after: Annotated[str | None, QueryParameter(description="Begun after this date or RFC 3339 time.")] = None,
    before: Annotated[str | None, QueryParameter(description="Begun before this date or RFC 3339 time.")] = None,
) -> Compiled:
    """All given filters must hold; an empty one is none."""
    return asked_of(
        CALLS,
        ("contactId", "eq", contact_id),
        ("dealId", "eq", deal_id),
        ("userId", "eq", user_id),
        ("direction", "eq", direction),
        ("status", "eq", status),
        ("startedAt", "after", date_or_time(after=after)),
        ("startedAt", "before", date_or_time(before=before)),
    )
