"""Puts every checkpoint into the place where they are kept elsewhere: at least once, in order, however often it fails."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path
from typing import Final
from uuid import UUID

from prometheus_client import Counter, Gauge

from eventstore.checkpoint import digest
from eventstore.database import Pool, Unavailable, connection, reading, writing
from eventstore.sinking import LOOK, behind, name_of, next_checkpoints, reached
from gateways.checkpoint_folder import SinkError, put
from workers.running.context import WorkerContext
from workers.running.waiting import pause

EVERY_SECONDS: Final = 60.0
SOON_SECONDS: Final = 10.0

SUNK: Final = Counter("daybook_checkpoints_sunk", "Checkpoints put into the place where they are kept elsewhere.")
BEHIND: Final = Gauge("daybook_checkpoint_sink_behind", "Whether checkpoints could not be put there when last tried.")

logger = logging.getLogger("daybook.checkpoints")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS, soon: float = SOON_SECONDS) -> None:
    """Any number of processes may. How far it has come is written behind each: what a crash interrupts is done again."""
    folder = context.config.checkpoint_folder
    while not context.stop.is_set():
        wait = every
        if folder is not None:
            try:
                SUNK.inc(await asyncio.to_thread(sink, context.pool, folder))
                BEHIND.set(0)
            except (Unavailable, SinkError) as error:
                logger.warning("checkpoints are not kept elsewhere yet, trying on: %s", error)
                BEHIND.set(1)
                wait = soon
        await pause(context.stop, wait)


def sink(pool: Pool, folder: Path) -> int:
    """Puts all that is not there yet into the folder, and answers how many; ``pool`` is a worker's."""
    name = name_of(str(folder.resolve()))
    after, count = UUID(int=0), 0
    while True:
        with connection(pool) as conn:
            found = behind(conn, name, after)
        count += sum(_sink_of(pool, workspace_id, folder, name) for workspace_id in found)
        if len(found) < LOOK:
            return count
        after = found[-1]


def _sink_of(pool: Pool, workspace_id: UUID, folder: Path, name: str) -> int:
    count = 0
    while True:
        with reading(pool, workspace_id) as conn:
            found = next_checkpoints(conn, name)
        for checkpoint in found:
            put(folder, checkpoint, digest(checkpoint))
        if found:
            with writing(pool, workspace_id) as conn:
                reached(conn, name, found[-1].seq)
        count += len(found)
        if len(found) < LOOK:
            return count
