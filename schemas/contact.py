"""Contacts on the wire: what callers send beside the fields themselves, and what they are answered."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.contact import ContactDetails, ContactStatus, ContactType
from domain.kernel import Value
from domain.values import CustomValue
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
