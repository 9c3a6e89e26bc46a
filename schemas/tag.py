"""Tags on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON
from domain.tag import TagDetails
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class TagView(TagDetails, kw_only=True):
    """A tag. ``contactCount`` and the times are left out where tags are shown on a contact."""

    id: Id
    contact_count: Annotated[int, Meta(description="How many contacts bear it.")] | UnsetType = UNSET
    created_at: CreatedAt | UnsetType = UNSET
    updated_at: UpdatedAt | UnsetType = UNSET
    version: Version | UnsetType = UNSET

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
