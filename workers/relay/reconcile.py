"""Comparing the relay's checkpoints with what the stream really holds, before anything is published.

The two can differ both ways: a relay that died between publishing and its checkpoint left the stream ahead; a NATS that
lost power or its data left it behind. Postgres is the source of truth, so what the stream has lost is published again.
"""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from workers.relay import checkpoints
from workers.relay.checkpoints import Place
from workers.relay.publisher import MESSAGE_ID, parse_message_id
from workers.running.broker import MAX_AGE_SECONDS, STREAM, SUBJECT_PREFIX, ensure_stream
from workers.running.context import AsyncPool

LOOK_BACK: Final = 2_000
"""More than a relay can have in flight when it dies."""

logger = logging.getLogger("daybook.relay")


async def reconcile(pool: AsyncPool, js: JetStreamContext) -> int:
    """Brings the checkpoints in line with the stream, and answers where the stream ends."""
    end = (await ensure_stream(js)).state.last_seq
    lost = await checkpoints.beyond(pool, end)
    if lost:
        logger.warning("the stream has lost its end: publishing again what is missing, of %d workspaces", len(lost))
        await checkpoints.rewind(
            pool, [(workspace_id, await _last(pool, js, workspace_id, end)) for workspace_id in lost]
        )
    await checkpoints.advance(pool, await _unnoticed(js, await checkpoints.known_end(pool), end))
    return end


async def _last(pool: AsyncPool, js: JetStreamContext, workspace_id: UUID, end: int) -> Place:
    """The last event of a workspace that the stream holds; else the last one that is too old for it."""
    if end:
        try:
            message = await js.get_last_msg(STREAM, f"{SUBJECT_PREFIX}{workspace_id}.>")
        except NotFoundError:
            pass
        else:
            found = _identity(message)
            if found is not None and message.seq is not None:
                return Place(found[1], message.seq)
    return Place(await checkpoints.last_older_than(pool, workspace_id, MAX_AGE_SECONDS), 0)


async def _unnoticed(js: JetStreamContext, known: int, end: int) -> dict[UUID, Place]:
    """What is in the stream behind the end that checkpoints know."""
    places = {}
    for stream_seq in range(max(known, end - LOOK_BACK) + 1, end + 1):
        try:
            found = _identity(await js.get_msg(STREAM, seq=stream_seq))
        except NotFoundError:
            continue
        if found is not None:
            places[found[0]] = Place(found[1], stream_seq)
    return places


def _identity(message: RawStreamMsg) -> tuple[UUID, int] | None:
    return parse_message_id((message.headers or {}).get(MESSAGE_ID, ""))
