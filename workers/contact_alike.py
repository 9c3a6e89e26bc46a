"""Looks at what has changed in contacts, now and then: so that who asks for duplicates finds little left to be looked at."""

from __future__ import annotations

import asyncio
import logging
from typing import Final
from uuid import UUID

import psycopg

from eventstore.database import NO_WAITING, Unavailable, writing
from projections.contact_alike_kept import NAME, catch_up
from workers.consuming.look import Look
from workers.running.context import WorkerContext
from workers.running.waiting import pause

EVERY_SECONDS: Final = 5.0

logger = logging.getLogger("daybook.duplicates")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS) -> None:
    """Any number of processes may: one of them looks at a workspace at a time, whoever asks for its duplicates included."""
    look = Look(context.async_pool, NAME)
    while not context.stop.is_set():
        try:
            for workspace_id in await look.slice():
                await asyncio.to_thread(_catch_up, context, workspace_id)
        except (Unavailable, psycopg.Error) as error:
            logger.warning("putting off looking for duplicates: %s", error)
            look.begin()
        await pause(context.stop, every if look.at_beginning else 0)


def _catch_up(context: WorkerContext, workspace_id: UUID) -> None:
    """All that is left of a workspace, step by step; unless it is to stop."""
    more = True
    while more and not context.stop.is_set():
        with writing(context.pool, workspace_id) as conn:
            conn.say(NO_WAITING.encode())
            more = catch_up(conn)
