"""Signs, every hour, the heads of the logs that have grown since they were last signed."""

from __future__ import annotations

import asyncio
import logging
from typing import Final

from application.log_checkpoint import sign_moved
from eventstore.checkpoint import SigningError
from eventstore.database import Unavailable
from workers.running.context import WorkerContext
from workers.running.waiting import pause

EVERY_SECONDS: Final = 3600.0
SOON_SECONDS: Final = 10.0

logger = logging.getLogger("daybook.checkpoints")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS) -> None:
    """Any number of processes may: a head that another has signed is left as it is."""
    while not context.stop.is_set():
        wait = every
        try:
            signed = await asyncio.to_thread(sign_moved, context.pool, context.config.signer)
            if signed:
                logger.info("signed the heads of %d logs", len(signed))
        except (Unavailable, SigningError) as error:
            logger.warning("putting off signing: %s", error)
            wait = SOON_SECONDS
        await pause(context.stop, wait)
