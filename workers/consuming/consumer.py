"""Consumers of the log: what each makes of an event, and how far it has come, are committed together.

What they consume is read from the log in Postgres, strictly in order of ``seq`` behind a checkpoint per workspace, which
is locked meanwhile. So each event has its effect once, however many processes run the same consumer, and whether
the message about it comes twice, late or never.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

import psycopg
from prometheus_client import Counter
from psycopg import errors

from eventstore import consuming
from eventstore.consuming import Batch
from eventstore.database import NO_WAITING, entering
from eventstore.mapper import UnreadableEventError
from eventstore.reader import LogGapError
from workers.consuming.news import Ignores
from workers.running.context import AsyncDb, AsyncPool, transaction

BATCH: Final = 1000
"""Events in one transaction, unless the consumer wants fewer."""
REMEMBERED: Final = 10_000
"""Workspaces of which a process remembers how far they are."""
PUT_OFF_SECONDS: Final = 60.0
"""After which a workspace is tried again whose log cannot be consumed."""

APPLIED: Final = Counter("daybook_consumer_events_applied", "Events that a consumer has dealt with.", ["consumer"])
HELD_UP: Final = Counter("daybook_consumer_held_up", "How often a consumer had to put a workspace off.", ["consumer"])

# Losing the end of this in a crash of Postgres loses effects and checkpoint alike: it is done again.
_FAST: Final = NO_WAITING.encode()
_AWAY: Final = (psycopg.OperationalError, psycopg.InterfaceError)
_ABOUT_ONE: Final = (
    errors.ObjectNotInPrerequisiteState,
    errors.LockNotAvailable,
    errors.DeadlockDetected,
    errors.QueryCanceled,
)
"""Of those, what others need not suffer from."""

logger = logging.getLogger("daybook.consumer")

Committed = Callable[[], Awaitable[None]]
"""What remains to be done when a batch's effects are committed: remembering, giving a hint. It may be lost."""
Apply = Callable[[AsyncDb, Batch], Awaitable[Committed | None]]
"""Writes what a batch amounts to, in the transaction and pipeline that the connection is in."""


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """``name`` is for ever: checkpoints are kept, and NATS knows the consumer, under it.

    ``reads`` are the kinds of stream whose events' data is wanted. ``limit`` says how many events of a workspace
    may come in one batch, which are fewer where it is one of several workspaces'. ``begin`` is what each transaction begins with, a statement and its parameters. ``forget``
    lets go of what is remembered: the database may be another one now. ``linger`` is for how many seconds messages are
    gathered before they are followed. ``ignores`` says of which messages nothing would come: its checkpoint moves past their
    events with the next of which something may, or when all workspaces are looked at.
    """

    name: str
    apply: Apply
    reads: frozenset[str] = frozenset()
    limit: Callable[[UUID], int] = lambda _: BATCH
    begin: tuple[LiteralString, tuple[Any, ...]] | None = None
    forget: Callable[[], None] = lambda: None
    linger: float = 0.0
    ignores: Ignores = lambda *_: False


class Part(NamedTuple):
    """A workspace, and those who consume its log together; in order of their names."""

    workspace_id: UUID
    consumers: tuple[Consumer, ...]

    @property
    def names(self) -> list[str]:
        return [consumer.name for consumer in self.consumers]

    def each(self) -> list[Part]:
        """The workspace with each of them by itself."""
        return [Part(self.workspace_id, (consumer,)) for consumer in self.consumers]


class _Consumed(NamedTuple):
    """What came of a part: the batch, what its consumers have to do once it is committed, and what there may be more of."""

    part: Part
    batch: Batch
    committed: Sequence[Committed | None]
    left: Sequence[Part]


