"""Jobs of every kind, carried out step by step: a step of every workspace's oldest job of a kind, in turn."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from functools import partial
from typing import Final

from nats.aio.msg import Msg
from nats.errors import Error as NatsError
from prometheus_client import Counter

from application.catalogue import KINDS
from application.working import job as jobs
from eventstore.database import Unavailable, connection, writing
from projections import job_queue as queue
from projections.job_queue import Claimed
from workers.running.broker import SUBJECT_PREFIX, Connection
from workers.running.context import WorkerContext
from workers.running.waiting import Backoff, pause

POLL_SECONDS: Final = 1.0
MAX_FAILURES: Final = 5
MAX_ATTEMPTS: Final = 25
"""A step that fails so often, or in the midst of which workers die so often, is given up, and the job with it."""
RETRY_SECONDS: Final = (1, 5, 15, 30)
"""How long a job is left alone after each failure."""

BEGUN: Final = [f"{SUBJECT_PREFIX}*.{kind.begun_by.event_name}" for kind in KINDS.values() if kind.begun_by]
"""What the relay publishes when there may be a new job. It may be lost; so jobs are looked for at intervals as well."""

STEPS: Final = Counter(
    "daybook_job_steps", "Steps of jobs that were begun, by kind and what came of them.", ["kind", "outcome"]
)

logger = logging.getLogger("daybook.job")


async def run(context: WorkerContext, *, poll: float = POLL_SECONDS) -> None:
    """Works on jobs until asked to stop, finishing the step in hand. Any number of processes may."""
    backoff = Backoff()
    complained = False
    async with _woken(context) as wake:
        while not context.stop.is_set():
            wake.clear()
            try:
                worked = await asyncio.to_thread(step, context)
            except Unavailable as error:
                if not complained:
                    logger.warning("jobs are interrupted, trying on: %s", error.__cause__ or error)
                complained = True
                await pause(context.stop, backoff.next())
                continue
            complained = False
            backoff.reset()
            if not worked and not context.stop.is_set():
                await pause(wake, poll)


def step(context: WorkerContext) -> bool:
    """Does one step of the job whose turn it is; false when there is none."""
    with connection(context.pool) as conn:
        job = queue.claim(conn, list(KINDS))
    if job is None:
        return False
    if job.attempts > MAX_ATTEMPTS:
        _give_up(context, job)
        return True
    try:
        done = context.store.run(job.origin, partial(jobs.work_on, claimed=job, kinds=KINDS), bulk=True)
    except Unavailable:
        raise
    except Exception:
        STEPS.labels(job.kind, "failed").inc()
        logger.exception("a step of %s %s failed, for the %d. time", job.kind, job.id, job.failures + 1)
        _put_off(context, job)
    else:
        STEPS.labels(job.kind, "done" if done.value else "lost").inc()
    return True


def _put_off(context: WorkerContext, job: Claimed) -> None:
    if job.failures + 1 >= MAX_FAILURES:
        _give_up(context, job)
        return
    with writing(context.pool, job.origin.workspace_id) as conn:
        queue.put_off(conn, job, RETRY_SECONDS[job.failures])


def _give_up(context: WorkerContext, job: Claimed) -> None:
    """What was wrong is in the log of the process: it is nothing that a caller could mend."""
    logger.error("%s %s is given up", job.kind, job.id)
    context.store.run(job.origin, partial(jobs.give_up, claimed=job, kinds=KINDS))


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
    """Hears of new jobs, over one connection to NATS after another."""
    backoff = Backoff()
    while True:
        connected = await context.broker.connected()
        with suppress(NatsError):
            await _hear(connected, wake)
        await asyncio.sleep(backoff.next())


async def _hear(connected: Connection, wake: asyncio.Event) -> None:
    """Sets ``wake`` with each message that may tell of a job, until the connection has ended."""

    async def heard(_: Msg) -> None:
        wake.set()

    async with AsyncExitStack() as subscriptions:
        for subject in BEGUN:
            await subscriptions.enter_async_context(connected.subscribed(subject, heard))
        await connected.ended.wait()
