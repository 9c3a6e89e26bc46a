"""How contacts are asked for in a body."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from domain.kernel import Value
from schemas.smart_list import SmartQuery
from schemas.wire.page import DEFAULT_LIMIT, MAX_LIMIT


class ContactSearch(Value, forbid_unknown_fields=True):
    """Which contacts, and which of them to answer."""

    query: Annotated[SmartQuery | None, Meta(description="Conditions; without them all contacts are meant.")] = None
    q: Annotated[str, Meta(max_length=200, description="Words that are searched for, too.")] | None = None
    sort: Annotated[str, Meta(max_length=50, description="Field to sort by; `-` in front for descending.")] | None = (
        None
    )
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="How many to answer.")] = DEFAULT_LIMIT
    offset: Annotated[int, Meta(ge=0, le=1_000_000, description="How many to skip.")] = 0
    cursor: Annotated[str, Meta(max_length=2000, description="`nextCursor` of an earlier answer, instead.")] | None = (
        None
    )
