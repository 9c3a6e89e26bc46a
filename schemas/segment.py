"""Segments on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.kernel import JSON, Value
from domain.kernel.filter import Group
from domain.segment import SegmentDetails
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class SegmentView(SegmentDetails, kw_only=True):
    """A segment. Its contacts are read by themselves, as they are at that moment."""

    id: Id
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00a0",
        "name": "Brewers nearby",
        "filter": {
            "match": "all",
            "conditions": [
                {"field": "company.industry", "operator": "eq", "value": "Brewing"},
                {"field": "tags", "operator": "has", "value": "VIP"},
            ],
            "groups": [],
        },
        "description": "Whom to invite to the spring fair.",
        "crossWorkspace": False,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }


class SegmentPreview(Value, forbid_unknown_fields=True):
    """A filter to try out."""

    filter: Annotated[Group, Meta(description="What holds of the contacts.")]


class PreviewedContact(Value):
    """A contact of which the filter holds."""

    id: Id
    name: Annotated[str, Meta(description="What to call the contact.")]
    email: Annotated[str | None, Meta(description="Its e-mail address.")]
    first_name: Annotated[str | None, Meta(description="First name.")]
    last_name: Annotated[str | None, Meta(description="Last name.")]


class PreviewedContacts(Value):
    """How many contacts a filter holds of, and the newest fifty of them."""

    count: Annotated[int, Meta(description="Of how many contacts it holds.")]
    contacts: Annotated[list[PreviewedContact], Meta(description="The newest fifty of them.")]

    example: ClassVar[JSON] = {
        "count": 1,
        "contacts": [
            {
                "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
                "name": "Sarah Kim",
                "email": "sarah.kim@example.com",
                "firstName": "Sarah",
                "lastName": "Kim",
            }
        ],
    }
