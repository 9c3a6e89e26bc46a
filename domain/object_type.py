"""An object type: a kind of thing of the workspace's own, such as projects or leases, of which there are records."""

from __future__ import annotations

import re
from typing import Annotated, Final
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value
from domain.kernel.fields import Kept
from domain.kernel.record import record
from domain.kernel.types import Line, Name

_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9_\-]{0,63}\Z")


def slug(value: str) -> str:
    """What can stand in a path as it is: 1 to 64 lower case letters of ASCII, digits, ``-`` or ``_``."""
    found = value.strip().lower()
    if not _SLUG.match(found):
        raise ValueError("must be 1 to 64 letters, digits, '-' or '_', beginning with a letter or digit")
    if is_id(found):
        raise ValueError("must not be written as an id is")
    return found


def is_id(given: str) -> bool:
    """Whether a path names a type by its id, not by its slug."""
    try:
        UUID(given)
    except ValueError:
        return False
    return True


TypeName = Annotated[Name, Meta(description="What several of them are called, such as `Projects`.")]
Slug = Annotated[
    str, Kept(slug), Meta(description="What paths call it instead of its id, such as `projects`; in lower case.")
]
SingularName = Annotated[Line, Meta(description="What one of them is called, such as `Project`.")]
Icon = Annotated[Line, Meta(description="The name of the icon that people see, such as `Briefcase`.")]


class ObjectTypeDetails(Value):
    name: TypeName
    slug: Slug
    singular_name: SingularName | None = None
    icon: Icon | None = None


class ObjectTypeChanges(Value):
    """The fields of an object type that can change."""

    name: TypeName | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    singular_name: SingularName | UnsetType | None = UNSET
    icon: Icon | UnsetType | None = UNSET


class ObjectType(ObjectTypeDetails, State):
    """What there are records of."""


class CreateObjectType(ObjectTypeDetails, Command):
    """A kind of thing to define."""


class UpdateObjectType(ObjectTypeChanges, Command):
    """What to change."""


class DeleteObjectType(Command):
    """All that there is of it goes along."""


class ObjectTypeCreated(ObjectTypeDetails, Event, name="object_type.created", action="created"):
    """A kind of thing was defined."""


class ObjectTypeUpdated(Event, name="object_type.updated", action="updated"):
    """Fields of the object type changed."""

    changed: ObjectTypeChanges
    previous: ObjectTypeChanges


class ObjectTypeDeleted(Event, name="object_type.deleted", action="deleted"):
    """What it was is in the events before."""


OBJECT_TYPE = record(
    "object_type",
    state=ObjectType,
    create=CreateObjectType,
    update=UpdateObjectType,
    delete=DeleteObjectType,
    created=ObjectTypeCreated,
    updated=ObjectTypeUpdated,
    deleted=ObjectTypeDeleted,
)
