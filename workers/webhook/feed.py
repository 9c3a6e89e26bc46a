"""Feeds the expander: with the messages of JetStream as they come, and every so often with the logs that have grown."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Final
from uuid import UUID

import psycopg
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from nats.js import JetStreamContext
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from workers.relay.publisher import MESSAGE_ID, parse_message_id
from workers.running.broker import STREAM, SUBJECT_PREFIX, Connection, ensure_stream
from workers.running.context import WorkerContext
from workers.running.ending import end
from workers.running.waiting import Backoff, pause
from workers.webhook import wake as webhook_wake
from workers.webhook.expander import CONSUMER, Expander

RECONCILE_SECONDS: Final = 2.0
FETCH: Final = 500
FETCH_SECONDS: Final = 1.0
"""Also how late it may be noticed that the connection has ended."""
ACK_SECONDS: Final = 30.0
AT_A_TIME: Final = 4
"""Workspaces that one process expands at a time."""

logger = logging.getLogger("daybook.webhooks")


async def run(context: WorkerContext, *, reconcile: float = RECONCILE_SECONDS) -> None:
    """Makes deliveries of events until asked to stop. Any number of processes may.

    Without NATS it goes on by comparing checkpoints with the logs' ends, every ``reconcile`` seconds.
    """
    feed = _Feed(context)
    async with asyncio.TaskGroup() as group:
        following = group.create_task(feed.follow())
        try:
            await feed.reconcile(reconcile)
        finally:
            async with feed.handling:  # what is in hand is finished
                await end([following])


class _Feed:
    def __init__(self, context: WorkerContext) -> None:
        self._context = context
        self._expander = Expander(context.async_pool, context.stop)
        self._turn = asyncio.Semaphore(AT_A_TIME)
        self.handling = asyncio.Lock()
        """Held while messages are in hand."""
        self._backoff = Backoff(longest=2.0)
        self._trouble = ""

    async def reconcile(self, every: float) -> None:
        trouble = ""
        while not self._context.stop.is_set():
            try:
                await self._expand(await self._expander.behind())
                trouble = ""
            except psycopg.OperationalError as error:
                if not trouble:
                    trouble = str(error)
                    logger.warning("events are not made into deliveries now, trying on: %s", trouble)
            await pause(self._context.stop, every)

    async def follow(self) -> None:
        """Over one connection to NATS after another; until cancelled."""
        while True:
            connection = await self._context.broker.connected()
            try:
                await self._follow(connection)
            except (NatsError, psycopg.OperationalError, OSError) as error:
                told = str(error) or type(error).__name__
                if told != self._trouble and not connection.ended.is_set():
                    logger.warning("messages are not followed, trying on: %s", told)
                self._trouble = told
            await asyncio.sleep(self._backoff.next())

    async def _follow(self, connection: Connection) -> None:
        await ensure_stream(connection.js)
        await _ensure_consumer(connection.js)
        messages = await connection.js.pull_subscribe_bind(durable=CONSUMER, stream=STREAM)
        try:
            while not connection.ended.is_set():
                try:
                    received = await messages.fetch(FETCH, timeout=FETCH_SECONDS)
                except TimeoutError:  # there was none; NATS' own is one too
                    received = []
                async with self.handling:
                    await self._received(received)
                self._backoff.reset()
                self._trouble = ""
        finally:
            with suppress(NatsError):
                await messages.unsubscribe()

    async def _received(self, messages: Sequence[Msg]) -> None:
        """Expands what they are about, and acknowledges them. What fails is sent again, to this process or another."""
        news: dict[UUID, int] = {}
        for message in messages:
            found = parse_message_id((message.headers or {}).get(MESSAGE_ID, ""))
            if found is not None:
                news[found[0]] = max(found[1], news.get(found[0], 0))
        await self._expand(
            workspace_id for workspace_id, seq in news.items() if self._expander.reached(workspace_id) < seq
        )
        if not self._context.stop.is_set():
            for message in messages:
                await message.ack()

    async def _expand(self, workspaces: Iterable[UUID]) -> None:
        """Raises what the first of them to fail raises, behind the others."""
        done = await asyncio.gather(*(self._one(workspace_id) for workspace_id in workspaces), return_exceptions=True)
        for outcome in done:
            if outcome is not None:
                raise outcome

    async def _one(self, workspace_id: UUID) -> None:
        async with self._turn:
            due = await self._expander.expand(workspace_id)
        if due:
            with suppress(NatsError, OSError):  # a hint; deliverers look every so often anyway
                await self._context.broker.publish(webhook_wake.SUBJECT, webhook_wake.named(due))


async def _ensure_consumer(js: JetStreamContext) -> None:
    """Shared by all expanders. It begins with what is new: what came before is found by comparing checkpoints."""
    await js.add_consumer(
        STREAM,
        ConsumerConfig(
            durable_name=CONSUMER,
            description="Wakes the expander of webhooks.",
            deliver_policy=DeliverPolicy.NEW,
            ack_policy=AckPolicy.EXPLICIT,
            ack_wait=ACK_SECONDS,
            max_ack_pending=20_000,
            filter_subject=f"{SUBJECT_PREFIX}>",
        ),
    )
