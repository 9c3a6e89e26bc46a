"""Comparing the stream with the log, event by event, before anything is published.

They can differ in three ways, and in each Postgres is the source of truth:

- A relay that died between publishing and its checkpoint left the stream ahead: its checkpoint is moved on.
- A NATS that lost power or its data left the stream behind: what it has lost is published again.
- A Postgres that lost its end, by a failover to a standby that lacked it or by a backup that was put back, gives the
  ``seq`` of what is lost to other events. What the stream has of the lost ones are ghosts: consumers and receivers of
  webhooks may have them, and nobody can take them back. Each is told of, and the log goes into the stream behind them.

Ghosts are behind the end that checkpoints know: a checkpoint is written later than the events it is about, so a Postgres
that has kept it has kept them.
"""

from __future__ import annotations

import logging
from collections import defaultdict
from collections.abc import Sequence
from typing import Final
from uuid import UUID

from nats.js import JetStreamContext
from nats.js.api import StreamInfo

from workers.relay import checkpoints, compared, stored
from workers.relay.checkpoints import Place, Rewound
from workers.relay.compared import Compared
from workers.relay.ghosts import tell
from workers.relay.stored import Stored
from workers.running.broker import AS_IT_IS, StreamSettings, ensure_stream
from workers.running.context import AsyncPool

AT_A_TIME: Final = 200
"""Messages asked for at a time."""

logger = logging.getLogger("daybook.relay")


async def reconcile(pool: AsyncPool, js: JetStreamContext, settings: StreamSettings = AS_IT_IS) -> Compared:
    """Brings checkpoints in line with the stream; answers where that ends, and the timeline that Postgres is on."""
    info = await ensure_stream(js, settings)
    assert info.created is not None
    end = info.state.last_seq
    before = await compared.recall(pool)
    now = Compared(info.created, end, await checkpoints.timeline(pool))
    same = before is None or before.created_at == now.created_at
    promoted = before is not None and before.timeline != now.timeline
    lost = await checkpoints.beyond(pool, end if same else 0)
    if lost:
        logger.warning("the stream has lost its end: publishing again what is missing, of %d workspaces", len(lost))
    await _rewind(pool, js, info, [*lost, *(await checkpoints.ahead(pool) if promoted else [])])
    known = max(await checkpoints.known_end(pool), before.stream_seq if before else 0) if same else 0
    ghosts = await _compare(pool, js, range(max(known + 1, info.state.first_seq), end + 1), now.timeline)
    if promoted:
        logger.log(
            logging.ERROR if ghosts else logging.WARNING,
            "Postgres is another since the stream was last compared with it (a standby was promoted, or a backup put"
            " back): the stream has %d events that the log does not have", ghosts,
        )  # fmt: skip
    await compared.remember(pool, now)
    return now


async def _rewind(pool: AsyncPool, js: JetStreamContext, info: StreamInfo, workspaces: Sequence[UUID]) -> None:
    places = {workspace_id: await _end(pool, js, info, workspace_id) for workspace_id in workspaces}
    await checkpoints.rewind(pool, places)


async def _end(pool: AsyncPool, js: JetStreamContext, info: StreamInfo, workspace_id: UUID) -> Rewound:
    """The last event of a workspace in the stream, where the log has it too; else the last one too old for the stream."""
    last = await stored.last_of(js, workspace_id) if info.state.messages else None
    if last is not None and last.event_id in await checkpoints.written(pool, {workspace_id: [last.seq]}):
        return Rewound(last.seq, last.stream_seq)
    kept = info.config.max_age
    return Rewound(await checkpoints.last_older_than(pool, workspace_id, kept) if kept else 0, 0)


async def _compare(pool: AsyncPool, js: JetStreamContext, stream_seqs: range, timeline: int) -> int:
    """Moves checkpoints on to what stream and log both have; logs what the stream alone has, and answers how much."""
    ghosts = 0
    for first in range(stream_seqs.start, stream_seqs.stop, AT_A_TIME):
        found = await stored.messages(js, range(first, min(first + AT_A_TIME, stream_seqs.stop)))
        ids = await checkpoints.written(pool, _seqs(found))
        shared = {
            message.workspace_id: Place(message.seq, message.event_id, message.stream_seq)
            for message in found
            if message.event_id in ids
        }
        lost = [message for message in found if message.event_id not in ids]
        await tell(pool, lost)  # before the end that checkpoints know goes beyond them
        await checkpoints.advance(pool, shared, timeline)
        ghosts += len(lost)
    return ghosts


def _seqs(found: Sequence[Stored]) -> dict[UUID, list[int]]:
    seqs = defaultdict(list)
    for message in found:
        seqs[message.workspace_id].append(message.seq)
    return seqs
