"""Tags on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.kernel import JSON, Value


class TagView(Value):
    """A tag. ``contactCount`` and the times are left out where tags are shown on a contact."""

    id: UUID
    name: str
    slug: str
    color: str | None = None
    contact_count: int | UnsetType = UNSET
    created_at: datetime | UnsetType = UNSET
    updated_at: datetime | UnsetType = UNSET
    version: int | UnsetType = UNSET

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0030",
        "name": "VIP",
        "slug": "vip",
        "color": "#1a7f37",
        "contactCount": 12,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }
