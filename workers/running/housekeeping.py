"""Housekeeping: removes what has served its time."""

from __future__ import annotations

import asyncio
import logging
from typing import Final, LiteralString

import psycopg

from application.identity_repair import repair
from eventstore.database import Unavailable
from workers.running.context import WorkerContext
from workers.running.waiting import pause

_ACCESS_LOG_DAYS: Final[LiteralString] = "SELECT set_config('daybook.access_log_days', %s, true)"
"""For the policy on that table, while the transaction lasts."""

EVERY_SECONDS: Final = 300.0

EXPIRED: Final[dict[str, LiteralString]] = {
    "sessions": "DELETE FROM sessions WHERE expires_at <= now()",
    # How old they must be is said by the policies on these tables: they show workers no row, and let them delete the old.
    "idempotency_keys": "DELETE FROM idempotency_keys",
    "rate_windows": "DELETE FROM rate_windows",
    "outbox": "DELETE FROM outbox",
    "audit_export_pieces": "DELETE FROM audit_export_pieces",
    "access_log": "DELETE FROM access_log",
}
"""By table, and each in a transaction of its own."""

logger = logging.getLogger("daybook.housekeeping")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS) -> None:
    """Tidies up every few minutes; any number of processes may."""
    while not context.stop.is_set():
        try:
            await tidy_up(context)
            repaired = await asyncio.to_thread(repair, context.pool, context.pool)
            if repaired:
                logger.info("settled or took away %d unfinished registrations and API keys", repaired)
            if left := await clear_rebuilding(context):
                logger.info("took away what interrupted rebuilds left: %s", ", ".join(left))
        except (psycopg.OperationalError, Unavailable) as error:
            logger.warning("putting off housekeeping: %s", error)
        await pause(context.stop, every)


async def tidy_up(context: WorkerContext) -> dict[str, int]:
    """Deletes what has expired; answers how many rows of each table."""
    deleted = {}
    for table, statement in EXPIRED.items():
        async with context.async_pool.connection() as conn, conn.transaction():
            await conn.execute(_ACCESS_LOG_DAYS, (str(context.config.access_log_days),))
            deleted[table] = (await conn.execute(statement)).rowcount
        if deleted[table]:
            logger.info("deleted %d expired rows of %s", deleted[table], table)
    return deleted


async def clear_rebuilding(context: WorkerContext) -> list[str]:
    """Drops tables that somebody began to rebuild, unless somebody does so now; answers their names."""
    async with context.async_pool.connection() as conn:
        row = await (await conn.execute("SELECT clear_rebuilding()")).fetchone()
    return [] if row is None else row[0]
