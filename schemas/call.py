"""Calls on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

from msgspec import Meta

from domain.call import CallDetails, CallFacts, StartedAt, UserId
from domain.contact_fields import FirstName, LastName
from domain.kernel import JSON, Value
from domain.user import FullName
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewCall(CallFacts, forbid_unknown_fields=True):
    """A call to log: of who asks, and begun now, unless it says otherwise."""

    user_id: Annotated[UserId | None, Meta(description="The user who made or took it; who asks, unless given.")] = None
    started_at: Annotated[StartedAt | None, Meta(description="When it began; now, unless given.")] = None


class CalledContact(Value):
    """Whom a call is with."""

    first_name: FirstName | None
    last_name: LastName | None


class CallingUser(Value):
    """Who made or took a call."""

    name: FullName


class CallView(CallDetails, kw_only=True):
    """A call. Its contact is null for a key without ``contacts:read``."""

    id: Id
    contact: Annotated[
        CalledContact | None, Meta(description="Whom it is with; null for a key without `contacts:read`.")
    ]
    user: Annotated[CallingUser | None, Meta(description="Who made or took it.")]
    ended_at: Annotated[datetime | None, Meta(description="When it was over: `duration` after it began.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00c0",
        "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "dealId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00d1",
        "contact": {"firstName": "Sarah", "lastName": "Kim"},
        "userId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "user": {"name": "David Park"},
        "direction": "outbound",
        "status": "completed",
        "duration": 342,
        "notes": "Sarah confirmed Q2 start. Follow up with SOW by Friday.",
        "startedAt": "2026-04-18T15:30:00Z",
        "endedAt": "2026-04-18T15:35:42Z",
        "createdAt": "2026-04-18T15:35:42.123456Z",
        "updatedAt": "2026-04-18T15:35:42.123456Z",
        "version": 1,
    }
