"""The keys of those whom a unit of work writes about: looked up when they are needed, made with a person's first event."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Mapping
from typing import Any, Final, LiteralString, TypeVar
from uuid import UUID

import psycopg

from domain.kernel import Decider, Event, State
from domain.kernel.fields import Reference
from domain.kernel.personal import others, personal, repeated, without
from eventstore.append import NewKey
from eventstore.database import Db
from eventstore.recordset import insert_many
from eventstore.rows import Registry
from eventstore.sealing import KEY_BYTES

_LOOK: Final[LiteralString] = "SELECT person_id, key FROM person_keys WHERE workspace_id = %s AND person_id = ANY(%s)"
_MISSING: Final[LiteralString] = """
    INSERT INTO person_keys (workspace_id, person_id, key)
    SELECT h.workspace_id, made.* FROM log_heads h, unnest(%s::uuid[], %s::bytea[]) AS made WHERE h.workspace_id = %s
    ON CONFLICT DO NOTHING
"""
_DESTROY: Final[LiteralString] = "DELETE FROM person_keys WHERE workspace_id = %s AND person_id = ANY(%s)"
# A text is as it was last written; in a map, each key was by itself. Of nearly all streams every event tells of the same,
# which is looked at first; and keys are looked up by whom they are of, as else all of the workspace's would be gone through.
_WRITTEN: Final[LiteralString] = """
    SELECT DISTINCT written.name, k.person_id FROM (
        SELECT wanted.name, wanted.map, e.data, row_number() OVER (PARTITION BY wanted.name ORDER BY e.version DESC) AS back
        FROM unnest(%(names)s::text[], %(maps)s::boolean[]) AS wanted (name, map)
        JOIN events e ON e.workspace_id = %(workspace)s AND e.stream_id = %(stream)s AND (
            e.data->'$sealed'->'fields' ?| ARRAY[wanted.name, 'changed.' || wanted.name]
            OR e.data ? wanted.name OR e.data->'changed' ? wanted.name)
    ) AS written
    CROSS JOIN LATERAL unnest(translate(written.data->'$sealed'->>'persons', '[]" ', '{}')::uuid[]) AS told (person_id)
    JOIN person_keys k ON k.workspace_id = %(workspace)s AND k.person_id = told.person_id
    WHERE EXISTS (
        SELECT FROM events e WHERE e.workspace_id = %(workspace)s AND e.stream_id = %(stream)s
        AND NOT coalesce(e.data->'$sealed'->'persons', '[]') <@ to_jsonb(%(whom)s::uuid[])
    ) AND (written.back = 1 OR written.map) AND told.person_id <> ALL(%(whom)s::uuid[])
"""
_COLUMNS: Final = {"person_id": "uuid", "key": "bytea"}

E = TypeVar("E", bound=Event)


class PersonKeys:
    """Of one unit of work. A key that is in use is held, so that it is not destroyed before what it seals is written."""

    def __init__(self, conn: Db, rows: Registry) -> None:
        self._conn = conn
        self._rows = rows
        self._known: dict[UUID, bytes] = {}
        self._made: dict[UUID, bytes] = {}
        self._leading: dict[str, list[Reference]] = {}
        self._asked: list[psycopg.Cursor[Any]] = []
        self._asked_for: set[UUID] = set()
        self.besides: frozenset[UUID] = frozenset()
        """Persons whom all is about that is written, whatever it is."""

    def whom(
        self, decider: Decider[Any, Any, Any], stream_id: UUID, before: State | None, after: State | None
    ) -> set[UUID]:
        """The persons whom a stream tells of, as it was and as it is."""
        found = {stream_id} if decider.person else set()
        for reference in self._to_persons(decider.stream_type):
            found.update(reference.ids(before), reference.ids(after))
        return found

    def _to_persons(self, kind: str) -> list[Reference]:
        """The references of a kind of stream that lead to persons."""
        if kind not in self._leading:
            references = self._rows[kind].references
            self._leading[kind] = [one for one in references if self._rows[one.to.kind].decider.person]
        return self._leading[kind]

    def about(self, event: Event, whom: set[UUID]) -> set[UUID]:
        """And those whom the event names besides."""
        besides = others(type(event))
        if not besides and not self.besides:
            return whom
        return whom.union((getattr(event, name) for name in besides), self.besides)

    def told(self, decider: Decider[Any, Any, Any], stream_id: UUID, event: E, whom: set[UUID]) -> tuple[E, set[UUID]]:
        """An event of a stream that goes on, and whom it tells of. What was written while the stream told of others is theirs
        still: what was before is not repeated then, so that what is new stays when they are erased; of what the event tells
        besides, it tells of them, too.
        """
        names = {} if decider.person or not self._to_persons(decider.stream_type) else repeated(event)
        written = self._written(stream_id, names, whom) if names else {}
        if not written:
            return event, whom
        restated = [persons for name, persons in written.items() if name in personal(type(event)).masks]
        return without(event, written), whom.union(*restated)

    def _written(self, stream_id: UUID, names: Mapping[str, bool], whom: set[UUID]) -> dict[str, set[UUID]]:
        """The persons, but for these, of whom fields of a stream were written that stand in it; erased ones are none."""
        params = {"names": [*names], "maps": [*names.values()], "stream": stream_id, "whom": list(whom)}
        found: dict[str, set[UUID]] = {}
        for name, person_id in self._conn.execute(_WRITTEN, {"workspace": self._conn.workspace_id, **params}):
            found.setdefault(name, set()).add(person_id)
        return found

    def began(self, person_id: UUID) -> None:
        """A person of whom nothing was known before."""
        self._known[person_id] = self._made[person_id] = os.urandom(KEY_BYTES)

    def ask(self, persons: Iterable[UUID]) -> None:
        """Has their keys looked up along with whatever is asked next."""
        if unknown := [person for person in persons if person not in self._known and person not in self._asked_for]:
            self._asked_for.update(unknown)
            self._asked.append(self._conn.execute(_LOOK, (self._conn.workspace_id, unknown)))

    def of(self, persons: Collection[UUID]) -> dict[UUID, bytes]:
        """Their keys; who has none yet is given one."""
        try:
            return {person: self._known[person] for person in persons}
        except KeyError:
            return self._found(set(persons))

    def _found(self, wanted: set[UUID]) -> dict[UUID, bytes]:
        self.ask(wanted)
        self._answered()
        if without := sorted(person for person in wanted if person not in self._known):
            keys = [os.urandom(KEY_BYTES) for _ in without]
            self._conn.execute(_MISSING, (without, keys, self._conn.workspace_id))
            self._asked_for.difference_update(without)
            self.ask(without)
            self._answered()
        return {person: self._known[person] for person in wanted}

    def _answered(self) -> None:
        for cursor in self._asked:
            self._known.update({person: bytes(key) for person, key in cursor.fetchall()})
        self._asked.clear()

    def write(self, begun: set[UUID], *, bulk: bool) -> NewKey | None:
        """Writes the keys of those who began, and of whom something is written; one alone it answers: the append takes it along.

        Who has a key already is no new person: that is an error, as nothing could ever be opened that is sealed with another.
        """
        rows = [NewKey(person, key) for person, key in self._made.items() if person in begun]
        self._made.clear()
        if len(rows) == 1 and not bulk:
            return rows[0]
        if rows:
            insert_many(self._conn, "person_keys", _COLUMNS, rows)
        return None

    def destroy(self, persons: Iterable[UUID]) -> None:
        """For good: nothing that is sealed with them can be opened from here on."""
        self._conn.execute(_DESTROY, (self._conn.workspace_id, list(persons)))
