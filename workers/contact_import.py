"""Import jobs: carried out chunk by chunk, a chunk of every workspace's oldest job in turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from functools import partial
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter

from application import contact_import as imports
from domain.contact_import import ImportStarted
from eventstore.database import Unavailable, connection, writing
from projections import job as jobs
from projections.job import Claimed
from workers.running.broker import SUBJECT_PREFIX
from workers.running.context import WorkerContext
from workers.running.waiting import Backoff, pause

POLL_SECONDS: Final = 1.0
MAX_FAILURES: Final = 5
MAX_ATTEMPTS: Final = 25
"""A chunk that fails so often, or in the midst of which workers die so often, is given up, and the job with it."""
RETRY_SECONDS: Final = (1, 5, 15, 30)
"""How long a chunk is left alone after each failure."""

STARTED: Final = f"{SUBJECT_PREFIX}*.{ImportStarted.event_name}"
"""What the relay publishes when there may be a new job. It may be lost; so jobs are looked for at intervals as well."""

CHUNKS: Final = Counter(
    "daybook_import_chunks", "Chunks of import jobs that were begun, by what came of them.", ["outcome"]
)

logger = logging.getLogger("daybook.contact_import")


async def run(context: WorkerContext, *, poll: float = POLL_SECONDS) -> None:
    """Works on jobs until asked to stop, finishing the chunk in hand. Any number of processes may."""
    backoff = Backoff()
    complained = False
    async with _woken(context) as wake:
        while not context.stop.is_set():
            wake.clear()
            try:
                worked = await asyncio.to_thread(step, context)
            except Unavailable as error:
                if not complained:
                    logger.warning("imports are interrupted, trying on: %s", error.__cause__ or error)
                complained = True
                await pause(context.stop, backoff.next())
                continue
            complained = False
            backoff.reset()
            if not worked and not context.stop.is_set():
                await pause(wake, poll)


def step(context: WorkerContext) -> bool:
    """Works on one chunk of the job whose turn it is; false when there is none."""
    with connection(context.pool) as conn:
        job = jobs.claim(conn, [imports.KIND])
    if job is None:
        return False
    if job.attempts > MAX_ATTEMPTS:
        _give_up(context, job)
        return True
    try:
        done = context.store.run(job.origin, partial(imports.work_on, job=job), bulk=True)
    except Unavailable:
        raise
    except Exception:
        CHUNKS.labels("failed").inc()
        logger.exception("a chunk of import %s failed, for the %d. time", job.id, job.failures + 1)
        _put_off(context, job)
    else:
        CHUNKS.labels("done" if done.value else "lost").inc()
    return True


def _put_off(context: WorkerContext, job: Claimed) -> None:
    if job.failures + 1 >= MAX_FAILURES:
        _give_up(context, job)
        return
    with writing(context.pool, job.origin.workspace_id) as conn:
        jobs.put_off(conn, job, RETRY_SECONDS[job.failures])


def _give_up(context: WorkerContext, job: Claimed) -> None:
    """What was wrong is in the log of the process: it is nothing that a caller could mend."""
    logger.error("import %s is given up", job.id)
    reason = "A part of the rows could not be imported, however often it was tried."
    context.store.run(job.origin, partial(imports.fail, job=job, reason=reason))


@asynccontextmanager
async def _woken(context: WorkerContext) -> AsyncIterator[asyncio.Event]:
    """An event that is set when there may be something to do, and on ``stop``."""
    wake = asyncio.Event()
    tasks = [asyncio.create_task(_stopping(context, wake)), asyncio.create_task(_listening(context, wake))]
    try:
        yield wake
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _stopping(context: WorkerContext, wake: asyncio.Event) -> None:
    await context.stop.wait()
    wake.set()


async def _listening(context: WorkerContext, wake: asyncio.Event) -> None:
    """Hears of new imports, over one connection to NATS after another."""

    async def heard(_: Msg) -> None:
        wake.set()

    backoff = Backoff()
    while True:
        connected = await context.broker.connected()
        with suppress(NatsError):
            subscription = await connected.client.subscribe(STARTED, cb=heard)
            try:
                await connected.ended.wait()
            finally:
                # A client that connects again by itself would bring its subscriptions along.
                await subscription.unsubscribe()
        await asyncio.sleep(backoff.next())
