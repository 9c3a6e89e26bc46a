"""Signs, every hour, the heads of the logs that have grown since they were last signed."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from application.calling.signing import signing_key
from eventstore.checkpoint import sign_moved_heads
from eventstore.database import Unavailable
from workers.running.context import WorkerContext
from workers.running.waiting import pause

EVERY_SECONDS: Final = 3600.0
SOON_SECONDS: Final = 10.0

logger = logging.getLogger("daybook.checkpoints")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS) -> None:
    """Any number of processes may: a head that another has signed is left as it is."""
    key = signing_key(context.config.secret_key)
    while not context.stop.is_set():
        wait = every
        try:
            signed = await asyncio.to_thread(sign_moved_heads, context.pool, key)
            if signed:
                logger.info("signed the heads of %d logs", len(signed))
        except Unavailable as error:
            logger.warning("putting off signing: %s", error)
            wait = SOON_SECONDS
        await pause(context.stop, wait)
