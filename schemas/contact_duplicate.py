"""Contacts that may be the same person, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from msgspec import Meta

from domain.contact_duplicate import DuplicatePair
from domain.kernel import JSON, Value
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version

MOST: Final = 10
"""So many of a group are shown, and so many are said at once to be different."""

Reason = Literal["mailbox", "phone", "name_company", "name_domain"]


class LikeContact(Value):
    """One of several contacts that are alike, as far as it takes to tell them apart."""

    id: Id
    name: Annotated[str, Meta(description="What to call the contact.")]
    email: Annotated[str | None, Meta(description="Its e-mail address.")]
    phone: Annotated[str | None, Meta(description="Its phone number, in E.164.")]
    company: Annotated[str | None, Meta(description="The company's name.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    version: Version

    shows: ClassVar[str] = "contact"
    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "name": "Sarah Kim",
        "email": "sarah.kim@example.com",
        "phone": "+14155552671",
        "company": "Acme Corp",
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "version": 3,
    }


class DuplicateGroup(Value):
    """Contacts that may be the same person. The first of them was made first: `POST /contacts/{id}/merge` with another's id
    as `loserId` and `dryRun` says what would come of it.
    """

    score: Annotated[float, Meta(description="How likely they are the same, 0 to 1.")]
    reasons: Annotated[
        list[Reason],
        Meta(
            description=(
                "What they have in common: `mailbox`, the e-mail address but for dots and a `+suffix`; `phone`, the number;"
                " `name_company`, first and last name and company; `name_domain`, first and last name and the domain of"
                " the e-mail address; whatever the case and accents."
            )
        ),
    ]
    count: Annotated[int, Meta(description="How many they are.")]
    contacts: Annotated[list[LikeContact], Meta(description="The first ten of them, the oldest first.")]

    example: ClassVar[JSON] = {
        "score": 0.94,
        "reasons": ["mailbox", "name_domain"],
        "count": 2,
        "contacts": [
            LikeContact.example,
            {**LikeContact.example, "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002", "email": "sarahkim@example.com"},
        ],
    }


class DismissDuplicates(Value, forbid_unknown_fields=True):
    """Contacts that are alike, of which no two are the same person."""

    contact_ids: Annotated[
        tuple[UUID, ...], Meta(min_length=2, max_length=MOST, description="The contacts: two of them, or up to ten.")
    ]


class DismissalView(DuplicatePair, kw_only=True):
    """What was said of two contacts: that they are two, however alike they are."""

    id: Id
    contact_name: Annotated[
        str | None, Meta(description="What the one is called; null for who may not see that contact.")
    ]
    other_name: Annotated[
        str | None, Meta(description="What the other is called; null for who may not see that contact.")
    ]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00e0",
        "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "contactName": "Sarah Kim",
        "otherId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002",
        "otherName": "Sara Kim",
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }


class DismissedView(Value):
    """What is said of each two of some contacts."""

    dismissals: Annotated[list[DismissalView], Meta(description="One for each two of them.")]

    example: ClassVar[JSON] = {"dismissals": [DismissalView.example]}
