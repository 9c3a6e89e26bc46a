"""Feeds consumers: with the messages of JetStream as they come, and every so often with logs that have grown unheard."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import psycopg
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy
from nats.js.errors import NotFoundError

from workers.consuming.consumer import Consumer, Consuming
from workers.consuming.look import Look
from workers.consuming.news import news
from workers.consuming.pull import pulling
from workers.running.broker import STREAM, SUBJECT_PREFIX, Connection, ensure_stream
from workers.running.context import WorkerContext
from workers.running.ending import end
from workers.running.waiting import Backoff, pause

RECONCILE_SECONDS: Final = 2.0
LOOK_SPACING: Final = 20
"""At most a twentieth of the time goes into looking everywhere, however many workspaces there are."""
ACK_SECONDS: Final = 30.0
AT_A_TIME: Final = 4
"""Transactions of one feed at a time."""
TOGETHER: Final = 16
"""Workspaces that are consumed in one transaction, where several have something new."""

logger = logging.getLogger("daybook.consumer")


async def feed(
    context: WorkerContext, consumers: Sequence[Consumer], *, name: str = "", reconcile: float = RECONCILE_SECONDS
) -> None:
    """Consumes until asked to stop. Any number of processes may. ``name``: what NATS knows several by that are fed together.

    Every ``reconcile`` seconds checkpoints are compared with the logs' ends: a slice of them while messages come, and all
    of them at the start, after each break in the messages, and while there is no NATS.
    """
    feeding = _Feed(context, consumers, name or consumers[0].name)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(feeding.follow())
        try:
            await feeding.reconcile(reconcile)
        finally:
            async with feeding.handling:  # what is in hand is finished
                await end([following])


class _Feed:
    def __init__(self, context: WorkerContext, consumers: Sequence[Consumer], name: str) -> None:
        self._context = context
        self._name = name
        self._consumers = consumers
        self._linger = max(consumer.linger for consumer in consumers)
        self._consuming = Consuming(context.async_pool, *consumers, stop=context.stop)
        self._look = Look(context.async_pool, *(consumer.name for consumer in consumers))
        self._turn = asyncio.Semaphore(AT_A_TIME)
        self.handling = asyncio.Lock()
        """Held while messages are in hand."""
        self._following = False
        self._missed = asyncio.Event()
        """Set where messages may have been missed since all workspaces were last looked at."""
        self._backoff = Backoff(longest=2.0)
        self._trouble = ""

    # Looking.

    async def reconcile(self, every: float) -> None:
        trouble = ""
        while not self._context.stop.is_set():
            spent = 0.0
            try:
                spent = await self._look_around()
                trouble = ""
            except psycopg.OperationalError as error:
                if not trouble:
                    trouble = str(error)
                    logger.warning("%s does not go on now, trying on: %s", self._name, trouble)
            await self._rest(max(every, LOOK_SPACING * spent), after_trouble=bool(trouble))

    async def _look_around(self) -> float:
        """Looks at the next slice, or at all of them where messages may have been missed; answers the seconds of looking."""
        everywhere = self._missed.is_set() or not self._following
        self._missed.clear()
        if everywhere:
            self._look.begin()
        await self._catch_up(self._consuming.due_again())
        spent = 0.0
        while not self._context.stop.is_set():
            began = time.monotonic()
            behind = await self._look.slice()
            spent += time.monotonic() - began
            await self._catch_up(behind)
            if not everywhere or self._look.at_beginning:
                break
        return spent

    async def _rest(self, seconds: float, *, after_trouble: bool) -> None:
        """Waits for so long, or until messages were missed or it is to stop."""
        events = [self._context.stop] if after_trouble else [self._context.stop, self._missed]
        waiting = [asyncio.create_task(event.wait()) for event in events]
        await asyncio.wait(waiting, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        await end(waiting)

    # Following messages.

    async def follow(self) -> None:
        """Over one connection to NATS after another; until cancelled."""
        while True:
            connection = await self._context.broker.connected()
            try:
                await self._follow(connection)
            except (NatsError, psycopg.OperationalError, OSError) as error:
                told = str(error) or type(error).__name__
                if told != self._trouble and not connection.ended.is_set():
                    logger.warning("%s does not follow messages, trying on: %s", self._name, told)
                self._trouble = told
            finally:
                self._following = False
            await asyncio.sleep(self._backoff.next())

    async def _follow(self, connection: Connection) -> None:
        await ensure_stream(connection.js)
        await _ensure_consumer(connection.js, self._name)
        for each in self._consumers:
            if each.name != self._name:
                await _leave(connection.js, each.name)
        async with pulling(connection, self._name) as messages:
            self._following = True
            self._missed.set()
            while not connection.ended.is_set():
                received = await messages.next()
                async with self.handling:
                    await self._received(received)
                self._backoff.reset()
                self._trouble = ""
                if received and self._linger:
                    await pause(connection.ended, self._linger)

    async def _received(self, messages: Sequence[Msg]) -> None:
        """Consumes what they are about, and acknowledges them. What fails is sent again, to this process or another."""
        found = news(messages, self._ignores)
        await self._catch_up(
            workspace_id for workspace_id, seq in found.items() if self._consuming.reached(workspace_id) < seq
        )
        if not self._context.stop.is_set():
            for message in messages:
                await message.ack()

    def _ignores(self, workspace_id: UUID, event_type: str) -> bool:
        return all(consumer.ignores(workspace_id, event_type) for consumer in self._consumers)

    async def _catch_up(self, workspaces: Iterable[UUID]) -> None:
        """Raises what the first of them to fail raises, behind the others; all are looked at again then."""
        due = [*workspaces]
        some = (due[first : first + TOGETHER] for first in range(0, len(due), TOGETHER))
        done = await asyncio.gather(*map(self._some, some), return_exceptions=True)
        for outcome in done:
            if outcome is not None:
                self._missed.set()
                raise outcome

    async def _some(self, workspaces: Sequence[UUID]) -> None:
        async with self._turn:
            await self._consuming.catch_up(*workspaces)


async def _ensure_consumer(js: JetStreamContext, name: str) -> None:
    """Shared by all processes. It begins with what is new: what came before is found by comparing checkpoints."""
    await js.add_consumer(
        STREAM,
        ConsumerConfig(
            durable_name=name,
            description=f"Wakes the consumer {name}.",
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_SECONDS,
            max_ack_pending=20_000,
            filter_subject=f"{SUBJECT_PREFIX}>",
        ),
    )


async def _leave(js: JetStreamContext, name: str) -> None:
    """Takes away what woke a consumer that was fed by itself once."""
    with suppress(NotFoundError):
        await js.delete_consumer(STREAM, name)
