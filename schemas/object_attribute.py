"""Attributes of object types on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.custom_field import MaxLength, Options, SortOrder
from domain.kernel import JSON, Value
from domain.object_attribute import (
    AttributeName,
    Key,
    ObjectAttributeDetails,
    OfCurrency,
    RelatedTo,
    Required,
    Type,
)
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewAttribute(Value, forbid_unknown_fields=True):
    """An attribute to define. What is not of its type is left out."""

    name: AttributeName
    type: Type
    key: Annotated[
        Key | None, Meta(description="Under which key records have values of it; its name unless given.")
    ] = None
    required: Required = False
    options: Options | None = None
    max_length: MaxLength | None = None
    currency: OfCurrency | None = None
    related_to: RelatedTo | None = None
    sort_order: SortOrder | None = None


class ObjectAttributeView(ObjectAttributeDetails, kw_only=True):
    """An attribute of an object type."""

    id: Id
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0140",
        "objectTypeId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0130",
        "name": "Stage",
        "key": "Stage",
        "type": "select",
        "required": False,
        "options": ["Planned", "Running", "Done"],
        "maxLength": None,
        "currency": None,
        "relatedTo": None,
        "sortOrder": 0,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }
