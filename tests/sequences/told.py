"""What a log tells, worked out anew and in the simplest way: how everything stood behind each of its entries."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from domain.catalogue import DECIDERS
from domain.kernel import State
from domain.kernel.fields import defined_fields
from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.rows import Current
from projections.catalogue import ROWS
from schemas.log import LogEntry

MAPPER = EventMapper()


@dataclass
class Told:
    """By kind and id, what stands; ``follow`` goes on by one entry, and holds references to be to what stands."""

    standing: dict[str, dict[UUID, Current[Any]]] = field(default_factory=lambda: {kind: {} for kind in DECIDERS})
    versions: Counter[UUID] = field(default_factory=Counter)
    begun: dict[UUID, datetime] = field(default_factory=dict)

    def follow(self, entry: LogEntry) -> None:
        kind, stream_id = entry.stream.type, entry.stream.id
        before = self.standing[kind].get(stream_id)
        event = MAPPER.decode(stream_id, entry.type, msgspec.json.encode(entry.data))
        state = DECIDERS[kind].evolve(None if before is None else before.state, event)
        self.versions[stream_id] += 1
        assert entry.version == self.versions[stream_id]
        now = datetime.fromisoformat(entry.meta.occurred_at)
        began = self.begun.setdefault(stream_id, now)
        if state is None:
            if before is None:
                assert entry.type == "contact.erased", "only what is erased may have been deleted before"
                return
            del self.standing[kind][stream_id]
            self._is_let_go_of(kind, ROWS[kind].key_of(before), before)
        else:
            current = Current(stream_id, state, entry.version, began, now)
            self.standing[kind][stream_id] = current
            for to, key, name in refers(kind, current):
                assert key in self.keys(to), f"seq {entry.seq}: {kind}.{name} refers to a {to} that there is not"
            self._values_refer(kind, current, before)

    def keys(self, kind: str) -> set[UUID]:
        return {ROWS[kind].key_of(current) for current in self.standing[kind].values()}

    def counts(self) -> dict[str, int]:
        """How many there are of each kind, and how many refer to each thing by a field that counts."""
        found: Counter[str] = Counter({kind: len(streams) for kind, streams in self.standing.items()})
        for kind, streams in self.standing.items():
            for reference in ROWS[kind].references:
                if reference.to.counted:
                    ids = (key for current in streams.values() for key in reference.ids(current.state))
                    found.update(f"{kind}.{reference.field}:{key}" for key in ids)
        return {name: number for name, number in found.items() if number}

    def _is_let_go_of(self, kind: str, key: UUID, ended: Current[Any]) -> None:
        for by, streams in self.standing.items():
            for current in streams.values():
                found = [name for to, held, name in refers(by, current) if (to, held) == (kind, key)]
                assert not found, f"a {kind} has ended that a {by} has as {found}"
                found = [name for to, held, name in self._by_value(by, current) if (to, held) == (kind, key)]
                assert not found, f"a {kind} has ended that is the value of {found} of a {by}"
        for of, name, by in maps():
            if by == kind and ended.state.entity == of:
                left = [one.id for one in self.standing[of].values() if ended.state.key in getattr(one.state, name)]
                assert not left, f"a {kind} has ended of which {of}s have values"

    def _values_refer(self, kind: str, current: Current[Any], before: Current[Any] | None) -> None:
        """What was there before its field was defined may be anything."""
        known = set() if before is None else {(to, key) for to, key, _ in self._by_value(kind, before)}
        for to, key, name in self._by_value(kind, current):
            assert (to, key) in known or key in self.keys(to), f"{kind}.{name} is the id of no {to}"

    def _by_value(self, kind: str, current: Current[Any]) -> Iterator[tuple[str, UUID, str]]:
        for of, name, by in maps():
            for definition in self.standing[by].values() if of == kind else ():
                value = getattr(current.state, name).get(definition.state.key)
                if definition.state.refers and definition.state.entity == kind and is_id(value):
                    yield definition.state.refers, UUID(value), f"{name}.{definition.state.key}"


def maps() -> Iterator[tuple[str, str, str]]:
    """The fields that hold what workspaces define: of which kind of stream, their name, and the kind that defines."""
    for kind, decider in DECIDERS.items():
        state: type[State] = decider.state
        for found in defined_fields(state):
            yield kind, found.name, found.by


def refers(kind: str, current: Current[Any]) -> Iterator[tuple[str, UUID, str]]:
    """To what a thing refers: the kind, the id, and the field."""
    for reference in ROWS[kind].references:
        for key in reference.ids(current.state):
            yield reference.to.kind, key, reference.field


def is_id(value: Any) -> bool:
    try:
        return isinstance(value, str) and str(UUID(value)) == value
    except ValueError:
        return False


def told(entries: Sequence[LogEntry]) -> Told:
    found = Told()
    for entry in entries:
        found.follow(entry)
    return found


def stored_rows(owner: Db, workspace: UUID, kind: str) -> dict[UUID, dict[str, Any]]:
    """Whole rows by column, with the state as what it says."""
    table = ROWS[kind]
    rows = owner.execute(
        f"SELECT {', '.join(table.names)} FROM {table.table} WHERE workspace_id = %s".encode(), (workspace,)
    )
    found = (dict(zip(table.names, row, strict=True)) for row in rows.fetchall())
    return {row["id"]: row | {"state": msgspec.convert(row["state"], table.decider.state)} for row in found}


def wanted_rows(workspace: UUID, kind: str, streams: dict[UUID, Current[Any]]) -> dict[UUID, dict[str, Any]]:
    """As they must be for what stands."""
    table = ROWS[kind]
    return {
        stream_id: {
            name: msgspec.json.decode(value) if form == "jsonb" and value is not None else value
            for (name, form), value in zip(table.kinds.items(), table.values(workspace, current), strict=True)
        }
        | {"state": current.state}
        for stream_id, current in streams.items()
    }


def stored_counts(owner: Db, workspace: UUID) -> dict[str, int]:
    query = "SELECT kind, n FROM row_counts WHERE workspace_id = %s AND n <> 0"
    return dict(owner.execute(query, (workspace,)).fetchall())
