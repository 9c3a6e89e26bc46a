"""A tag: a name, unique in its workspace, that contacts can bear."""

from __future__ import annotations

from collections.abc import Container
from dataclasses import replace
from itertools import count
from typing import Annotated, Any
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value, values
from domain.kernel.fields import Kept
from domain.kernel.record import record
from domain.kernel.types import Color


def tag_name(value: str) -> str:
    """One line of at most 100 characters."""
    return values.text(value, 100)


def tag_slug(value: str) -> str:
    """As long as a name and its number may become."""
    return values.text(value, 2000)


Name = Annotated[str, Kept(tag_name), Meta(description="Its name.")]
Slug = Annotated[
    str,
    Meta(
        description="The name in lower case letters and digits, joined by hyphens; with a number where that is another's."
    ),
]
HexColor = Annotated[Color, Meta(description="A hex colour, such as `#1a7f37`.")]


class TagDetails(Value):
    name: Name
    slug: Slug
    color: HexColor | None


class TagChanges(Value):
    """The fields of a tag that can change."""

    name: Name | UnsetType = UNSET
    slug: Slug | UnsetType = UNSET
    color: HexColor | UnsetType | None = UNSET


class Tag(TagDetails, State):
    """What contacts can bear."""


class TagRef(Value):
    """A tag as other streams name it: its id, and its name at that moment."""

    id: Annotated[UUID, Meta(description="Its id.")]
    name: Annotated[str, Meta(description="Its name at that moment.")]


class CreateTag(Command):
    """A tag to create."""

    name: Name
    color: HexColor | None = None


class UpdateTag(Command):
    """What to change."""

    name: Name | UnsetType = UNSET
    color: HexColor | UnsetType | None = UNSET


class CreateSluggedTag(CreateTag, kw_only=True):
    """A tag to create, with a slug that is no other's."""

    slug: Annotated[Slug, Kept(tag_slug)]


class UpdateSluggedTag(UpdateTag, kw_only=True):
    """A new name, with a slug that is no other's."""

    slug: Annotated[Slug, Kept(tag_slug)]


class DeleteTag(Command):
    """The contacts that bear the tag lose it."""


class TagCreated(TagDetails, Event, name="tag.created", action="created"):
    """A tag was made."""


class TagUpdated(Event, name="tag.updated", action="updated"):
    """The tag's name or colour changed."""

    changed: TagChanges
    previous: TagChanges


class TagDeleted(Event, name="tag.deleted", action="deleted"):
    """Nothing but the fact: what it was is in the events before."""


def free_slug(name: str, taken: Container[str]) -> str:
    """The slug of a name, with the first number from 2 that makes it one of its own: ``vip-gold-2``."""
    plain = values.slug(name)
    numbered = (f"{plain}-{number}" for number in count(2))
    return plain if plain not in taken else next(slug for slug in numbered if slug not in taken)


def _slug(fields: dict[str, Any]) -> dict[str, Any]:
    return {"slug": fields.get("slug") or values.slug(fields["name"])} if "name" in fields else {}


TAG = replace(
    record(
        "tag",
        state=Tag,
        create=CreateTag,
        update=UpdateTag,
        delete=DeleteTag,
        created=TagCreated,
        updated=TagUpdated,
        deleted=TagDeleted,
        derived=_slug,
    ),
    commands=(CreateTag, CreateSluggedTag, UpdateTag, UpdateSluggedTag, DeleteTag),
)
