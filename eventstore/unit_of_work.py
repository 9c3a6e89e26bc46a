"""The way of a command: idempotency → load → decide → row → append last → commit → nudge, in one transaction."""

from __future__ import annotations

import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import groupby
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import psycopg
from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from domain.kernel import Command, Decider, Event, Refused, State, not_found
from eventstore.append import Origin, Staged, append, append_bulk
from eventstore.database import Db, Pool, connection, within
from eventstore.idempotency import IdempotencyKey, StoredResponse, begin, finish
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from eventstore.rows import Change, Current, Registry

ATTEMPTS: Final = 6
"""How often a unit of work is tried when another changed the same stream meanwhile."""

_STREAM_CONFLICT: Final = "_workspace_id_stream_id_version_key"

T = TypeVar("T")
S = TypeVar("S", bound=State)


@dataclass
class Work:
    """One try at a unit of work: what was loaded, and what is decided but not yet written."""

    conn: Db
    origin: Origin
    rows: Registry
    mapper: EventMapper
    now: datetime
    bulk: bool = False
    loaded: dict[UUID, Current[Any] | None] = field(default_factory=dict)
    before: dict[tuple[str, UUID], Current[Any] | None] = field(default_factory=dict)
    after: dict[tuple[str, UUID], Current[Any] | None] = field(default_factory=dict)
    staged: list[Staged] = field(default_factory=list)
    looked_first: bool = False
    """Set by work that looks for what exists before it decides: where a unique value was taken since, it is tried again."""
    seq: int | None = None
    """The last seq of the log after commit; ``None`` when there was nothing to write."""

    def load(self, decider: Decider[Any, Any, S], ids: Sequence[UUID]) -> dict[UUID, Current[S]]:
        """The streams that exist, as they stand in this unit of work."""
        missing = [stream for stream in ids if stream not in self.loaded]
        if missing:
            found = self.rows[decider.stream_type].load(self.conn, missing)
            self.loaded.update({stream: found.get(stream) for stream in missing})
        return {stream: current for stream in ids if (current := self.loaded[stream]) is not None}

    def get(self, decider: Decider[Any, Any, S], stream_id: UUID) -> Current[S]:
        """One stream; refuses with ``not_found``."""
        current = self.load(decider, [stream_id]).get(stream_id)
        if current is None:
            raise not_found(decider.stream_type.replace("_", " "))
        return current

    def begin(self, decider: Decider[Any, Any, S], stream_id: UUID, command: Command) -> Current[S]:
        """Carries out the first command of a stream with a new id."""
        self.loaded.setdefault(stream_id, None)
        current = self.execute(decider, stream_id, command)
        assert current is not None
        return current

    def execute(
        self, decider: Decider[Any, Any, S], stream_id: UUID, command: Command, *, if_version: int | None = None
    ) -> Current[S] | None:
        """Decides and evolves; answers the stream as it will stand, ``None`` when it ends.

        Refuses as the decider does; with ``precondition_failed`` when the version is not ``if_version``.
        """
        current = self.load(decider, [stream_id]).get(stream_id)
        if if_version is not None and current is not None and current.version != if_version:
            message = f"This {decider.stream_type} has changed: its version is {current.version}, not {if_version}."
            raise Refused("precondition_failed", message)
        events = decider.decide(command, None if current is None else current.state)
        if events:
            self._stage(decider, stream_id, current, events)
        return self.loaded[stream_id]

    def all_or_nothing(self, part: Callable[[], T]) -> T:
        """Carries out a part of the work that may be refused by itself: nothing of it stays then, and the rest goes on.

        Parts do not contain parts. The refusal is the caller's to handle.
        """
        staged = len(self.staged)
        self._undo = []
        try:
            return part()
        except Refused:
            del self.staged[staged:]
            for key, known, before in reversed(self._undo):
                self.loaded[key[1]] = before
                if known:
                    self.after[key] = before
                else:
                    del self.before[key], self.after[key]
            raise
        finally:
            self._undo = None

    def _stage(
        self, decider: Decider[Any, Any, Any], stream_id: UUID, current: Current[Any] | None, events: Sequence[Event]
    ) -> None:
        version = 0 if current is None else current.version
        state = None if current is None else current.state
        for event in events:
            version += 1
            state = decider.evolve(state, event)
            data = self.mapper.encode(stream_id, event).decode()
            self.staged.append(
                Staged(
                    stream_type=decider.stream_type,
                    stream_id=stream_id,
                    version=version,
                    event_type=event.event_name,
                    data=data,
                    event_id=new_id(),
                    causation_id=self.origin.causation_id,
                )
            )
        created = self.now if current is None else current.created_at
        updated = None if state is None else Current(stream_id, state, version, created, self.now)
        key = (decider.stream_type, stream_id)
        if self._undo is not None:
            self._undo.append((key, key in self.after, current))
        self.before.setdefault(key, current)
        self.after[key] = updated
        self.loaded[stream_id] = updated

    def events(self) -> frozenset[str]:
        """The types of what is to be written."""
        return frozenset(event.event_type for event in self.staged)

    def changes(self) -> Iterator[tuple[str, list[Change]]]:
        """What to write, by kind of stream and in order of id, so that two units of work cannot wait for each other."""
        for stream_type, keys in groupby(sorted(self.after), key=lambda key: key[0]):
            yield stream_type, [Change(key[1], self.before[key], self.after[key]) for key in keys]

    def flush(self) -> None:
        """Rows first, the log last: its head's lock is held from here to commit."""
        counts: Counter[str] = Counter()
        for stream_type, changes in self.changes():
            rows = self.rows[stream_type]
            rows.write(self.conn, self.origin.workspace_id, changes, bulk=self.bulk)
            for change in changes:
                for kind, delta in rows.counts(change):
                    counts[kind] += delta
        if not self.staged:
            return
        if self.bulk:
            self.seq = append_bulk(self.conn, self.origin, self.staged, self.now, counts)
        else:
            self._cursor = append(self.conn, self.origin, self.staged, self.now, counts)

    def settle(self) -> None:
        """Reads the seq that the append answered."""
        if self.staged and self.seq is None and self._cursor is not None:
            row = self._cursor.fetchone()
            assert row is not None
            self.seq = row[0]

    _cursor: psycopg.Cursor[tuple[int]] | None = None
    _undo: list[tuple[tuple[str, UUID], bool, Current[Any] | None]] | None = None
    """Streams as they stood before each change of the part in hand, and whether this unit had changed them before."""


