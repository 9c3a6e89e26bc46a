"""Custom fields on the wire: definitions as callers send them, in the words of any of the documents, and their types."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.custom_field import (
    AllowMultiple,
    CustomFieldDetails,
    FieldName,
    Folder,
    InScope,
    Key,
    MaxLength,
    OfContactType,
    OfEntity,
    Options,
    Required,
    SortOrder,
)
from domain.custom_field_type import FieldType
from domain.kernel import JSON, Value
from domain.kernel.types import Name
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version

GivenType = Annotated[
    FieldType | Literal["multiselect"],
    Meta(description="What its values are; `multiselect` is another name for `multi_select`."),
]
Tag = Annotated[Key, Meta(description="Another name for `key`.")]
Label = Annotated[Name, Meta(description="What people call it; with it, `name` is the key where no `key` is given.")]
OtherType = Annotated[GivenType, Meta(description="Another name for `type`.")]
Workspace = Annotated[str, Meta(description="The id of the workspace that it is of: the caller's, and no other.")]


class NewCustomField(Value, forbid_unknown_fields=True):
    """A field to define. ``key`` and ``type`` must be given, by one of their names."""

    name: FieldName
    key: Key | None = None
    tag: Tag | None = None
    label: Label | None = None
    type: GivenType | None = None
    field_type: OtherType | None = None
    entity: Annotated[
        OfEntity | None,
        Meta(description="What has it; with `contactType`, `tag` or `label` it is contacts unless given."),
    ] = None
    contact_type: OfContactType | None = None
    required: Required = False
    options: Options | None = None
    allow_multiple: AllowMultiple = False
    max_length: MaxLength | None = None
    scope: InScope = "workspace"
    workspace_id: Workspace | None = None
    folder: Folder | None = None
    sort_order: SortOrder = 0


class CustomFieldPatch(Value, forbid_unknown_fields=True):
    """What to change. ``type``, ``key`` and whether several can be selected stay while there is data in the field."""

    name: FieldName | UnsetType = UNSET
    label: Label | UnsetType = UNSET
    key: Key | UnsetType = UNSET
    tag: Tag | UnsetType = UNSET
    type: GivenType | UnsetType = UNSET
    field_type: OtherType | UnsetType = UNSET
    entity: Annotated[OfEntity | UnsetType, Meta(description="It stays what it is.")] = UNSET
    contact_type: Annotated[OfContactType | UnsetType | None, Meta(description="It stays what it is.")] = UNSET
    required: Required | UnsetType = UNSET
    options: Options | UnsetType | None = UNSET
    allow_multiple: AllowMultiple | UnsetType = UNSET
    max_length: MaxLength | UnsetType | None = UNSET
    scope: InScope | UnsetType = UNSET
    folder: Folder | UnsetType | None = UNSET
    sort_order: SortOrder | UnsetType = UNSET


class CustomFieldView(CustomFieldDetails, kw_only=True):
    """A custom field."""

    id: Id
    workspace_id: Annotated[UUID | None, Meta(description="The workspace, where that is its scope.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0110",
        "name": "Membership Level",
        "key": "membership_level",
        "type": "select",
        "entity": "contact",
        "contactType": "person",
        "required": False,
        "options": ["gold", "silver", "bronze"],
        "allowMultiple": False,
        "maxLength": None,
        "integrationId": None,
        "scope": "workspace",
        "workspaceId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "folder": "Membership",
        "sortOrder": 0,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }


class FieldTypeView(Value):
    """A type that a custom field can have."""

    value: Annotated[FieldType, Meta(description="What definitions say.")]
    name: Annotated[str, Meta(description="What people are shown.")]

    example: ClassVar[JSON] = {"value": "boolean", "name": "True / False"}


class ValueOfField(Value, forbid_unknown_fields=True):
    """A value of a custom field; null takes it away."""

    value: Annotated[
        str | int | float | bool | list[str | int | float | bool | None] | None,
        Meta(description="Text, a number, true, false, or a list of these; null takes it away."),
    ]
