"""Puts every checkpoint into the place where they are kept elsewhere: at least once, in order, however often it fails."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from itertools import takewhile
from typing import Final
from uuid import UUID

from prometheus_client import Counter, Gauge

from eventstore.checkpoint import digest
from eventstore.database import Pool, Unavailable, connection, reading, writing
from eventstore.sinking import LOOK, behind, name_of, next_checkpoints, reached
from gateways.checkpoint_sink import CheckpointSink, SinkError
from schemas.verification import Checkpoint
from workers.running.context import WorkerContext
from workers.running.waiting import pause

EVERY_SECONDS: Final = 60.0
SOON_SECONDS: Final = 10.0

SUNK: Final = Counter("daybook_checkpoints_sunk", "Checkpoints put into the place where they are kept elsewhere.")
BEHIND: Final = Gauge("daybook_checkpoint_sink_behind", "Whether checkpoints could not be put there when last tried.")

logger = logging.getLogger("daybook.checkpoints")


async def run(context: WorkerContext, *, every: float = EVERY_SECONDS, soon: float = SOON_SECONDS) -> None:
    """Any number of processes may. How far it has come is written behind each: what a crash interrupts is done again."""
    place = context.config.checkpoint_sink
    while not context.stop.is_set():
        wait = every
        if place is not None:
            try:
                SUNK.inc(await asyncio.to_thread(sink, context.pool, place, context.stop.is_set))
                BEHIND.set(0)
            except (Unavailable, SinkError) as error:
                logger.warning("checkpoints are not kept elsewhere yet, trying on: %s", error)
                BEHIND.set(1)
                wait = soon
        await pause(context.stop, wait)


def sink(pool: Pool, place: CheckpointSink, stopped: Callable[[], bool] = lambda: False) -> int:
    """Puts all that is not there yet into the place, and answers how many; ``pool`` is a worker's."""
    after, count = UUID(int=0), 0
    while True:
        with connection(pool) as conn:
            found = behind(conn, name_of(place.name), after)
        if found:
            place.check()
        count += sum(_sink_of(pool, workspace_id, place, stopped) for workspace_id in found)
        if len(found) < LOOK or stopped():
            return count
        after = found[-1]


def _sink_of(pool: Pool, workspace_id: UUID, place: CheckpointSink, stopped: Callable[[], bool]) -> int:
    count = 0
    while not stopped():
        with reading(pool, workspace_id) as conn:
            found = next_checkpoints(conn, name_of(place.name))
        count += _put(pool, found, place, stopped)
        if len(found) < LOOK:
            break
    return count


def _put(pool: Pool, found: Sequence[Checkpoint], place: CheckpointSink, stopped: Callable[[], bool]) -> int:
    """Of one workspace, in order; those before one that fails count as being there. Answers how many are."""
    there: list[Checkpoint] = []
    try:
        for checkpoint in takewhile(lambda _: not stopped(), found):
            place.put(checkpoint, digest(checkpoint))
            there.append(checkpoint)
    finally:
        if there:
            with writing(pool, there[-1].workspace_id) as conn:
                reached(conn, name_of(place.name), there[-1].seq)
    return len(there)
