"""Lets go of old deliveries of webhooks, and their attempts. The events themselves stay in the log."""

from __future__ import annotations

import logging
import time
from typing import Final, LiteralString
from uuid import UUID

import psycopg

from eventstore.database import entering
from workers.running.context import AsyncPool, WorkerContext, transaction
from workers.running.waiting import pause

KEEP_SECONDS: Final = 30 * 86400.0
EVERY_SECONDS: Final = 3600.0
BATCH: Final = 2000

# Along the primary key: ids begin with the time they were made.
_OLD: Final[LiteralString] = """
    SELECT DISTINCT workspace_id FROM (
        SELECT workspace_id FROM webhook_deliveries WHERE workspace_id > %s AND id < %s AND status <> 'pending'
        ORDER BY workspace_id LIMIT %s) AS found
    ORDER BY workspace_id
"""
_FORGET: Final[LiteralString] = """
    WITH gone AS (
        DELETE FROM webhook_deliveries WHERE workspace_id = %s AND id IN (
            SELECT id FROM webhook_deliveries
            WHERE workspace_id = %s AND id < %s AND status <> 'pending'
            ORDER BY id LIMIT %s FOR UPDATE SKIP LOCKED)
        RETURNING id
    ), attempts AS (
        DELETE FROM webhook_attempts USING gone
        WHERE webhook_attempts.workspace_id = %s AND webhook_attempts.delivery_id = gone.id
    )
    SELECT count(*) FROM gone
"""

logger = logging.getLogger("daybook.webhooks")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS) -> None:
    """Tidies up every hour; any number of processes may."""
    while not context.stop.is_set():
        try:
            forgotten = await forget_old(context.async_pool)
        except psycopg.OperationalError as error:
            logger.warning("putting off the removal of old deliveries: %s", error)
        else:
            if forgotten:
                logger.info("deleted %d old deliveries", forgotten)
        await pause(context.stop, every)


async def forget_old(pool: AsyncPool, keep_seconds: float = KEEP_SECONDS) -> int:
    """Deletes the completed deliveries that were made so long ago; answers how many."""
    before = UUID(int=int((time.time() - keep_seconds) * 1000) << 80)
    total = 0
    after: UUID | None = UUID(int=0)
    while after is not None:
        async with pool.connection() as conn:
            rows = await (await conn.execute(_OLD, (after, before, BATCH))).fetchall()
        for (workspace_id,) in rows:
            while count := await _forget_some(pool, workspace_id, before):
                total += count
                if count < BATCH:
                    break
        after = rows[-1][0] if rows else None
    return total


async def _forget_some(pool: AsyncPool, workspace_id: UUID, before: UUID) -> int:
    async with transaction(pool) as conn:
        await conn.say(entering(workspace_id))
        row = await (await conn.execute(_FORGET, (workspace_id, workspace_id, before, BATCH, workspace_id))).fetchone()
    return row[0] if row else 0
