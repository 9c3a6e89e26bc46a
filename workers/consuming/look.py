"""Looking for logs that have grown behind a consumer's back: a slice of the workspaces at a time.

Messages say what has grown. The look is for those that never came, so it does not have to be everywhere at once, and
what it reads does not grow with the number of workspaces.
"""

from __future__ import annotations

from collections import Counter
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
        SELECT consumer, workspace_id, seq - coalesce((
            SELECT c.seq FROM consumer_checkpoints c WHERE c.workspace_id = slice.workspace_id AND c.consumer = wanted.consumer
        ), 0) AS lag FROM slice CROSS JOIN unnest(%s::text[]) AS wanted (consumer)
    )
    SELECT consumer, count(*), (array_agg(workspace_id ORDER BY workspace_id))[count(*)],
        coalesce(array_agg(workspace_id) FILTER (WHERE lag > 0), '{}'), coalesce(sum(lag) FILTER (WHERE lag > 0), 0)
    FROM behind GROUP BY consumer
"""


class Look:
    """Goes round all workspaces along their key, for one consumer or some that are fed together."""

    def __init__(self, pool: AsyncPool, *consumers: str) -> None:
        self._pool = pool
        self._consumers = list(consumers)
        self._after = _BEGINNING
        self._lags = Counter[str]()
        self.lag = 0
        """Events that were not yet consumed in the last round, all workspaces together."""

    @property
    def at_beginning(self) -> bool:
        """Whether it has been round, and begins again."""
        return self._after == _BEGINNING

    def begin(self) -> None:
        """Begins a round anew."""
        self._after = _BEGINNING
        self._lags.clear()

    async def slice(self) -> list[UUID]:
        """The workspaces of the next slice that have events to be consumed by any of them; in order of their keys."""
        async with self._pool.connection() as conn:
            rows = await (await conn.execute(_SLICE, (self._after, SLICE, self._consumers))).fetchall()
        seen, behind = 0, set[UUID]()
        for consumer, count, last, found, lag in rows:
            seen, self._after = count, last
            behind.update(found)
            self._lags[consumer] += int(lag)
        if seen < SLICE:
            self._been_round()
        return sorted(behind)

    def _been_round(self) -> None:
        self.lag = self._lags.total()
        for consumer in self._consumers:
            LAG.labels(consumer).set(self._lags[consumer])
        self.begin()
