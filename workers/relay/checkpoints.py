"""How far the relay has come in each workspace, and what it has still to publish.

A pipeline on an autocommitting connection is one transaction and one round trip, however many workspaces it is about.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

from eventstore.database import entering
from eventstore.reader import ENTRY_COLUMNS, entry
from schemas.log import LogEntry
from workers.running.context import AsyncPool, transaction

_RELAYED: Final[LiteralString] = """
    SELECT coalesce(max(seq), 0) FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'relay'
"""
# The log has no gaps, so the bounds are exact, and whatever plan is made reads no more. Under row-level security the
# index serves for bounds that are subqueries, not for a coalesce() of one.
_NEXT: Final[LiteralString] = f"""
    SELECT {ENTRY_COLUMNS} FROM events
    WHERE workspace_id = %s AND seq > ({_RELAYED}) AND seq <= ({_RELAYED}) + %s ORDER BY seq
"""  # noqa: S608 - constants only
# Nothing that was published for a Postgres is noted in another one that took its place meanwhile.
_ADVANCE: Final[LiteralString] = """
    INSERT INTO consumer_checkpoints AS checkpoint (workspace_id, consumer, seq, stream_seq)
    SELECT workspace_id, 'relay', seq, %s FROM events
    WHERE workspace_id = %s AND seq = %s AND event_id = %s AND wal_timeline() = %s
    ON CONFLICT (workspace_id, consumer) DO UPDATE SET seq = excluded.seq, stream_seq = excluded.stream_seq
    WHERE checkpoint.seq < excluded.seq
"""
_REWIND: Final[LiteralString] = """
    UPDATE consumer_checkpoints SET seq = least(seq, %s), stream_seq = %s WHERE workspace_id = %s AND consumer = 'relay'
"""
_END: Final[LiteralString] = "SELECT coalesce(max(stream_seq), 0) FROM consumer_checkpoints WHERE consumer = 'relay'"
_BEYOND: Final[LiteralString] = """
    SELECT workspace_id FROM consumer_checkpoints WHERE consumer = 'relay' AND stream_seq > %s
"""
_AHEAD: Final[LiteralString] = """
    SELECT c.workspace_id FROM consumer_checkpoints c JOIN log_heads h USING (workspace_id)
    WHERE c.consumer = 'relay' AND c.seq > h.seq
"""
_TIMELINE: Final[LiteralString] = "SELECT wal_timeline()"
_IDS: Final[LiteralString] = "SELECT event_id FROM events WHERE workspace_id = %s AND seq = ANY(%s)"
_BEFORE: Final[LiteralString] = """
    SELECT coalesce((SELECT seq FROM events WHERE workspace_id = %s AND recorded_at <= now() - make_interval(secs => %s)
                     ORDER BY seq DESC LIMIT 1), 0)
"""


class TimelineChangedError(Exception):
    """Another Postgres answers than the one that was read from: it may have lost what was read."""


@dataclass(frozen=True, slots=True)
class Place:
    """An event, its ``seq`` in its log, and where in the stream it is."""

    seq: int
    event_id: UUID
    stream_seq: int


@dataclass(frozen=True, slots=True)
class Rewound:
    """A ``seq`` behind which a workspace's events are to be published; where in the stream it is, 0 when it is not."""

    seq: int
    stream_seq: int


async def unpublished(pool: AsyncPool, workspaces: Sequence[UUID], limit: int) -> dict[UUID, list[LogEntry]]:
    """The next entries of each workspace, in order of ``seq``."""
    async with transaction(pool) as conn:
        cursors = []
        for workspace_id in workspaces:
            await conn.say(entering(workspace_id))
            cursors.append(await conn.execute(_NEXT, (workspace_id, workspace_id, workspace_id, limit)))
        return {
            workspace_id: [entry(workspace_id, row) for row in await cursor.fetchall()]
            for workspace_id, cursor in zip(workspaces, cursors, strict=True)
        }


async def advance(pool: AsyncPool, published: Mapping[UUID, Place], timeline: int) -> None:
    """Moves checkpoints forward, never back, and only to events that the log has.

    Raises ``TimelineChangedError``, and moves none, when Postgres is no longer on that timeline.
    """
    async with transaction(pool) as conn:
        present = await conn.execute(_TIMELINE)
        for workspace_id, place in published.items():
            await conn.say(entering(workspace_id))
            await conn.execute(_ADVANCE, (place.stream_seq, workspace_id, place.seq, place.event_id, timeline))
        if await present.fetchone() != (timeline,):
            raise TimelineChangedError("Postgres went over to another timeline")


async def rewind(pool: AsyncPool, places: Mapping[UUID, Rewound]) -> None:
    """Moves checkpoints back to where the stream really ends."""
    async with transaction(pool) as conn:
        for workspace_id, place in places.items():
            await conn.say(entering(workspace_id))
            await conn.execute(_REWIND, (place.seq, place.stream_seq, workspace_id))


async def timeline(pool: AsyncPool) -> int:
    """Which of its histories Postgres writes: another one behind a promotion, and when a backup was restored."""
    return int(await _one(pool, _TIMELINE))


async def known_end(pool: AsyncPool) -> int:
    """The end of the stream as far as checkpoints know it."""
    return int(await _one(pool, _END))


async def beyond(pool: AsyncPool, stream_seq: int) -> list[UUID]:
    """The workspaces whose last published event should be behind the stream's end."""
    async with pool.connection() as conn:
        return [row[0] for row in await (await conn.execute(_BEYOND, (stream_seq,))).fetchall()]


async def ahead(pool: AsyncPool) -> list[UUID]:
    """The workspaces whose log ends before what was published of it."""
    async with pool.connection() as conn:
        return [row[0] for row in await (await conn.execute(_AHEAD)).fetchall()]


async def written(pool: AsyncPool, seqs: Mapping[UUID, Sequence[int]]) -> set[UUID]:
    """The ids of the events that the logs have at these places."""
    async with transaction(pool) as conn:
        cursors = []
        for workspace_id, wanted in seqs.items():
            await conn.say(entering(workspace_id))
            cursors.append(await conn.execute(_IDS, (workspace_id, wanted)))
        return {row[0] for cursor in cursors for row in await cursor.fetchall()}


async def last_older_than(pool: AsyncPool, workspace_id: UUID, seconds: float) -> int:
    """The ``seq`` of the last event of that age; 0 when there is none."""
    async with transaction(pool) as conn:
        await conn.say(entering(workspace_id))
        row = await (await conn.execute(_BEFORE, (workspace_id, seconds))).fetchone()
    assert row is not None
    return int(row[0])


async def _one(pool: AsyncPool, query: LiteralString) -> Any:
    async with pool.connection() as conn:
        row = await (await conn.execute(query)).fetchone()
    assert row is not None
    return row[0]
