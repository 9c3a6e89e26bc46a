"""A consumer of the log: what it makes of each event, and how far it has come, are committed together.

What it consumes is read from the log in Postgres, strictly in order of ``seq`` behind a checkpoint per workspace, which
is locked meanwhile. So each event has its effect once, however many processes run the same consumer, and whether
the message about it comes twice, late or never.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from prometheus_client import Counter

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

logger = logging.getLogger("daybook.consumer")

Committed = Callable[[], Awaitable[None]]
"""What remains to be done when a batch's effects are committed: remembering, giving a hint. It may be lost."""
Apply = Callable[[AsyncDb, Batch], Awaitable[Committed | None]]
"""Writes what a batch amounts to, in the transaction and pipeline that the connection is in."""


@dataclass(frozen=True, kw_only=True)
class Consumer:
    """``name`` is for ever: checkpoints are kept, and NATS knows the consumer, under it.

    ``reads`` are the kinds of stream whose events' data is wanted. ``limit`` says how many events of a workspace
    may come in one batch. ``begin`` is what each transaction begins with, a statement and its parameters. ``forget``
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


class Consuming:
    """A consumer at work, for one event loop; several tasks may use it at a time.

    Ends between two transactions when ``stop`` is set.
    """

    def __init__(self, pool: AsyncPool, consumer: Consumer, stop: asyncio.Event | None = None) -> None:
        self._pool = pool
        self._consumer = consumer
        self._stop = stop or asyncio.Event()
        self._reads = sorted(consumer.reads)
        self._reached: dict[UUID, int] = {}
        self._put_off: dict[UUID, float] = {}
        self._applied = APPLIED.labels(consumer.name)

    def reached(self, workspace_id: UUID) -> int:
        """How far a workspace was consumed, as far as this process knows."""
        return self._reached.get(workspace_id, 0)

    def due_again(self) -> list[UUID]:
        """The workspaces that were put off long enough ago."""
        now = time.monotonic()
        return [workspace_id for workspace_id, until in self._put_off.items() if until <= now]

    async def catch_up(self, workspace_id: UUID) -> None:
        """Consumes all that is in a workspace's log. What cannot be consumed holds up that workspace, and no other."""
        if time.monotonic() < self._put_off.get(workspace_id, 0.0):
            return
        try:
            while not self._stop.is_set() and await self._step(workspace_id):
                pass
        except (psycopg.OperationalError, psycopg.InterfaceError):
            self._reached.clear()
            self._consumer.forget()
            raise
        except (LogGapError, UnreadableEventError) as error:
            logger.error("%s is held up: %s", self._consumer.name, error)  # noqa: TRY400 - its traceback says no more
            self._put_off_for_now(workspace_id)
        except Exception:  # whatever it is, it is about this workspace's events
            logger.exception("%s is held up in workspace %s", self._consumer.name, workspace_id)
            self._put_off_for_now(workspace_id)
        else:
            self._put_off.pop(workspace_id, None)

    def _put_off_for_now(self, workspace_id: UUID) -> None:
        HELD_UP.labels(self._consumer.name).inc()
        self._put_off[workspace_id] = time.monotonic() + PUT_OFF_SECONDS

    async def _step(self, workspace_id: UUID) -> bool:
        """One transaction, in two round trips and those that ``apply`` takes to read; answers whether there may be more."""
        limit = self._consumer.limit(workspace_id)
        committed = None
        async with transaction(self._pool) as conn:
            checkpoint, rows = await self._next(conn, workspace_id, limit)
            if checkpoint is None:
                await conn.execute(consuming.BEGIN, (workspace_id, self._consumer.name))
                return True
            batch = consuming.batch(workspace_id, checkpoint, rows)
            if batch.entries:
                committed = await self._consumer.apply(conn, batch)
                await conn.execute(consuming.ADVANCE, (batch.seq, workspace_id, self._consumer.name))
        self._remember(workspace_id, batch.seq)
        self._applied.inc(len(batch.entries))
        if committed is not None:
            await committed()
        return len(batch.entries) == limit

    async def _next(self, conn: AsyncDb, workspace_id: UUID, limit: int) -> tuple[int | None, list[Any]]:
        """The checkpoint, locked to the end of the transaction, and the events behind it."""
        name = self._consumer.name
        if self._consumer.begin is not None:
            await conn.execute(*self._consumer.begin)
        await conn.say(_FAST)
        await conn.say(entering(workspace_id))
        locked = await conn.execute(consuming.LOCK_CHECKPOINT, (workspace_id, name))
        found = await conn.execute(consuming.BEHIND_CHECKPOINT, (self._reads, workspace_id, workspace_id, name, limit))
        row = await locked.fetchone()
        return (None if row is None else row[0]), await found.fetchall()

    def _remember(self, workspace_id: UUID, seq: int) -> None:
        if len(self._reached) >= REMEMBERED and workspace_id not in self._reached:
            self._reached.clear()
        self._reached[workspace_id] = seq
