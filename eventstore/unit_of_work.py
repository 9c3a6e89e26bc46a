"""The way of a command: idempotency → load → decide → row → append last → commit → nudge, in one transaction."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar
from uuid import UUID

from psycopg.errors import DeadlockDetected, SerializationFailure, UniqueViolation

from domain.kernel import Decider, Refused, State
from eventstore.append import Origin
from eventstore.database import Db, Pool, connection, pipeline, violated, within
from eventstore.definitions import Defining, Remembered
from eventstore.idempotency import IdempotencyKey, StoredResponse, begin, finish
from eventstore.lasting import in_bulk
from eventstore.letting_go import BulkNeededError
from eventstore.mapper import EventMapper
from eventstore.references import References, Referring
from eventstore.rows import Registry
from eventstore.work import Work

ATTEMPTS: Final = 6
"""How often a unit of work is tried when another changed the same stream meanwhile."""
OPTIMISTIC: Final = 2
"""So many tries find out at their end; the others wait at their beginning for whoever else changes the stream."""

_STREAM_CONFLICT: Final = "_workspace_id_stream_id_version_key"

T = TypeVar("T")


@dataclass(frozen=True)
class Done(Generic[T]):
    """What a unit of work came to. ``seq`` is the log's end after it, for read-your-writes on views."""

    value: T
    seq: int | None
    events: frozenset[str] = frozenset()
    """The types of what was written."""


class _Manner(NamedTuple):
    """How a unit of work is tried."""

    bulk: bool
    locks_first: bool = False


@dataclass
class EventStore:
    """Runs units of work for any workspace on one database.

    After each commit that wrote something, ``nudge`` is called with the workspace's id, and each of ``observers`` with the
    types of the events too; none of them may block or raise.
    """

    pool: Pool
    rows: Registry
    mapper: EventMapper = field(default_factory=EventMapper)
    nudge: Callable[[UUID], None] = lambda _: None
    observers: list[Callable[[UUID, frozenset[str]], None]] = field(default_factory=list)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)

    def __post_init__(self) -> None:
        self._references = References(self.rows)
        self._definitions = Remembered(self.rows)

    def referring(self, conn: Db, decider: Decider[Any, Any, Any], state: State) -> list[Referring]:
        """By what there may be things that refer to this one, as the workspace defines it in the transaction that reads."""
        defining = Defining(conn, Remembered(self.rows))
        return [*self._references.to(decider.stream_type), *defining.referring(decider.stream_type, state)]

    def run(self, origin: Origin, work: Callable[[Work], T], *, bulk: bool = False) -> Done[T]:
        """Carries out ``work`` and commits; tries again when a stream was changed meanwhile.

        ``bulk`` is for units of more than a few dozen events: they are written in one statement a table.
        Raises ``Refused`` (nothing was written) or ``Unavailable``.
        """
        return self._retrying(origin, lambda manner: self._once(origin, work, manner), bulk=bulk)

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

        def attempt(manner: _Manner) -> Done[StoredResponse]:
            return self._once_keyed(origin, key, work, render, manner)

        return self._retrying(origin, attempt, bulk=bulk).value

    def _retrying(self, origin: Origin, attempt: Callable[[_Manner], Done[T]], *, bulk: bool) -> Done[T]:
        for left in reversed(range(ATTEMPTS)):
            try:
                done = attempt(_Manner(bulk, ATTEMPTS - left > OPTIMISTIC))
            except BulkNeededError:
                bulk = True
                continue
            except (_StreamChangedError, DeadlockDetected, SerializationFailure) as error:
                if isinstance(error, SerializationFailure):
                    self._definitions.forget(origin.workspace_id)
                if not left:
                    raise Refused("conflict", "Others keep changing this at the same time; try again.") from None
                time.sleep(random.uniform(0.0005, 0.004) * (ATTEMPTS - left))  # noqa: S311 - jitter
                continue
            if done.seq is not None:
                self.nudge(origin.workspace_id)
                for told in self.observers:
                    told(origin.workspace_id, done.events)
            return done
        raise AssertionError("unreachable")

    def _once(self, origin: Origin, work: Callable[[Work], T], manner: _Manner) -> Done[T]:
        with self._transaction(origin, manner) as unit:
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
        manner: _Manner,
    ) -> Done[StoredResponse]:
        response: StoredResponse | None = None
        with self._transaction(origin, manner) as unit:
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
    def _transaction(self, origin: Origin, manner: _Manner) -> Iterator[Work]:
        """A connection in an open transaction for the workspace; commits, or rolls back whatever is raised inside.

        Outside bulk work it is a pipeline: statements go out without waiting for each other's answers.
        """
        with connection(self.pool) as conn:
            defining = Defining(conn, self._definitions)
            unit = Work(conn, origin, self.rows, self._references, self.mapper, self.clock(), defining, *manner)
            try:
                with nullcontext() if manner.bulk else pipeline(conn):
                    conn.say(b"BEGIN")
                    with (
                        in_bulk(conn) if manner.bulk else nullcontext(),
                        conn.entered(origin.workspace_id, origin.visible_to),
                    ):
                        yield unit
                        conn.say(b"COMMIT")
            except UniqueViolation as error:
                conn.rollback()
                raise self._explained(unit, error) from error
            except BaseException:
                if not conn.closed:
                    conn.rollback()
                raise

    def _explained(self, unit: Work, error: UniqueViolation) -> Exception:
        """A violated unique index as what it means: the stream was changed meanwhile, or a value is taken."""
        constraint = violated(error)
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