class Consuming:
    """Consumers at work, for one event loop; several tasks may use it at a time.

    What several of them make of several workspaces' new events is one transaction, for which each workspace's are read once.
    Where that fails, it is tried by each workspace by itself, and then by each consumer: so none holds up another. Who is
    behind the others in a workspace catches up by itself. Ends between two transactions when ``stop`` is set.
    """

    def __init__(self, pool: AsyncPool, *consumers: Consumer, stop: asyncio.Event | None = None) -> None:
        self._pool = pool
        self._consumers = tuple(sorted(consumers, key=lambda consumer: consumer.name))
        self._stop = stop or asyncio.Event()
        self._reached: dict[UUID, int] = {}
        self._put_off: dict[tuple[UUID, str], float] = {}

    def reached(self, workspace_id: UUID) -> int:
        """How far a workspace was consumed, as far as this process knows, by all that did not put it off."""
        return self._reached.get(workspace_id, 0)

    def due_again(self) -> list[UUID]:
        """The workspaces that were put off long enough ago."""
        now = time.monotonic()
        return [workspace_id for (workspace_id, _), until in self._put_off.items() if until <= now]

    async def catch_up(self, *workspaces: UUID) -> None:
        """Consumes all that is in these workspaces' logs. What cannot be consumed holds up its workspace, and no other."""
        parts = (Part(workspace_id, self._able(workspace_id)) for workspace_id in {*workspaces})
        await self._catch_up([part for part in parts if part.consumers])

    def _able(self, workspace_id: UUID) -> tuple[Consumer, ...]:
        now = time.monotonic()
        return tuple(each for each in self._consumers if now >= self._put_off.get((workspace_id, each.name), 0.0))

    async def _catch_up(self, parts: Sequence[Part]) -> None:
        try:
            while parts and not self._stop.is_set():
                parts = await self._step(parts)
        except Exception as error:
            smaller = parts if len(parts) > 1 else parts[0].each()
            if isinstance(error, _AWAY) and (len(smaller) == 1 or not isinstance(error, _ABOUT_ONE)):
                self._reached.clear()
                for consumer in self._consumers:
                    consumer.forget()
                raise
            if len(smaller) == 1:
                self._hold_up(smaller[0], error)
            else:
                await self._apart(smaller)

    async def _apart(self, parts: Sequence[Part]) -> None:
        """Each by itself, where they failed together. Raises what the first of them raises, behind the others."""
        raised: list[Exception] = []
        for part in parts:
            try:
                await self._catch_up([part])
            except _ABOUT_ONE as error:
                raised.append(error)
        if raised:
            raise raised[0]

    def _hold_up(self, part: Part, error: Exception) -> None:
        """It is about the events that a consumer found in a workspace: that puts it off."""
        (consumer,) = part.consumers
        if isinstance(error, LogGapError | UnreadableEventError):
            logger.error("%s is held up: %s", consumer.name, error)
        else:
            logger.error("%s is held up in workspace %s", consumer.name, part.workspace_id, exc_info=error)
        HELD_UP.labels(consumer.name).inc()
        self._put_off[part.workspace_id, consumer.name] = time.monotonic() + PUT_OFF_SECONDS

    async def _step(self, parts: Sequence[Part]) -> list[Part]:
        """One transaction, in two round trips and those that consumers take to read; answers what there may be more of.

        All lock in the same order.
        """
        parts = sorted(parts, key=lambda part: (part.workspace_id, part.names))
        limits = [_limit(part, len(parts)) for part in parts]
        async with transaction(self._pool) as conn:
            found = await _next(conn, parts, limits)
            consumed = [await _consume(conn, *each) for each in zip(parts, limits, found, strict=True)]
        for each in consumed:
            await self._committed(each)
        return [part for each in consumed for part in each.left]

    async def _committed(self, consumed: _Consumed) -> None:
        workspace_id = consumed.part.workspace_id
        if len(self._reached) >= REMEMBERED and workspace_id not in self._reached:
            self._reached.clear()
        self._reached[workspace_id] = consumed.batch.seq
        for name in consumed.part.names:
            self._put_off.pop((workspace_id, name), None)
            APPLIED.labels(name).inc(len(consumed.batch.entries))
        for committed in consumed.committed:
            if committed is not None:
                await committed()


def _limit(part: Part, parts: int) -> int:
    """How many events are read of a workspace that is one of so many parts."""
    return max(1, min(consumer.limit(part.workspace_id) for consumer in part.consumers) // parts)


_Found = tuple[Mapping[str, int], Sequence[Any]]
"""The checkpoints of a part that there are, by consumer, locked to the end of the transaction; the events behind the last."""


async def _next(conn: AsyncDb, parts: Sequence[Part], limits: Sequence[int]) -> list[_Found]:
    begins = {
        consumer.name: consumer.begin for part in parts for consumer in part.consumers if consumer.begin is not None
    }
    for _, begin in sorted(begins.items()):
        await conn.execute(*begin)
    await conn.say(_FAST)
    asked = []
    for part, limit in zip(parts, limits, strict=True):
        workspace_id, names = part.workspace_id, part.names
        reads = sorted(frozenset[str]().union(*(consumer.reads for consumer in part.consumers)))
        await conn.say(entering(workspace_id))
        locked = await conn.execute(consuming.LOCK_CHECKPOINTS, (workspace_id, names))
        behind = (reads, workspace_id, workspace_id, names, limit)
        asked.append((locked, await conn.execute(consuming.BEHIND_CHECKPOINTS, behind)))
    return [(dict(await locked.fetchall()), await found.fetchall()) for locked, found in asked]


async def _consume(conn: AsyncDb, part: Part, limit: int, found: _Found) -> _Consumed:
    """Has those who are farthest make of a workspace's next events what they do."""
    workspace_id, (checkpoints, rows) = part.workspace_id, found
    await conn.say(entering(workspace_id))
    missing = [name for name in part.names if name not in checkpoints]
    for name in missing:
        await conn.execute(consuming.BEGIN, (workspace_id, name))
    if missing:
        return _Consumed(part, Batch(workspace_id, 0, ()), (), [part])
    last = max(checkpoints.values())
    together = Part(workspace_id, tuple(each for each in part.consumers if checkpoints[each.name] == last))
    batch = consuming.batch(workspace_id, last, rows)
    left = [Part(workspace_id, (each,)) for each in part.consumers if checkpoints[each.name] < last]
    if not batch.entries:
        return _Consumed(together, batch, (), left)
    committed = [await consumer.apply(conn, batch) for consumer in together.consumers]
    await conn.execute(consuming.ADVANCE, (batch.seq, workspace_id, together.names))
    return _Consumed(together, batch, committed, [together, *left] if len(rows) == limit else left)
