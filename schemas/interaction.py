"""Interactions on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.interaction import InteractionDetails, InteractionFacts, OccurredAt
from domain.kernel import JSON
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewInteraction(InteractionFacts, forbid_unknown_fields=True):
    """An interaction to record, of now unless it says otherwise."""

    occurred_at: Annotated[OccurredAt | None, Meta(description="When it was; now, unless given.")] = None


class InteractionView(InteractionDetails, kw_only=True):
    """An interaction."""

    id: Id
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00d0",
        "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "type": "meeting",
        "subject": "Kick-off",
        "body": "Met in person",
        "occurredAt": "2026-03-01T10:00:00Z",
        "metadata": {"room": "4"},
        "createdAt": "2026-03-01T11:30:00.123456Z",
        "updatedAt": "2026-03-01T11:30:00.123456Z",
        "version": 1,
    }
