"""Object types on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.kernel import JSON
from domain.object_type import ObjectTypeDetails
from schemas.object_attribute import NewAttribute, ObjectAttributeView
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewObjectType(ObjectTypeDetails, forbid_unknown_fields=True):
    """A kind of thing to define, with its first attributes."""

    attributes: Annotated[
        tuple[NewAttribute, ...] | None, Meta(description="Its first attributes, up to 100, in order.")
    ] = None


class ObjectTypeView(ObjectTypeDetails, kw_only=True):
    """A kind of thing of the workspace's own."""

    id: Id
    attributes: Annotated[list[ObjectAttributeView], Meta(description="What its records have, in order.")]
    record_count: Annotated[int, Meta(description="How many records there are of it.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0130",
        "name": "Projects",
        "slug": "projects",
        "singularName": "Project",
        "icon": "Briefcase",
        "attributes": [ObjectAttributeView.example],
        "recordCount": 12,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }
