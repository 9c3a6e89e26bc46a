"""A consumer for tests, whose effect tells whether an event was applied twice: it adds up."""

from __future__ import annotations

from uuid import UUID

from eventstore.consuming import Batch
from tests.workers.running import Installation
from workers.consuming.consumer import Committed, Consumer
from workers.running.context import AsyncDb

_COUNT = """
    INSERT INTO row_counts AS counted (workspace_id, kind, n) VALUES (%s, %s, %s)
    ON CONFLICT (workspace_id, kind) DO UPDATE SET n = counted.n + excluded.n
"""


class Tally:
    """A consumer that adds up what it was given, in the database and in memory."""

    def __init__(
        self, name: str = "tally", *, reads: frozenset[str] = frozenset(), fails_at: int | None = None, limit: int = 7
    ) -> None:
        self.name = name
        self.given: list[tuple[int, str | None]] = []
        self.forgot = 0
        self.fails_at = fails_at
        self.consumer = Consumer(name=name, apply=self._apply, reads=reads, limit=lambda _: limit, forget=self._forget)

    async def _apply(self, conn: AsyncDb, batch: Batch) -> Committed:
        await conn.execute(_COUNT, (batch.workspace_id, self.name, len(batch.entries)))
        if self.fails_at in {entry.seq for entry in batch.entries}:
            raise ZeroDivisionError

        async def committed() -> None:
            self.given += [(entry.seq, entry.data) for entry in batch.entries]

        return committed

    def _forget(self) -> None:
        self.forgot += 1


def tallied(installation: Installation, workspace_id: UUID, name: str = "tally") -> int:
    query = "SELECT n FROM row_counts WHERE workspace_id = %s AND kind = %s"
    row = installation.owner.execute(query, (workspace_id, name)).fetchone()
    return 0 if row is None else row[0]


def checkpoint(installation: Installation, workspace_id: UUID, name: str = "tally") -> int | None:
    query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = %s"
    row = installation.owner.execute(query, (workspace_id, name)).fetchone()
    return None if row is None else row[0]
