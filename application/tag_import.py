"""The tags that a chunk of rows brings: looked up once for all rows, and made with the first row that needs them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from application.importing.importer import Entry, Plan
from application.tag import made, standing
from domain.kernel import FieldError, invalid
from domain.kernel.values import folded
from domain.tag import TAG, TagRef, tag_name
from eventstore.work import Work
from projections import tag as tags


class ChunkTags:
    """``of_all`` are the plan's tags; one that has gone since the import began, or is on its way out, is not among them."""

    def __init__(self, unit: Work, plan: Plan, chunk: Sequence[Entry]) -> None:
        self._unit = unit
        self._plan = plan
        self._rows = f"rows {chunk[0].number} to {chunk[-1].number}" if chunk else "rows"
        self._names: dict[str, str | ValueError] = {}
        self._taken: set[str] = set()
        for name in {name for entry in chunk for name in entry.tags}:
            try:
                self._names[name] = tag_name(name)
            except ValueError as error:
                self._names[name] = error
        self._by_key = self._found([name for name in self._names.values() if isinstance(name, str)])
        wanted = {*plan.tag_ids, *(tag_id for entry in chunk for tag_id in entry.tag_ids)}
        self._by_id = self._standing(list(wanted))
        self.of_all = [self._by_id[tag_id] for tag_id in plan.tag_ids if tag_id in self._by_id]

    def lost(self) -> list[FieldError]:
        """The plan's tags that are not among ``of_all``, and which rows that is of."""
        names = zip(self._plan.tag_ids, self._plan.tag_names, strict=True)
        return [
            FieldError(field="tags", message=f"{name!r} was deleted meanwhile; {self._rows} are without it")
            for tag_id, name in names
            if tag_id not in self._by_id
        ]

    def _found(self, names: list[str]) -> dict[str, TagRef]:
        if not names:
            return {}
        found = standing(self._unit, names)
        if missing := [name for name in names if folded(name) not in found]:
            self._taken = tags.taken(self._unit.conn, missing)
        return found

    def _standing(self, ids: list[UUID]) -> dict[UUID, TagRef]:
        standing = self._unit.standing.of(TAG.stream_type, ids)
        found = self._unit.load(TAG, [tag_id for tag_id in ids if tag_id in standing])
        return {tag_id: TagRef(id=tag_id, name=tag.state.name) for tag_id, tag in found.items()}

    def named(self, names: Sequence[str]) -> list[TagRef]:
        return [self._named(name) for name in names]

    def _named(self, written: str) -> TagRef:
        name = self._names[written]
        if isinstance(name, ValueError):
            raise invalid("tags", f"{written[:40]!r} {name}")
        key = folded(name)
        ref = self._by_key.get(key)
        # One that was made with a row that was then refused has gone with it.
        if ref is None or self._unit.loaded.get((TAG.stream_type, ref.id), ref) is None:
            ref = self._by_key[key] = made(self._unit, name, self._taken)
        return ref

    def existing(self, ids: Sequence[UUID]) -> list[TagRef]:
        missing = [str(tag_id) for tag_id in ids if tag_id not in self._by_id]
        if missing:
            raise invalid("tagIds", f"no such tag: {', '.join(missing[:5])}")
        return [self._by_id[tag_id] for tag_id in ids]
