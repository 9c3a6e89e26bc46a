"""How contacts are asked for in a body."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from domain.kernel import Value
from domain.smart_list import Order, Words
from schemas.smart_list import SmartQuery
from schemas.wire.page import DEFAULT_LIMIT, MAX_LIMIT


class ContactSearch(Value, forbid_unknown_fields=True):
    """Which contacts, and which of them to answer."""

    query: Annotated[SmartQuery | None, Meta(description="Conditions; without them all contacts are meant.")] = None
    q: Words | None = None
    sort: Order | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="How many to answer.")] = DEFAULT_LIMIT
    offset: Annotated[int, Meta(ge=0, le=1_000_000, description="How many to skip.")] = 0