@dataclass(frozen=True)
class Done(Generic[T]):
    """What a unit of work came to. ``seq`` is the log's end after it, for read-your-writes on views."""

    value: T
    seq: int | None
    events: frozenset[str] = frozenset()
    """The types of what was written."""


@dataclass
class EventStore:
    """Runs units of work for any workspace on one database.

    After each commit that wrote something, ``nudge`` is called with the workspace's id and ``committed`` with the types
    of the events too; neither may block or raise.
    """

    pool: Pool
    rows: Registry
    mapper: EventMapper = field(default_factory=EventMapper)
    nudge: Callable[[UUID], None] = lambda _: None
    committed: Callable[[UUID, frozenset[str]], None] = lambda _, __: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def run(self, origin: Origin, work: Callable[[Work], T], *, bulk: bool = False) -> Done[T]:
        """Carries out ``work`` and commits; tries again when a stream was changed meanwhile.

        ``bulk`` is for units of more than a few dozen events: they are written with COPY.
        Raises ``Refused`` (nothing was written) or ``Unavailable``.
        """
        return self._retrying(origin, lambda: self._once(origin, work, bulk=bulk))

    def answer(
        self,
        origin: Origin,
        key: IdempotencyKey | None,
        work: Callable[[Work], T],
        render: Callable[[T, int | None], StoredResponse],
        *,
        bulk: bool = False,
    ) -> StoredResponse:
        """Like ``run``, for a request: its response is kept under the idempotency key and replayed."""

        def attempt() -> Done[StoredResponse]:
            return self._once_keyed(origin, key, work, render, bulk=bulk)

        return self._retrying(origin, attempt).value

    def _retrying(self, origin: Origin, attempt: Callable[[], Done[T]]) -> Done[T]:
        for left in reversed(range(ATTEMPTS)):
            try:
                done = attempt()
            except (_StreamChangedError, DeadlockDetected, SerializationFailure):
                if not left:
                    raise Refused("conflict", "Others keep changing this at the same time; try again.") from None
                time.sleep(random.uniform(0.0005, 0.004) * (ATTEMPTS - left))  # noqa: S311 - jitter
                continue
            if done.seq is not None:
                self.nudge(origin.workspace_id)
                self.committed(origin.workspace_id, done.events)
            return done
        raise AssertionError("unreachable")

    def _once(self, origin: Origin, work: Callable[[Work], T], *, bulk: bool) -> Done[T]:
        with self._transaction(origin, bulk=bulk) as unit:
            value = work(unit)
            unit.flush()
        unit.settle()
        return Done(value, unit.seq, unit.events())

    def _once_keyed(
        self,
        origin: Origin,
        key: IdempotencyKey | None,
        work: Callable[[Work], T],
        render: Callable[[T, int | None], StoredResponse],
        *,
        bulk: bool,
    ) -> Done[StoredResponse]:
        response: StoredResponse | None = None
        with self._transaction(origin, bulk=bulk) as unit:
            if key is not None and (stored := begin(unit.conn, origin.workspace_id, key)) is not None:
                return Done(stored, None)
            value = work(unit)
            unit.flush()
            if key is not None:
                unit.settle()
                response = render(value, unit.seq)
                finish(unit.conn, origin.workspace_id, key, response)
        unit.settle()
        return Done(response or render(value, unit.seq), unit.seq, unit.events())

    @contextmanager
    def _transaction(self, origin: Origin, *, bulk: bool) -> Iterator[Work]:
        """A connection in an open transaction for the workspace; commits, or rolls back whatever is raised inside.

        Outside bulk work it is a pipeline: statements go out without waiting for each other's answers.
        """
        with connection(self.pool) as conn:
            unit = Work(conn, origin, self.rows, self.mapper, self.clock(), bulk)
            try:
                with nullcontext() if bulk else conn.pipeline():
                    conn.execute("BEGIN")
                    with conn.entered(origin.workspace_id):
                        yield unit
                        conn.execute("COMMIT")
            except UniqueViolation as error:
                conn.rollback()
                raise self._explained(unit, error) from error
            except BaseException:
                if not conn.closed:
                    conn.rollback()
                raise

    def _explained(self, unit: Work, error: UniqueViolation) -> Exception:
        """A violated unique index as what it means: the stream was changed meanwhile, or a value is taken."""
        constraint = error.diag.constraint_name or ""
        if unit.looked_first or constraint.endswith(_STREAM_CONFLICT) or constraint == "events_stream_version":
            return _StreamChangedError()
        with within(unit.conn, unit.origin.workspace_id):
            for stream_type, changes in unit.changes():
                refusal = self.rows[stream_type].conflict(unit.conn, constraint, changes)
                if refusal is not None:
                    return refusal
        # The row that stood in the way is gone again.
        return _StreamChangedError()


class _StreamChangedError(Exception):
    """Another unit of work changed the same stream first."""
