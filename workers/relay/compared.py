"""Up to where the stream was compared with the log; and which of its histories Postgres was writing then."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString

from workers.running.broker import STREAM
from workers.running.context import AsyncPool

_RECALL: Final[LiteralString] = "SELECT created_at, compared, timeline FROM relay_streams WHERE name = %s"
_REMEMBER: Final[LiteralString] = """
    INSERT INTO relay_streams (name, created_at, compared, timeline) VALUES (%s, %s, %s, %s)
    ON CONFLICT (name) DO UPDATE
    SET created_at = excluded.created_at, compared = excluded.compared, timeline = excluded.timeline
"""


@dataclass(frozen=True, slots=True)
class Compared:
    """The stream made at ``created_at``, up to ``stream_seq``, with the log of that timeline."""

    created_at: datetime
    stream_seq: int
    timeline: int


async def recall(pool: AsyncPool) -> Compared | None:
    """``None`` before the first time."""
    async with pool.connection() as conn:
        row = await (await conn.execute(_RECALL, (STREAM,))).fetchone()
    return None if row is None else Compared(*row)


async def remember(pool: AsyncPool, compared: Compared) -> None:
    async with pool.connection() as conn:
        await conn.execute(_REMEMBER, (STREAM, compared.created_at, compared.stream_seq, compared.timeline))
