"""A tag: a name, unique in its workspace, that contacts can bear."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.kernel import Command, Event, State, Value, values
from domain.kernel.check import Check
from domain.kernel.record import record


class Tag(State):
    name: str
    slug: str
    color: str | None = None


class TagRef(Value):
    """A tag as other streams name it: its id, and its name at that moment."""

    id: UUID
    name: str


class CreateTag(Command):
    name: str
    color: str | None = None


class UpdateTag(Command):
    name: str | UnsetType = UNSET
    color: str | UnsetType | None = UNSET


class DeleteTag(Command):
    """The contacts that bear the tag lose it in the same unit of work (``application/tag.py``)."""


class TagChanges(Value):
    name: str | UnsetType = UNSET
    slug: str | UnsetType = UNSET
    color: str | UnsetType | None = UNSET


class TagCreated(Event, name="tag.created", action="created"):
    name: str
    slug: str
    color: str | None


class TagUpdated(Event, name="tag.updated", action="updated"):
    changed: TagChanges
    previous: TagChanges


class TagDeleted(Event, name="tag.deleted", action="deleted"):
    """Nothing but the fact: what it was is in the events before."""


def tag_name(value: str) -> str:
    """One line of at most 100 characters."""
    return values.text(value, 100)


def _created(command: CreateTag) -> TagCreated:
    check = Check()
    name = check.field("name", tag_name, command.name)
    color = check.optional("color", values.color, command.color)
    check.done()
    assert name is not None
    return TagCreated(name=name, slug=values.slug(name), color=color)


def _changes(command: UpdateTag) -> TagChanges:
    check = Check()
    name = UNSET if command.name is UNSET else check.field("name", tag_name, command.name)
    color = check.given("color", values.color, command.color)
    check.done()
    if isinstance(name, str):
        return TagChanges(name=name, slug=values.slug(name), color=color)
    return TagChanges(color=color)


TAG = record(
    "tag",
    state=Tag,
    create=CreateTag,
    created=_created,
    update=UpdateTag,
    changes=_changes,
    updated=lambda changed, previous: TagUpdated(changed=changed, previous=previous),
    delete=DeleteTag,
    deleted=TagDeleted,
    events=(TagCreated, TagUpdated, TagDeleted),
)
