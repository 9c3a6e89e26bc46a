"""Looks at what has changed in contacts, now and then: so that who asks for duplicates finds little left to be looked at.

Of workspaces alone in which somebody has asked: elsewhere it would be work for nobody.
"""

from __future__ import annotations

import asyncio
import logging
from typing import Final, LiteralString
from uuid import UUID

import psycopg

from eventstore.database import NO_WAITING, Unavailable, writing
from projections.contact_alike_kept import catch_up
from workers.running.context import AsyncPool, WorkerContext
from workers.running.waiting import pause

EVERY_SECONDS: Final = 5.0

_BEHIND: Final[LiteralString] = """
    SELECT kept.workspace_id FROM consumer_checkpoints AS kept JOIN log_heads AS head USING (workspace_id)
    WHERE kept.consumer = 'contact_alike' AND head.seq > kept.seq ORDER BY kept.workspace_id
"""

logger = logging.getLogger("daybook.duplicates")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS) -> None:
    """Any number of processes may: one of them looks at a workspace at a time, whoever asks for its duplicates included."""
    while not context.stop.is_set():
        try:
            for workspace_id in await _behind(context.async_pool):
                await asyncio.to_thread(_catch_up, context, workspace_id)
        except (Unavailable, psycopg.Error) as error:
            logger.warning("putting off looking for duplicates: %s", error)
        await pause(context.stop, every)


async def _behind(pool: AsyncPool) -> list[UUID]:
    """The workspaces in which something has happened since."""
    async with pool.connection() as conn:
        return [row[0] for row in await (await conn.execute(_BEHIND)).fetchall()]


def _catch_up(context: WorkerContext, workspace_id: UUID) -> None:
    """All that is left of a workspace, step by step; unless it is to stop."""
    more = True
    while more and not context.stop.is_set():
        with writing(context.pool, workspace_id) as conn:
            conn.say(NO_WAITING.encode())
            more = catch_up(conn)
