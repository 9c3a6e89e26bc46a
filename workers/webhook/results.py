"""What attempts came to: written in batches, and endpoints switched off that are gone or only fail."""

from __future__ import annotations

import asyncio
import logging
from typing import Final
from uuid import UUID

import psycopg

from application import webhook as webhooks
from domain.kernel import Refused
from domain.webhook import DisabledReason
from eventstore.append import Origin
from eventstore.database import Unavailable
from schemas.log import Actor
from workers.running.context import WorkerContext
from workers.running.waiting import Backoff
from workers.webhook import queue
from workers.webhook.queue import Result

GONE: Final = 410
LINGER_SECONDS: Final = 0.005
"""How long results are gathered before a batch is written; nothing waits for it."""

logger = logging.getLogger("daybook.webhooks")


class Results:
    """For one event loop. ``failing_seconds``: after so long of nothing but failures an endpoint is switched off."""

    def __init__(self, context: WorkerContext, failing_seconds: float) -> None:
        self._context = context
        self._failing_seconds = failing_seconds
        self._waiting: list[Result] = []
        self._came = asyncio.Event()
        self._all_written = asyncio.Event()
        self._all_written.set()
        self._switching: dict[UUID, asyncio.Task[None]] = {}

    def add(self, result: Result) -> None:
        self._waiting.append(result)
        self._all_written.clear()
        self._came.set()

    async def finished(self) -> None:
        """Waits until all is written, and endpoints are switched off that have to be."""
        await self._all_written.wait()
        await asyncio.gather(*self._switching.values())

    async def write_forever(self) -> None:
        """Those that come in while a batch is written are the next batch."""
        while True:
            await self._came.wait()
            await asyncio.sleep(LINGER_SECONDS)
            self._came.clear()
            batch, self._waiting = self._waiting, []
            failing = await self._write(batch)
            for result in batch:
                if result.sent.status == GONE:
                    self._switch_off(result, "gone")
            for result in failing:
                self._switch_off(result, "failing")
            if not self._waiting:
                self._all_written.set()

    async def _write(self, batch: list[Result]) -> list[Result]:
        """Tries until it is written: what is lost here is sent again. Answers those whose endpoint only fails."""
        backoff = Backoff()
        while True:
            try:
                return await queue.record(self._context.async_pool, batch, self._failing_seconds)
            except psycopg.OperationalError as error:
                logger.warning("cannot write what became of %d deliveries, trying on: %s", len(batch), error)
                await asyncio.sleep(backoff.next())

    def _switch_off(self, result: Result, reason: DisabledReason) -> None:
        webhook_id = result.letter.claimed.webhook_id
        if webhook_id not in self._switching:
            task = asyncio.create_task(asyncio.to_thread(self._disable, result, reason))
            self._switching[webhook_id] = task
            task.add_done_callback(lambda _: self._switching.pop(webhook_id))

    def _disable(self, result: Result, reason: DisabledReason) -> None:
        """Puts it in the log, as caused by the event that could not be delivered.

        Where that does not work now, the next failure tries again.
        """
        claimed = result.letter.claimed
        origin = Origin(
            workspace_id=claimed.workspace_id,
            actor=Actor(type="worker"),
            correlation_id=result.letter.correlation_id,
            causation_id=claimed.event_id,
        )
        try:
            self._context.store.run(origin, lambda unit: webhooks.disable(unit, claimed.webhook_id, reason))
        except (Refused, Unavailable) as error:
            logger.warning("cannot switch off webhook %s now: %s", claimed.webhook_id, error)
        else:
            logger.info("switched off webhook %s: %s", claimed.webhook_id, reason)
