"""The deliverer: sends what is due to each endpoint, and decides when to try again and when to give up.

At least once: a worker that dies between sending and writing the result leaves a lease that runs out, and another
sends again, under the same id. Roughly in order: each endpoint's deliveries are taken by the time they are due, several at
a time, and one that failed comes after later ones.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import psycopg
from cryptography.exceptions import InvalidTag
from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter, Gauge

from application.calling.secretbox import SecretBox
from eventstore.ids import new_id
from gateways.webhook import TIMEOUT_SECONDS, Sent, WebhookSender
from gateways.webhook_signature import sealing_context
from workers.running.context import WorkerContext
from workers.running.ending import end
from workers.running.waiting import Backoff, pause
from workers.webhook import queue
from workers.webhook.claimed import Claimed, Due, Endpoint
from workers.webhook.letter import Letter, load
from workers.webhook.places import Places
from workers.webhook.queue import Result
from workers.webhook.results import GONE, Results
from workers.webhook.wake import SUBJECT, endpoints_of

ATTEMPTS: Final = Counter(
    "daybook_webhook_attempts", "Attempts to deliver a webhook, by what came of them.", ["result"]
)
IN_FLIGHT: Final = Gauge("daybook_webhook_in_flight", "Webhooks on their way at the moment.")

_HINTS: Final = 1000
"""Endpoints in one claim of those that something is due for."""

logger = logging.getLogger("daybook.webhooks")


@dataclass(frozen=True)
class Delivering:
    """How deliveries are sent; times are in seconds.

    ``schedule`` has the wait before each attempt; behind its end a delivery has failed. ``lease`` is longer than
    ``timeout`` by what may pass between claiming and sending. ``per_endpoint`` and ``total`` are the most on their way
    at a time; ``drain`` is what they are given when the worker is told to stop.
    """

    schedule: tuple[float, ...] = (0, 5, 300, 1800, 7200, 18000, 36000, 50400, 72000, 86400)
    jitter: float = 0.1
    timeout: float = TIMEOUT_SECONDS
    lease: float = 20.0
    per_endpoint: int = 10
    total: int = 500
    poll: float = 1.0
    failing: float = 5 * 86400.0
    drain: float = 12.0


AS_DOCUMENTED: Final = Delivering()


async def run(context: WorkerContext, *, settings: Delivering = AS_DOCUMENTED) -> None:
    """Delivers until asked to stop, then finishes what is on its way. Any number of processes may."""
    async with WebhookSender(allow_private=context.config.allow_private_webhooks, timeout=settings.timeout) as sender:
        await _Deliverer(context, settings, sender).run()


class _Deliverer:
    def __init__(self, context: WorkerContext, settings: Delivering, sender: WebhookSender) -> None:
        self._context = context
        self._settings = settings
        self._sender = sender
        self._box = SecretBox(context.config.secret_key)
        self._places = Places(settings.per_endpoint, settings.total)
        self._results = Results(context, settings.failing)
        self._sending: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._due_for: set[Endpoint] = set()
        self._look_at = 0.0
        self._after: UUID | None = None
        self._cut_short = False

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            helpers = [
                group.create_task(helper)
                for helper in (self._listen(), self._results.write_forever(), self._wake_on_stop())
            ]
            try:
                await self._until_stopped()
                await self._drain()
            finally:
                await end([*helpers, *self._sending])
                IN_FLIGHT.set(0)

    async def _until_stopped(self) -> None:
        backoff = Backoff()
        trouble = ""
        while not self._context.stop.is_set():
            try:
                await self._take_on()
            except psycopg.OperationalError as error:
                if not trouble:
                    trouble = str(error)
                    logger.warning("cannot look for deliveries, trying on: %s", trouble)
                self._look_at = 0.0
                await pause(self._context.stop, backoff.next())
                continue
            backoff.reset()
            trouble = ""
            await pause(self._wake, max(0.0, self._look_at - time.monotonic()))
            self._wake.clear()

    async def _drain(self) -> None:
        """Waits for what is on its way, and for its results to be written."""
        try:
            async with asyncio.timeout(self._settings.drain):
                if self._sending:
                    await asyncio.wait(self._sending)
                await self._results.finished()
        except TimeoutError:
            logger.warning("%d deliveries are cut off; they will be sent again", len(self._sending))

    # Being woken.

    async def _listen(self) -> None:
        while True:
            connection = await self._context.broker.connected()
            try:
                async with connection.subscribed(SUBJECT, self._nudged):
                    await connection.ended.wait()
            except NatsError as error:
                logger.warning("not told of new deliveries, only looking for them every so often: %s", error)
                await asyncio.sleep(1)

    async def _nudged(self, msg: Msg) -> None:
        endpoints = endpoints_of(msg.data)
        self._due_for.update(endpoints)
        if not endpoints:
            self._look_at = 0.0
        self._wake.set()

    async def _wake_on_stop(self) -> None:
        await self._context.stop.wait()
        self._wake.set()

    # Claiming.

    async def _take_on(self) -> None:
        """Claims and begins to send what is due, as far as there are places for it."""
        if time.monotonic() >= self._look_at or (self._cut_short and self._free()):
            self._look_at = time.monotonic() + self._settings.poll
            self._places.forget_idle()
            await self._look_at_all()
        while self._due_for and self._free():
            hinted = [self._due_for.pop() for _ in range(min(len(self._due_for), _HINTS))]
            without = await self._claim([Due(endpoint, self._settings.per_endpoint) for endpoint in hinted])
            self._due_for.update(found.endpoint for found in without)

    def _free(self) -> int:
        return 0 if self._context.stop.is_set() else self._places.free()

    async def _look_at_all(self) -> None:
        """Goes on behind the endpoint where it was cut short for want of places: so all have their turn."""
        from_the_first = self._after is None
        self._cut_short = True
        while self._free():
            due, to_the_last = await queue.look(self._context.async_pool, self._after)
            without = await self._claim(due, all_of_it=to_the_last)
            if without or not to_the_last:
                self._after = due[-1 - len(without)].endpoint.webhook_id
                continue
            self._after = None
            if from_the_first:
                self._cut_short = False
                return
            from_the_first = True

    async def _claim(self, due: Sequence[Due], *, all_of_it: bool = True) -> list[Due]:
        """Claims what there are places for and begins to send it; answers for which endpoints there was none left.

        ``all_of_it``: no more is due for these endpoints than that.
        """
        since = time.monotonic()
        rooms = self._places.rooms()
        given, without = self._places.shared(due, rooms)
        claimed: list[Claimed] = []
        if given:
            claimed = await queue.claim(self._context.async_pool, new_id(), given, seconds=self._settings.lease)
        asked = [found.endpoint.webhook_id for found in due]
        taken = [item.webhook_id for item in claimed]
        self._places.take(taken, rooms, asked, all_of_it=all_of_it and not without)
        if claimed:
            await self._begin(claimed, since + self._settings.lease - self._settings.timeout)
        return without

    async def _begin(self, claimed: list[Claimed], latest: float) -> None:
        """Begins to send what was claimed. What is not sent after all is due again when its lease has run out."""
        letters: list[Letter] = []
        stranded: list[Claimed] = []
        try:
            letters, stranded = await load(self._context.async_pool, claimed)
            if time.monotonic() > latest:
                letters = []  # another worker might send them at the same time
        finally:
            begun = {letter.claimed.id for letter in letters}
            for item in claimed:
                if item.id not in begun:
                    self._places.leave(item.webhook_id)
        for letter in letters:
            task = asyncio.create_task(self._deliver(letter))
            self._sending.add(task)
            task.add_done_callback(self._sending.discard)
        IN_FLIGHT.set(self._places.in_flight)
        if stranded:
            await queue.cancel(self._context.async_pool, stranded)

    # Sending.

    async def _deliver(self, letter: Letter) -> None:
        try:
            sent = await self._send(letter)
        except Exception:  # whatever it is, it is about this one delivery
            logger.exception("delivery %s failed", letter.claimed.id)
            sent = Sent.unsent("The request could not be made.")
        well = sent.error is None
        ATTEMPTS.labels("succeeded" if well else "failed").inc()
        self._results.add(self._judged(letter, sent))
        if self._places.leave(letter.claimed.webhook_id, well=well):
            self._due_for.add(letter.claimed.endpoint)
        IN_FLIGHT.set(self._places.in_flight)
        if (self._due_for or self._cut_short) and self._places.free():
            self._wake.set()

    async def _send(self, letter: Letter) -> Sent:
        if letter.body is None:
            return Sent.unsent("The event is not in the log.")
        claimed = letter.claimed
        context = sealing_context(claimed.workspace_id, claimed.webhook_id)
        try:
            secrets = [self._box.open(sealed, context).decode() for sealed in letter.sealed]
        except InvalidTag:
            logger.error("the secrets of webhook %s were sealed with another key", claimed.webhook_id)  # noqa: TRY400 - its traceback says no more
            return Sent.unsent("The signing secret cannot be opened.")
        return await self._sender.send(letter.url, claimed.event_id, letter.body, secrets)

    def _judged(self, letter: Letter, sent: Sent) -> Result:
        """What is to become of a delivery after this attempt."""
        if sent.error is None:
            return Result(letter, sent, "succeeded")
        made = letter.claimed.tries + 1
        if sent.status == GONE or made >= len(self._settings.schedule):
            return Result(letter, sent, "failed")
        spread = random.uniform(1 - self._settings.jitter, 1 + self._settings.jitter)  # noqa: S311 - jitter
        return Result(letter, sent, "pending", max(self._settings.schedule[made] * spread, sent.retry_after or 0.0))
