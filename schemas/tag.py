"""Tags on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.kernel import Value


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
