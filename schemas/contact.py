"""Contacts on the wire: what callers send beside the fields themselves, and what they are answered."""

from __future__ import annotations

from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.contact_fields import ContactChanges, ContactDetails
from domain.contact_legal_hold import LegalHold
from domain.kernel import JSON, Value
from schemas.tag import TagView
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewContact(ContactChanges, forbid_unknown_fields=True):
    """A contact to create. ``name`` is split when no first or last name is given; tags by name are made when missing."""

    name: Annotated[
        str | None,
        Meta(description="The full name, split at its last space when neither first nor last name is given."),
    ] = None
    tags: Annotated[list[str] | None, Meta(description="Tags by name, slug or id; missing ones are made.")] = None
    tag_ids: Annotated[list[UUID] | None, Meta(description="Tags by id; they must exist.")] = None


class ContactPatch(ContactChanges, forbid_unknown_fields=True):
    """What to change. ``tags`` and ``tagIds`` replace all tags (null or empty: none); the others add and remove."""

    name: Annotated[
        str | None | UnsetType,
        Meta(description="The full name, split at its last space when neither first nor last name is given."),
    ] = UNSET
    tags: Annotated[
        list[str] | None | UnsetType,
        Meta(
            description="All tags that it is to have, by name, slug or id; missing ones are made. Null or empty: none."
        ),
    ] = UNSET
    tag_ids: Annotated[
        list[UUID] | None | UnsetType, Meta(description="All tags that it is to have, by id. Null or empty: none.")
    ] = UNSET
    add_tag_id: Annotated[UUID | None, Meta(description="A tag to add, by id.")] = None
    remove_tag_id: Annotated[UUID | None, Meta(description="A tag to take off, by id.")] = None


class ContactTags(Value, forbid_unknown_fields=True):
    """Tags to add, by name (made when missing) or by id."""

    tags: Annotated[
        str | list[str] | None, Meta(description="A tag or several, by name, slug or id; missing ones are made.")
    ] = None
    tag_ids: Annotated[list[UUID] | None, Meta(description="Tags by id.")] = None
    tag_id: Annotated[UUID | None, Meta(description="One tag by id.")] = None


class ContactView(ContactDetails, kw_only=True):
    """A contact. ``tags`` are names and ``tagDetails`` the same tags in full, in the order they were added."""

    id: Id
    name: Annotated[
        str, Meta(description="What to call the contact: the full name, else company, e-mail address or phone.")
    ]
    tags: Annotated[list[str], Meta(description="The names of its tags, in the order they were added.")]
    tag_details: Annotated[list[TagView], Meta(description="Its tags in full, in the same order.")]
    lists: Annotated[tuple[str, ...], Meta(description="The lists that it is on: empty, as there are none yet.")] = ()
    legal_hold: Annotated[LegalHold | None, Meta(description="Why it has to be kept; null where it need not.")] = None
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    shows: ClassVar[str] = "contact"
    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "type": "person",
        "name": "Sarah Kim",
        "firstName": "Sarah",
        "lastName": "Kim",
        "email": "sarah.kim@example.com",
        "phone": "+14155552671",
        "phoneExtension": None,
        "company": "Acme Corp",
        "companyId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0090",
        "jobTitle": "Head of Purchasing",
        "website": "https://acme.example.com",
        "source": "referral",
        "status": "ACTIVE",
        "assignedTo": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "language": "en",
        "globallyUnsubscribed": False,
        "dnc": False,
        "communicationPreferences": {"email": "weekly"},
        "notes": "Met at the spring fair.",
        "birthday": "1984-11-02",
        "address": "1 Market Street",
        "city": "San Francisco",
        "state": "CA",
        "zipcode": "94105",
        "country": "US",
        "customFields": {"employees": 38, "interests": ["hops", "malt"]},
        "tags": ["VIP"],
        "tagDetails": [
            {"id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0030", "name": "VIP", "slug": "vip", "color": "#1a7f37"},
        ],
        "lists": [],
        "legalHold": None,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:32:11.654321Z",
        "version": 3,
    }
