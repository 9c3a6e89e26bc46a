"""Records of object types on the wire: their values as people speak of them, amounts in whole units."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON, Value
from domain.kernel.filter import Group
from domain.kernel.values import CustomValue
from domain.object_record import Title
from domain.smart_list import Order, Words
from schemas.wire.page import DEFAULT_LIMIT, MAX_LIMIT
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version

GivenValues = Annotated[
    dict[str, CustomValue],
    Meta(
        description="Values by the key of their attribute, amounts in whole units of their currency. A key that is no"
        " attribute's takes any text, number, boolean, or list of these. In a PATCH they are merged by key, and null takes"
        " one away."
    ),
]


class NewObjectRecord(Value, forbid_unknown_fields=True):
    """A record to create."""

    title: Title
    attributes: GivenValues = msgspec.field(default_factory=dict)


class ObjectRecordPatch(Value, forbid_unknown_fields=True):
    """What to change."""

    title: Title | UnsetType = UNSET
    attributes: GivenValues | UnsetType = UNSET


class ObjectRecordView(Value, kw_only=True):
    """A record."""

    id: Id
    object_type_id: Annotated[UUID, Meta(description="The object type that it is of.")]
    title: Title
    attributes: Annotated[
        dict[str, Any],
        Meta(description="Values by the key of their attribute, amounts in whole units of their currency."),
    ]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0150",
        "objectTypeId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0130",
        "title": "New brewery",
        "attributes": {"Stage": "Planned", "Value": 42000.5},
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }


class ObjectRecordSearch(Value, forbid_unknown_fields=True):
    """Which records, and which of them to answer."""

    filter: Annotated[
        Group, Meta(description="What holds of them: of `title`, `createdAt` …, or `attributes.` and a key.")
    ] = Group(match="all")
    search: Words | None = None
    sort: Order | None = None
    limit: Annotated[int, Meta(ge=1, le=MAX_LIMIT, description="How many to answer.")] = DEFAULT_LIMIT
    offset: Annotated[int, Meta(ge=0, le=1_000_000, description="How many to skip.")] = 0
