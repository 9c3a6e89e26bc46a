"""The relay: publishes each workspace's log, past its checkpoint and in order, to NATS JetStream."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from typing import Final
from uuid import UUID

import msgspec
import psycopg
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter, Gauge

from eventstore.nudge import ALL_SUBJECTS, nudged_workspace
from schemas.log import LogEntry
from workers.consuming.look import Look
from workers.relay import checkpoints
from workers.relay.checkpoints import Place, TimelineChangedError
from workers.relay.publisher import Message, Publisher, publisher
from workers.relay.reconcile import reconcile
from workers.running.broker import SUBJECT_PREFIX, Connection
from workers.running.context import WorkerContext
from workers.running.lease import hold
from workers.running.waiting import Backoff, pause

LEASE: Final = 0x64617972
"""Advisory lock ("dayr"): one relay at a time."""

POLL_SECONDS: Final = 0.5
LOOK_SPACING: Final = 20
"""At most a twentieth of the time goes into looking, however many workspaces there are."""
BATCH: Final = 500
"""Events in one round, shared by the workspaces whose turn it is."""
GATHER_SECONDS: Final = 0.02
"""The pause behind a round: many commits in quick succession are one round. Who comes after a rest does not wait."""
TURN: Final = 50
"""Workspaces in one round."""
OVERSIZED_SECONDS: Final = 60.0
"""After which a workspace is tried again whose next event is larger than NATS takes."""

PUBLISHED: Final = Counter("daybook_relay_published", "Events published to JetStream.")
LAG: Final = Gauge("daybook_relay_lag_events", "Events committed and not yet published, as the leading relay sees it.")
LEADING: Final = Gauge("daybook_relay_leading", "1 where the relay of this process is the one that publishes.")

logger = logging.getLogger("daybook.relay")
_encode = msgspec.json.Encoder().encode


class Interrupted(Exception):  # noqa: N818 - says what is the case
    """Not everything was published; it has to go on from the checkpoints."""


async def run(context: WorkerContext, *, poll: float = POLL_SECONDS) -> None:
    """Publishes while this process has the lease, until asked to stop.

    Looks for something new at every nudge and, since nudges can be lost, every ``poll`` seconds.
    """
    await hold(context.config.database_url, LEASE, "relay", partial(_lead, context, poll), context.stop)


async def _lead(context: WorkerContext, poll: float) -> None:
    """Publishes over one connection after another."""
    LEADING.set(1)
    backoff = Backoff(longest=2.0)
    trouble: str | None = None
    try:
        while (connection := await _connection(context)) is not None:
            session: _Session | None = None
            try:
                async with _session(context, connection, poll) as session:
                    await session.run()
            except (Interrupted, TimelineChangedError, NatsError, psycopg.OperationalError, OSError) as error:
                if session is not None and session.published:
                    backoff.reset()
                    trouble = None
                if str(error) != trouble:
                    trouble = str(error)
                    logger.warning("publishing is interrupted, trying on: %s", trouble or type(error).__name__)
                await pause(context.stop, backoff.next())
    finally:
        LEADING.set(0)
        LAG.set(0)


async def _connection(context: WorkerContext) -> Connection | None:
    """The present connection to NATS or the next one; ``None`` when asked to stop."""
    if context.stop.is_set():
        return None
    connecting = asyncio.ensure_future(context.broker.connected())
    stopping = asyncio.ensure_future(context.stop.wait())
    try:
        await asyncio.wait({connecting, stopping}, return_when=asyncio.FIRST_COMPLETED)
        return None if context.stop.is_set() else connecting.result()
    finally:
        connecting.cancel()
        stopping.cancel()


@dataclass
class _Session:
    """Publishing over one connection, in rounds: every workspace with something new has its turn before any has two."""

    context: WorkerContext
    connection: Connection
    publisher: Publisher
    timeline: int
    poll: float
    look: Look
    looked_everywhere: bool = False
    wake: asyncio.Event = field(default_factory=asyncio.Event)
    due: dict[UUID, None] = field(default_factory=dict)  # in order of their turns
    put_off: dict[UUID, float] = field(default_factory=dict)
    published: int = 0

    @property
    def over(self) -> bool:
        return self.context.stop.is_set() or self.connection.ended.is_set()

    async def run(self) -> None:
        """Returns when the connection ends, and on ``stop`` behind the round in hand."""
        looking = time.monotonic()
        while not self.over:
            began = time.monotonic()
            if began >= looking:
                await self._look()
                ended = time.monotonic()
                looking = ended + max(self.poll, LOOK_SPACING * (ended - began))
            if self.due:
                if await self._round() < BATCH:
                    await pause(self.connection.ended, GATHER_SECONDS)
            else:
                self.wake.clear()
                await pause(self.wake, looking - time.monotonic())

    async def nudged(self, msg: Msg) -> None:
        workspace_id = nudged_workspace(msg.subject)
        if workspace_id is not None:
            self._add([workspace_id])
            self.wake.set()

    def _add(self, workspaces: Iterable[UUID]) -> None:
        now = time.monotonic()
        for workspace_id in workspaces:
            if now >= self.put_off.get(workspace_id, now):
                self.put_off.pop(workspace_id, None)
                self.due.setdefault(workspace_id)

    async def _look(self) -> None:
        """At the next slice of the workspaces: nudges say what has grown, this is for those that never came.

        At all of them where the session begins: until then nobody listened.
        """
        self._add(await self.look.slice())
        while not (self.looked_everywhere or self.look.at_beginning or self.over):
            self._add(await self.look.slice())
        self.looked_everywhere = True
        LAG.set(self.look.lag)

    async def _round(self) -> int:
        """Publishes what is next in the workspaces whose turn it is; answers how many events."""
        turn = list(islice(self.due, TURN))
        for workspace_id in turn:
            del self.due[workspace_id]
        limit = BATCH // len(turn)
        messages: list[Message] = []
        for workspace_id, entries in (await checkpoints.unpublished(self.context.async_pool, turn, limit)).items():
            fitting = self._fitting(entries)
            messages += fitting
            if len(fitting) == limit:
                self.due.setdefault(workspace_id)
        if messages:
            await self._publish(messages)
        return len(messages)

    def _fitting(self, entries: Sequence[LogEntry]) -> list[Message]:
        """Up to an event that is too large. It holds up its own workspace, and no other, until NATS takes it."""
        messages = []
        for entry in entries:
            payload = _encode(entry)
            if len(payload) > self.publisher.max_payload:
                logger.error(
                    "event %d of workspace %s has %d bytes, and NATS takes %d: raise its max_payload to go on there",
                    entry.seq, entry.workspace_id, len(payload), self.publisher.max_payload,
                )  # fmt: skip
                self.put_off[entry.workspace_id] = time.monotonic() + OVERSIZED_SECONDS
                break
            subject = f"{SUBJECT_PREFIX}{entry.workspace_id}.{entry.type}"
            messages.append(Message(entry.workspace_id, entry.seq, entry.id, subject, payload))
        return messages

    async def _publish(self, messages: Sequence[Message]) -> None:
        outcome = await self.publisher.publish(messages)
        published = {
            message.workspace_id: Place(message.seq, message.event_id, stream_seq)
            for message, stream_seq in zip(messages, outcome.stream_seqs, strict=False)  # the first of them
        }
        await checkpoints.advance(self.context.async_pool, published, self.timeline)
        PUBLISHED.inc(len(outcome.stream_seqs))
        self.published += len(outcome.stream_seqs)
        if outcome.problem is not None:
            raise Interrupted(outcome.problem)


@asynccontextmanager
async def _session(context: WorkerContext, connection: Connection, poll: float) -> AsyncIterator[_Session]:
    compared = await reconcile(context.async_pool, connection.js, context.config.stream)
    async with publisher(connection, compared.stream_seq) as publishing:
        session = _Session(context, connection, publishing, compared.timeline, poll, Look(context.async_pool, "relay"))
        wakers = [asyncio.create_task(_wake(session, event)) for event in (context.stop, connection.ended)]
        try:
            async with connection.subscribed(ALL_SUBJECTS, session.nudged):
                yield session
        finally:
            for waker in wakers:
                waker.cancel()


async def _wake(session: _Session, event: asyncio.Event) -> None:
    await event.wait()
    session.wake.set()
