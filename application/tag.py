"""Tags: found or made by name."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from uuid import UUID

from domain.kernel import invalid
from domain.kernel.check import Check
from domain.kernel.values import folded
from domain.tag import TAG, CreateTag, Tag, TagRef, UpdateTag, tag_name
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
    unit.write_rows()
    found = tags.by_names(unit.conn, list(wanted.values()))
    if len(found) < len(wanted):
        tags.lock_names(unit.conn, [key for key in wanted if key not in found])
        found = tags.by_names(unit.conn, list(wanted.values()))
    unit.held(TAG.stream_type, (ref.id for ref in found.values()))
    made = {key: _made(unit, name) for key, name in wanted.items() if key not in found}
    return list({ref.id: ref for key in wanted for ref in (found.get(key) or made[key],)}.values())


def _made(unit: Work, name: str) -> TagRef:
    current = unit.begin(TAG, new_id(), CreateTag(name=name))
    return TagRef(id=current.id, name=current.state.name)


def existing(unit: Work, ids: Sequence[UUID], field: str = "tagIds") -> list[TagRef]:
    """The tags of these ids; refuses ids that are no tags of the workspace."""
    if len(ids) > MAX_NAMES:
        raise invalid(field, f"must have at most {MAX_NAMES} entries")
    unit.hold(TAG.stream_type, ids, field)
    found = unit.load(TAG, ids)
    return [TagRef(id=tag_id, name=found[tag_id].state.name) for tag_id in dict.fromkeys(ids)]


def shown(unit: Work, ids: Iterable[UUID]) -> list[TagView]:
    """Tags as contacts show them, those that this unit of work has made or changed included."""
    wanted = list(ids)
    fresh = {
        current.id: TagView(id=current.id, name=current.state.name, slug=current.state.slug, color=current.state.color)
        for tag_id in wanted
        if (current := unit.loaded.get(tag_id)) is not None and isinstance(current.state, Tag)
    }
    known = fresh | tags.refs(unit.conn, [tag_id for tag_id in wanted if tag_id not in unit.loaded])
    return [known[tag_id] for tag_id in wanted if tag_id in known]


def create(unit: Work, command: CreateTag) -> Current[Tag]:
    """A new tag; refuses with ``conflict`` where the name is another's."""
    _lock_name(unit, command.name)
    return unit.begin(TAG, new_id(), command)


def update(unit: Work, tag_id: UUID, command: UpdateTag, *, if_version: int | None = None) -> Current[Tag]:
    if isinstance(command.name, str):
        _lock_name(unit, command.name)
    unit.execute(TAG, tag_id, command, if_version=if_version)
    return unit.get(TAG, tag_id)


def _lock_name(unit: Work, name: str) -> None:
    with suppress(ValueError):  # the decider says what is wrong with the name
        tags.lock_names(unit.conn, [folded(tag_name(name))])


def view(unit: Work, tag: Current[Tag]) -> TagView:
    return tags.views(unit.conn, [tag])[0]
