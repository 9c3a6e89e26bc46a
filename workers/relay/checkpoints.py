"""How far the relay has come in each workspace, and what it has still to publish.

A pipeline on an autocommitting connection is one transaction and one round trip, however many workspaces it is about.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, LiteralString
from uuid import UUID

from eventstore.database import SET_WORKSPACE
from eventstore.reader import ENTRY_COLUMNS, entry
from schemas.log import LogEntry
from workers.running.context import AsyncPool

_LAGGING: Final[LiteralString] = """
    SELECT h.workspace_id, h.seq - coalesce(c.seq, 0)
    FROM log_heads h LEFT JOIN consumer_checkpoints c ON c.workspace_id = h.workspace_id AND c.consumer = 'relay'
    WHERE h.seq > coalesce(c.seq, 0)
"""
_RELAYED: Final[LiteralString] = """
    SELECT coalesce(max(seq), 0) FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'relay'
"""
# The log has no gaps, so the bounds are exact, and whatever plan is made reads no more. Under row-level security the
# index serves for bounds that are subqueries, not for a coalesce() of one.
_NEXT: Final[LiteralString] = f"""
    SELECT {ENTRY_COLUMNS} FROM events
    WHERE workspace_id = %s AND seq > ({_RELAYED}) AND seq <= ({_RELAYED}) + %s ORDER BY seq
"""  # noqa: S608 - constants only
_ADVANCE: Final[LiteralString] = """
    INSERT INTO consumer_checkpoints AS checkpoint (workspace_id, consumer, seq, stream_seq)
    SELECT workspace_id, 'relay', %s, %s FROM log_heads WHERE workspace_id = %s AND seq >= %s
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
_BEFORE: Final[LiteralString] = """
    SELECT coalesce((SELECT seq FROM events WHERE workspace_id = %s AND recorded_at <= now() - make_interval(secs => %s)
                     ORDER BY seq DESC LIMIT 1), 0)
"""


@dataclass(frozen=True, slots=True)
class Place:
    """An event's ``seq`` in its log, and where in the stream it is."""

    seq: int
    stream_seq: int


async def lagging(pool: AsyncPool) -> dict[UUID, int]:
    """The workspaces with events to publish, and how many."""
    async with pool.connection() as conn:
        return dict(await (await conn.execute(_LAGGING)).fetchall())


async def unpublished(pool: AsyncPool, workspaces: Sequence[UUID], limit: int) -> dict[UUID, list[LogEntry]]:
    """The next entries of each workspace, in order of ``seq``."""
    async with pool.connection() as conn, conn.pipeline():
        cursors = []
        for workspace_id in workspaces:
            await conn.execute(SET_WORKSPACE, (str(workspace_id),))
            cursors.append(await conn.execute(_NEXT, (workspace_id, workspace_id, workspace_id, limit)))
        return {
            workspace_id: [entry(workspace_id, row) for row in await cursor.fetchall()]
            for workspace_id, cursor in zip(workspaces, cursors, strict=True)
        }


async def advance(pool: AsyncPool, published: Mapping[UUID, Place]) -> None:
    """Moves checkpoints forward, never back and never beyond a log's end."""
    async with pool.connection() as conn, conn.pipeline():
        for workspace_id, place in published.items():
            await conn.execute(SET_WORKSPACE, (str(workspace_id),))
            await conn.execute(_ADVANCE, (place.seq, place.stream_seq, workspace_id, place.seq))


async def rewind(pool: AsyncPool, places: Iterable[tuple[UUID, Place]]) -> None:
    """Moves checkpoints back to where the stream really ends."""
    async with pool.connection() as conn, conn.pipeline():
        for workspace_id, place in places:
            await conn.execute(SET_WORKSPACE, (str(workspace_id),))
            await conn.execute(_REWIND, (place.seq, place.stream_seq, workspace_id))


async def known_end(pool: AsyncPool) -> int:
    """The end of the stream as far as checkpoints know it."""
    async with pool.connection() as conn:
        row = await (await conn.execute(_END)).fetchone()
    assert row is not None
    return int(row[0])


async def beyond(pool: AsyncPool, stream_seq: int) -> list[UUID]:
    """The workspaces whose last published event should be behind the stream's end."""
    async with pool.connection() as conn:
        return [row[0] for row in await (await conn.execute(_BEYOND, (stream_seq,))).fetchall()]


async def last_older_than(pool: AsyncPool, workspace_id: UUID, seconds: float) -> int:
    """The ``seq`` of the last event of that age; 0 when there is none."""
    async with pool.connection() as conn, conn.pipeline():
        await conn.execute(SET_WORKSPACE, (str(workspace_id),))
        row = await (await conn.execute(_BEFORE, (workspace_id, seconds))).fetchone()
    assert row is not None
    return int(row[0])
