"""Tags: found or made by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from uuid import UUID

from domain.kernel import invalid, values
from domain.kernel.check import Check
from domain.kernel.values import folded
from domain.tag import (
    TAG,
    CreateSluggedTag,
    CreateTag,
    Tag,
    TagRef,
    UpdateSluggedTag,
    UpdateTag,
    free_slug,
    tag_name,
)
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import tag as tags
from schemas.tag import TagView

MAX_NAMES = 100


def named(unit: Work, names: Sequence[str], field: str = "tags") -> list[TagRef]:
    """The tags of these names (or slugs), in order and each once; those that don't exist are made."""
    if len(names) > MAX_NAMES:
        raise invalid(field, f"must have at most {MAX_NAMES} entries")
    check = Check()
    wanted: dict[str, str] = {}
    for given in names:
        if name := check.field(field, tag_name, given):
            wanted.setdefault(folded(name), name)
    check.done()
    if not wanted:
        return []
    found = standing(unit, list(wanted.values()))
    made = _all_made(unit, {key: name for key, name in wanted.items() if key not in found})
    return list({ref.id: ref for key in wanted for ref in (found.get(key) or made[key],)}.values())


def standing(unit: Work, names: Sequence[str]) -> dict[str, TagRef]:
    """Of these names the tags that there are, held, by folded name; of the others nobody else makes one meanwhile."""
    unit.write_rows()
    found = tags.by_names(unit.conn, names)
    if missing := [name for name in names if folded(name) not in found]:
        tags.lock_names(unit.conn, missing)
        found = tags.by_names(unit.conn, names)
    unit.held(TAG.stream_type, found.values())
    return {key: TagRef(id=tag.id, name=tag.state.name) for key, (tag, _) in found.items()}


def _all_made(unit: Work, names: Mapping[str, str]) -> dict[str, TagRef]:
    """New tags of these names, which are locked, by folded name."""
    taken = tags.taken(unit.conn, names.values()) if names else set()
    return {key: made(unit, name, taken) for key, name in names.items()}


def made(unit: Work, name: str, taken: set[str]) -> TagRef:
    """A new tag; its slug is none of ``taken``, and then one of them."""
    slug = free_slug(name, taken)
    taken.add(slug)
    current = unit.begin(TAG, new_id(), CreateSluggedTag(name=name, slug=slug))
    return TagRef(id=current.id, name=current.state.name)


def existing(unit: Work, ids: Sequence[UUID], field: str = "tagIds") -> list[TagRef]:
    """The tags of these ids; refuses ids that are no tags of the workspace."""
    if len(ids) > MAX_NAMES:
        raise invalid(field, f"must have at most {MAX_NAMES} entries")
    unit.standing.hold(TAG.stream_type, ids, field)
    found = unit.load(TAG, ids)
    return [TagRef(id=tag_id, name=found[tag_id].state.name) for tag_id in dict.fromkeys(ids)]


def shown(unit: Work, ids: Iterable[UUID]) -> list[TagView]:
    """Tags as contacts show them, those that this unit of work has made or changed included."""
    wanted = list(ids)
    fresh = {
        current.id: TagView(id=current.id, name=current.state.name, slug=current.state.slug, color=current.state.color)
        for tag_id in wanted
        if (current := unit.at_hand(TAG, tag_id)) is not None
    }
    known = fresh | tags.refs(unit.conn, [tag_id for tag_id in wanted if (TAG.stream_type, tag_id) not in unit.loaded])
    return [known[tag_id] for tag_id in wanted if tag_id in known]


def create(unit: Work, command: CreateTag) -> Current[Tag]:
    """A new tag; refuses with ``conflict`` where the name is another's."""
    if (name := _name(command.name)) is None:
        return unit.begin(TAG, new_id(), command)
    slug = free_slug(name, _taken(unit, name))
    return unit.begin(TAG, new_id(), CreateSluggedTag(name=name, color=command.color, slug=slug))


def update(unit: Work, tag_id: UUID, command: UpdateTag, *, if_version: int | None = None) -> Current[Tag]:
    """Changes the given fields; a tag keeps its slug as long as its name asks for no other."""
    if isinstance(command.name, str) and (name := _name(command.name)) is not None:
        taken, own = _taken(unit, name), unit.get(TAG, tag_id).state
        slug = own.slug if values.slug(name) == values.slug(own.name) else free_slug(name, taken - {own.slug})
        command = UpdateSluggedTag(name=name, color=command.color, slug=slug)
    unit.execute(TAG, tag_id, command, if_version=if_version)
    return unit.get(TAG, tag_id)


def _name(given: str) -> str | None:
    """None where it is not acceptable: the decider says what is wrong with it."""
    with suppress(ValueError):
        return tag_name(given)
    return None


def _taken(unit: Work, name: str) -> set[str]:
    """The slugs that a tag of this name cannot have; none becomes another's until the transaction ends."""
    tags.lock_names(unit.conn, [name])
    return tags.taken(unit.conn, [name])


def view(unit: Work, tag: Current[Tag]) -> TagView:
    return tags.views(unit.conn, [tag])[0]
