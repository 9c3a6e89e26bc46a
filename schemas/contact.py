"""Contacts on the wire: what callers send beside the fields themselves, and what they are answered."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.contact import ContactDetails, ContactStatus, ContactType
from domain.kernel import JSON, Value
from domain.kernel.values import CustomValue
from schemas.tag import TagView


class NewContact(ContactDetails, forbid_unknown_fields=True):
    """A contact to create. ``name`` is split when no first or last name is given; tags by name are made when missing."""

    name: str | None = None
    tags: list[str] | None = None
    tag_ids: list[UUID] | None = None


class ContactPatch(ContactDetails, forbid_unknown_fields=True):
    """What to change. ``tags`` and ``tagIds`` replace all tags (null or empty: none); the others add and remove."""

    name: str | None | UnsetType = UNSET
    tags: list[str] | None | UnsetType = UNSET
    tag_ids: list[UUID] | None | UnsetType = UNSET
    add_tag_id: UUID | None = None
    remove_tag_id: UUID | None = None


class ContactTags(Value, forbid_unknown_fields=True):
    """Tags to add, by name (made when missing) or by id."""

    tags: str | list[str] | None = None
    tag_ids: list[UUID] | None = None
    tag_id: UUID | None = None


class ContactView(Value):
    """A contact. ``tags`` are names and ``tagDetails`` the same tags in full, in the order they were added."""

    id: UUID
    type: ContactType
    name: str
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    phone_extension: str | None
    company: str | None
    job_title: str | None
    website: str | None
    source: str | None
    status: ContactStatus
    assigned_to: UUID | None
    language: str | None
    globally_unsubscribed: bool
    dnc: bool
    communication_preferences: dict[str, str]
    notes: str | None
    birthday: str | None
    address: str | None
    city: str | None
    state: str | None
    zipcode: str | None
    country: str | None
    custom_fields: dict[str, CustomValue]
    tags: list[str]
    tag_details: list[TagView]
    created_at: datetime
    updated_at: datetime
    version: int

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
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:32:11.654321Z",
        "version": 3,
    }
