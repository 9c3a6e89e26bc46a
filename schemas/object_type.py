"""Object types on the wire."""

from __future__ import annotations

from typing import ClassVar

from domain.kernel import JSON
from domain.object_type import ObjectTypeDetails
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class ObjectTypeView(ObjectTypeDetails, kw_only=True):
    """A kind of thing of the workspace's own."""

    id: Id
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0130",
        "name": "Projects",
        "slug": "projects",
        "singularName": "Project",
        "icon": "Briefcase",
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }
