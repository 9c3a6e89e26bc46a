"""Works out what a batch of the log does to a view's tables, for whoever carries it out: worker, rebuild or verify.

It speaks no SQL to a connection itself. First it says what it must read, then, given that, what is to be written.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import add
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from uuid import UUID

from eventstore.consuming import Batch, Entry
from eventstore.mapper import EventMapper, UnreadableEventError
from eventstore.sealing import READABLE, is_erased
from projections.view.view import Add, Amend, Drop, Effect, Moment, Put, Spread, Table, View, When

REMEMBERED: Final = 20_000
"""Streams whose states are remembered, in all workspaces together."""

_STREAMS: Final = f"""
    SELECT stream_id, version, type, {READABLE}, occurred_at, recorded_at FROM events
    WHERE workspace_id = %s AND stream_id = ANY(%s) AND seq <= %s ORDER BY stream_id, version
""".encode()


_Rows = dict[tuple[Any, ...], tuple[Any, ...] | None]
"""Of a table by key: what is put or added there; ``None``: it goes."""


class Statement(NamedTuple):
    text: bytes
    params: tuple[Any, ...]


class _Stood(NamedTuple):
    """What is known of a stream behind its event of this version."""

    version: int
    known: Any


_NOT_BEGUN: Final = _Stood(0, None)


@dataclass
class _Memory:
    """A workspace's streams as they stood at the end of a batch up to ``seq``, or, where they have grown since, before."""

    seq: int = 0
    streams: dict[UUID, _Stood] = field(default_factory=dict)


@dataclass(frozen=True)
class Kept:
    """What a batch comes to: the statements, the tables that they change, and what to ``remember`` once it is committed."""

    batch: Batch
    statements: list[Statement]
    tables: set[Table]
    streams: dict[UUID, _Stood]


class Keeper:
    """For one view; ``names`` are those of its tables where they are not the live ones.

    What is known of a stream is used for the version that it is of only, and nothing from behind the checkpoint (the database
    was put back to an earlier state): so whatever is remembered, the outcome is the same.
    """

    def __init__(self, view: View, names: Mapping[str, str] = MappingProxyType({})) -> None:
        self.view = view
        self._puts = {table: table.put(names.get(table.name, table.name)).encode() for table in view.tables}
        self._spreads = {
            table: table.spread(
                names.get(table.name, table.name), names.get(table.leads.name, table.leads.name)
            ).encode()
            for table in view.tables
            if table.leads is not None
        }
        self._amends = {
            table: table.amend(names.get(table.name, table.name)).encode() for table in view.tables if table.amended
        }
        self._drops = {table: table.drop(names.get(table.name, table.name)).encode() for table in view.tables}
        self._mapper = EventMapper()
        self._memories: dict[UUID, _Memory] = {}
        self._remembered = 0

    def unknown(self, batch: Batch) -> Statement | None:
        """What must be read for this batch: the past of streams whose states are not known. A new stream has none."""
        memory = self._memory(batch)
        first: dict[UUID, int] = {}
        erased: set[UUID] = set()
        for entry in batch.entries:
            if entry.stream_type in self.view.folds:
                first.setdefault(entry.stream_id, entry.version)
                if entry.data is not None and is_erased(entry.data):
                    erased.add(entry.stream_id)  # what is remembered may be what cannot be told any more
        missing = [
            stream_id
            for stream_id, version in first.items()
            if version > 1
            and (
                stream_id in erased or (known := memory.streams.get(stream_id)) is None or known.version != version - 1
            )
        ]
        return Statement(_STREAMS, (batch.workspace_id, missing, batch.after)) if missing else None

    def kept(self, batch: Batch, past: Iterable[Sequence[Any]]) -> Kept:
        """What the batch does to the tables, given the rows of what was ``unknown``."""
        streams = self._folded(batch, past)
        known = self._memory(batch).streams
        effects: dict[Table, _Effects] = {}
        for entry in batch.entries:
            moment = self._moment(batch, entry, streams, known)
            apply = self.view.applied(entry.type)
            for effect in apply(moment) if apply is not None else ():
                table = effect.table
                (effects.get(table) or effects.setdefault(table, _Effects(table))).take(effect)
        changed = {table for table, found in effects.items() if found.rows or found.spread or found.amended}
        return Kept(batch, [*self._statements(batch.workspace_id, effects)], changed, streams)

    def remember(self, kept: Kept) -> None:
        """What a batch that is committed now says of its streams."""
        if self._remembered + len(kept.streams) > REMEMBERED:
            self.forget()
        memory = self._memory(kept.batch)
        self._remembered -= len(self._memories.get(kept.batch.workspace_id, memory).streams)
        memory.streams.update(kept.streams)
        memory.seq = kept.batch.seq
        self._memories[kept.batch.workspace_id] = memory
        self._remembered += len(memory.streams)

    def forget(self) -> None:
        self._memories.clear()
        self._remembered = 0

    def _memory(self, batch: Batch) -> _Memory:
        memory = self._memories.get(batch.workspace_id)
        return memory if memory is not None and memory.seq <= batch.after else _Memory()

    def _folded(self, batch: Batch, past: Iterable[Sequence[Any]]) -> dict[UUID, _Stood]:
        kinds = {entry.stream_id: entry.stream_type for entry in batch.entries}
        streams: dict[UUID, _Stood] = {}
        for stream_id, version, event_type, data, *when in past:
            stood = streams.get(stream_id)
            event = self._mapper.decode(stream_id, event_type, data)
            fold = self.view.folds[kinds[stream_id]]
            streams[stream_id] = _Stood(
                version, fold.evolve(None if stood is None else stood.known, event, When(*when))
            )
        return streams

    def _moment(self, batch: Batch, entry: Entry, streams: dict[UUID, _Stood], known: Mapping[UUID, _Stood]) -> Moment:
        """Also takes the event's stream to behind it."""
        fold = self.view.folds.get(entry.stream_type)
        event = None if fold is None else batch.event(entry, self._mapper)
        if fold is None or event is None:
            return Moment(entry)
        stood = streams.get(entry.stream_id) or known.get(entry.stream_id) or _NOT_BEGUN
        if entry.version != stood.version + 1:
            raise UnreadableEventError(f"stream {entry.stream_id} has no version {stood.version + 1}")
        after = fold.evolve(stood.known, event, When(entry.occurred_at, entry.recorded_at))
        streams[entry.stream_id] = _Stood(entry.version, after)
        return Moment(entry, event, stood.known, after)

    def _statements(self, workspace_id: UUID, effects: Mapping[Table, _Effects]) -> Iterable[Statement]:
        for table in (table for table in self.view.tables if table in effects):
            found, size = effects[table], len(table.key)
            kept = [row for row in found.rows.values() if row is not None and (not table.sums or any(row[size:]))]
            gone = (
                [row[:size] for row in kept] if table.sums else [key for key, row in found.rows.items() if row is None]
            )
            if kept:
                yield Statement(self._puts[table], (*table.written(kept), workspace_id))
            if found.spread:
                yield Statement(self._spreads[table], (*_columns(found.spread), workspace_id, workspace_id))
            if found.amended:
                amended = ((*key, *values) for key, values in found.amended.items())
                yield Statement(self._amends[table], (*_columns(amended), workspace_id))
            if gone:
                yield Statement(self._drops[table], (*_columns(gone), workspace_id))


class _Effects:
    """What a batch does to a table, by key: rows that are put or added there, or go, and what rows from before become."""

    def __init__(self, table: Table) -> None:
        self._size = len(table.key)
        self._amended = [[*table.columns].index(column) for column in table.amended]
        self.rows: _Rows = {}
        self.spread: set[tuple[Any, ...]] = set()
        self.amended: dict[tuple[Any, ...], tuple[Any, ...]] = {}

    def take(self, effect: Effect) -> None:
        match effect:
            case Put(_, row):
                self.rows[row[: self._size]] = row
                self.amended.pop(row[: self._size], None)
            case Spread(_, row):
                self.spread.add(row)
            case Amend(_, key, values):
                self._amend(key, values)
            case Drop(_, key):
                self.rows[key] = None
                self.amended.pop(key, None)
            case Add(_, row):
                self._add(row[: self._size], row)

    def _amend(self, key: tuple[Any, ...], values: tuple[Any, ...]) -> None:
        row = self.rows.get(key)
        if row is None:
            self.amended[key] = values
            return
        changed = list(row)
        for place, value in zip(self._amended, values, strict=True):
            changed[place] = value
        self.rows[key] = tuple(changed)

    def _add(self, key: tuple[Any, ...], row: tuple[Any, ...]) -> None:
        """Adds the numbers behind the key to those that are there."""
        there = self.rows.get(key) or (*key, *(0 for _ in row[len(key) :]))
        self.rows[key] = (*key, *map(add, there[len(key) :], row[len(key) :]))


def _columns(rows: Iterable[tuple[Any, ...]]) -> list[list[Any]]:
    return [list(column) for column in zip(*rows, strict=True)]
