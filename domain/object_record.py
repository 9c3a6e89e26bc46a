"""A record of an object type: a title, and values of the attributes that its type has."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value, values
from domain.kernel.fields import Defined, Kept, Refers
from domain.kernel.record import record
from domain.kernel.types import Name
from domain.kernel.values import CustomValue

ObjectTypeId = Annotated[
    UUID, Refers("object_type", on_end="cascade", counted=True), Meta(description="The object type that it is of.")
]
Title = Annotated[Name, Meta(description="What it is called.")]
Attributes = Annotated[
    dict[str, CustomValue],
    Kept(values.custom_fields),
    Defined("object_attribute", within="object_type_id"),
    Meta(
        description="Values by the key of their attribute, amounts in the smallest unit of their currency; a key that is no"
        " attribute's takes any text, number, boolean, or list of these. In changes, null stands for none."
    ),
]


class ObjectRecordDetails(Value):
    object_type_id: ObjectTypeId
    title: Title
    attributes: Attributes = msgspec.field(default_factory=dict)


class ObjectRecordChanges(Value):
    """The fields of a record that can change."""

    title: Title | UnsetType = UNSET
    attributes: Attributes | UnsetType = UNSET


class ObjectRecord(ObjectRecordDetails, State):
    """One of the things that an object type says there are."""


class CreateObjectRecord(ObjectRecordDetails, Command):
    """A record to create."""


class UpdateObjectRecord(ObjectRecordChanges, Command):
    """What to change."""


class DeleteObjectRecord(Command):
    """For good: the row goes; what happened stays in the log."""


class ObjectRecordCreated(ObjectRecordDetails, Event, name="object_record.created", action="created"):
    """A record was made."""


class ObjectRecordUpdated(Event, name="object_record.updated", action="updated"):
    """Its title or values changed."""

    changed: ObjectRecordChanges
    previous: ObjectRecordChanges


class ObjectRecordDeleted(Event, name="object_record.deleted", action="deleted"):
    """What it was is in the events before."""


OBJECT_RECORD = record(
    "object_record",
    state=ObjectRecord,
    create=CreateObjectRecord,
    update=UpdateObjectRecord,
    delete=DeleteObjectRecord,
    created=ObjectRecordCreated,
    updated=ObjectRecordUpdated,
    deleted=ObjectRecordDeleted,
)
