"""Looking for logs that have grown behind a consumer's back: a slice of the workspaces at a time.

Messages say what has grown. The look is for those that never came, so it does not have to be everywhere at once, and
what it reads does not grow with the number of workspaces.
"""

from __future__ import annotations

from typing import Final, LiteralString
from uuid import UUID

from prometheus_client import Gauge

from workers.running.context import AsyncPool

SLICE: Final = 1000
"""Workspaces in one slice."""

LAG: Final = Gauge(
    "daybook_consumer_lag_events", "Events not yet consumed, as of the last look at all workspaces.", ["consumer"]
)

_BEGINNING: Final = UUID(int=0)

# The checkpoint is a subquery of its own: a join might read all checkpoints there are.
_SLICE: Final[LiteralString] = """
    WITH slice AS MATERIALIZED (
        SELECT workspace_id, seq FROM log_heads WHERE workspace_id > %s ORDER BY workspace_id LIMIT %s
    ), behind AS MATERIALIZED (
        SELECT workspace_id, seq - coalesce((
            SELECT c.seq FROM consumer_checkpoints c WHERE c.workspace_id = slice.workspace_id AND c.consumer = %s
        ), 0) AS lag FROM slice
    )
    SELECT count(*), (array_agg(workspace_id ORDER BY workspace_id))[count(*)],
        coalesce(array_agg(workspace_id ORDER BY workspace_id) FILTER (WHERE lag > 0), '{}'),
        coalesce(sum(lag) FILTER (WHERE lag > 0), 0)
    FROM behind
"""


class Look:
    """Goes round all workspaces along their key, for one consumer."""

    def __init__(self, pool: AsyncPool, consumer: str) -> None:
        self._pool = pool
        self._consumer = consumer
        self._after = _BEGINNING
        self._lag = 0
        self.lag = 0
        """Events that were not yet consumed in the last round, all workspaces together."""

    @property
    def at_beginning(self) -> bool:
        """Whether it has been round, and begins again."""
        return self._after == _BEGINNING

    def begin(self) -> None:
        """Begins a round anew."""
        self._after = _BEGINNING
        self._lag = 0

    async def slice(self) -> list[UUID]:
        """The workspaces of the next slice that have events to be consumed."""
        async with self._pool.connection() as conn:
            row = await (await conn.execute(_SLICE, (self._after, SLICE, self._consumer))).fetchone()
        assert row is not None
        count, last, behind, lag = row
        self._lag += int(lag)
        if count < SLICE:
            self.lag = self._lag
            LAG.labels(self._consumer).set(self.lag)
            self.begin()
        else:
            self._after = last
        return list(behind)
