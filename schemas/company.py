"""Companies on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.company import CompanyDetails
from domain.kernel import JSON
from schemas.contact import ContactView
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class CompanyView(CompanyDetails, kw_only=True):
    """A company."""

    id: Id
    contact_count: Annotated[int, Meta(description="How many contacts belong to it.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0090",
        "name": "Acme Corp",
        "domain": "acme.example.com",
        "industry": "Brewing",
        "size": "11-50",
        "address": {
            "street": "1 Market Street",
            "city": "San Francisco",
            "state": "CA",
            "zip": "94105",
            "country": "US",
        },
        "customFields": {"customer_since": "2019-04-01"},
        "contactCount": 12,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }


class CompanyWithContacts(CompanyView, kw_only=True):
    """A company with the contacts that belong to it: the newest hundred, for who may read contacts."""

    contacts: Annotated[
        list[ContactView] | None,
        Meta(description="Its contacts, newest first; null for a key without `contacts:read`."),
    ]

    example: ClassVar[JSON] = {**CompanyView.example, "contacts": [ContactView.example]}
