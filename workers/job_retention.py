"""Lets go of jobs that ended long ago, and of their errors. What they did stays in the log."""

from __future__ import annotations

import logging
from typing import Final, LiteralString
from uuid import UUID

import psycopg

from eventstore.database import entering
from workers.running.context import AsyncPool, WorkerContext
from workers.running.waiting import pause

KEEP_SECONDS: Final = 30 * 86400.0
EVERY_SECONDS: Final = 3600.0
BATCH: Final = 200

_OLD: Final[LiteralString] = """
    SELECT workspace_id, id FROM jobs WHERE completed_at < now() - make_interval(secs => %s) ORDER BY completed_at LIMIT %s
"""
_FORGET: Final[tuple[LiteralString, ...]] = (
    "DELETE FROM job_errors WHERE workspace_id = %s AND job_id = %s",
    "DELETE FROM job_cancellations WHERE workspace_id = %s AND job_id = %s",
    "DELETE FROM jobs WHERE workspace_id = %s AND id = %s",
)
"""Of a job; its chunks went when it ended."""

logger = logging.getLogger("daybook.job")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS) -> None:
    """Tidies up every hour; any number of processes may."""
    while not context.stop.is_set():
        try:
            forgotten = await forget_old(context.async_pool)
        except psycopg.OperationalError as error:
            logger.warning("putting off the removal of old jobs: %s", error)
        else:
            if forgotten:
                logger.info("deleted %d old jobs", forgotten)
        await pause(context.stop, every)


async def forget_old(pool: AsyncPool, keep_seconds: float = KEEP_SECONDS) -> int:
    """Deletes the jobs that ended so long ago; answers how many."""
    total = 0
    while True:
        async with pool.connection() as conn:
            found = await (await conn.execute(_OLD, (keep_seconds, BATCH))).fetchall()
        for workspace_id, job_id in found:
            await _forget(pool, workspace_id, job_id)
        total += len(found)
        if len(found) < BATCH:
            return total


async def _forget(pool: AsyncPool, workspace_id: UUID, job_id: UUID) -> None:
    async with pool.connection() as conn, conn.transaction():
        await conn.execute(entering(workspace_id))
        for statement in _FORGET:
            await conn.execute(statement, (workspace_id, job_id))
