from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import psycopg
import pytest

from eventstore.consuming import Batch
from tests.workers.running import Installation
from workers.consuming import consumer as consuming
from workers.consuming.consumer import Committed, Consumer, Consuming
from workers.running.context import AsyncDb, AsyncPool, async_pool

T = TypeVar("T")

_COUNT = """
    INSERT INTO row_counts AS counted (workspace_id, kind, n) VALUES (%s, 'tally', %s)
    ON CONFLICT (workspace_id, kind) DO UPDATE SET n = counted.n + excluded.n
"""


class Tally:
    """A consumer that adds up what it was given, in the database and in memory."""

    def __init__(self, *, reads: frozenset[str] = frozenset(), fails_at: int | None = None) -> None:
        self.given: list[tuple[int, str | None]] = []
        self.forgot = 0
        self.fails_at = fails_at
        self.consumer = Consumer(name="tally", apply=self._apply, reads=reads, limit=lambda _: 7, forget=self._forget)

    async def _apply(self, conn: AsyncDb, batch: Batch) -> Committed:
        await conn.execute(_COUNT, (batch.workspace_id, len(batch.entries)))
        if self.fails_at in {entry.seq for entry in batch.entries}:
            raise ZeroDivisionError

        async def committed() -> None:
            self.given += [(entry.seq, entry.data) for entry in batch.entries]

        return committed

    def _forget(self) -> None:
        self.forgot += 1


def on_pool(installation: Installation, work: Callable[[AsyncPool], Awaitable[T]]) -> T:
    async def main() -> T:
        async with async_pool(installation.config.database_url) as pool:
            return await work(pool)

    return asyncio.run(main())


def catch_up(installation: Installation, tally: Tally, *workspaces: UUID) -> None:
    async def work(pool: AsyncPool) -> None:
        at_work = Consuming(pool, tally.consumer)
        for workspace_id in workspaces:
            await at_work.catch_up(workspace_id)

    on_pool(installation, work)


def tallied(installation: Installation, workspace_id: UUID) -> int:
    query = "SELECT n FROM row_counts WHERE workspace_id = %s AND kind = 'tally'"
    row = installation.owner.execute(query, (workspace_id,)).fetchone()
    return 0 if row is None else row[0]


def checkpoint(installation: Installation, workspace_id: UUID) -> int | None:
    query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'tally'"
    row = installation.owner.execute(query, (workspace_id,)).fetchone()
    return None if row is None else row[0]


def test_events_come_in_order_and_once_with_the_data_that_was_asked_for(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.commit(workspace, times=10)
    installation.import_contacts(workspace, 10)
    tally = Tally(reads=frozenset({"tag"}))
    catch_up(installation, tally, workspace)
    catch_up(installation, tally, workspace)
    assert [seq for seq, _ in tally.given] == list(range(1, 21))
    assert [data is not None for _, data in tally.given] == [True] * 10 + [False] * 10
    assert tallied(installation, workspace) == checkpoint(installation, workspace) == 20


def test_consumers_at_the_same_time_have_each_effect_once(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.commit(workspace, events=200)
    tallies = [Tally() for _ in range(4)]

    async def work(pool: AsyncPool) -> None:
        await asyncio.gather(*(Consuming(pool, tally.consumer).catch_up(workspace) for tally in tallies))

    on_pool(installation, work)
    assert tallied(installation, workspace) == checkpoint(installation, workspace) == 200
    assert sorted(seq for tally in tallies for seq, _ in tally.given) == list(range(1, 201))


def test_what_fails_leaves_neither_effect_nor_checkpoint_and_holds_up_its_workspace_only(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    held_up, other = installation.workspace(), installation.workspace()
    installation.commit(held_up, events=20)
    installation.commit(other, events=5)
    tally = Tally(fails_at=10)
    with caplog.at_level(logging.ERROR):
        catch_up(installation, tally, held_up, other, held_up)
    assert tallied(installation, held_up) == checkpoint(installation, held_up) == 7
    assert tallied(installation, other) == checkpoint(installation, other) == 5
    assert [f"tally is held up in workspace {held_up}"] == [record.getMessage() for record in caplog.records]
    tally.fails_at = None
    catch_up(installation, tally, held_up)
    assert tallied(installation, held_up) == 20


def test_a_gap_holds_up_its_workspace_until_it_is_tried_again(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    workspace, other = installation.workspace(), installation.workspace()
    installation.commit(workspace, events=5)
    installation.commit(other, events=5)
    owner = installation.owner
    owner.execute("CREATE TEMP TABLE hole AS SELECT * FROM events WHERE workspace_id = %s AND seq = 3", (workspace,))
    owner.execute("DELETE FROM events WHERE workspace_id = %s AND seq = 3", (workspace,))

    async def work(pool: AsyncPool) -> None:
        patient, eager = Consuming(pool, Tally().consumer), Consuming(pool, Tally().consumer)
        await patient.catch_up(workspace)
        await patient.catch_up(other)
        assert patient.due_again() == []
        monkeypatch.setattr(consuming, "PUT_OFF_SECONDS", 0.0)
        await eager.catch_up(workspace)
        assert eager.due_again() == [workspace]
        assert checkpoint(installation, workspace) == 0
        assert checkpoint(installation, other) == 5
        owner.execute("INSERT INTO events SELECT * FROM hole")
        await patient.catch_up(workspace)
        assert checkpoint(installation, workspace) == 0
        await eager.catch_up(workspace)
        assert eager.due_again() == []

    on_pool(installation, work)
    owner.execute("DROP TABLE hole")
    assert checkpoint(installation, workspace) == 5
    assert caplog.text.count("no entry 3") == 2


def test_when_postgres_was_away_nothing_is_remembered(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.commit(workspace, events=3)
    tally = Tally()

    async def work(pool: AsyncPool) -> None:
        at_work = Consuming(pool, tally.consumer)
        await at_work.catch_up(workspace)
        assert at_work.reached(workspace) == 3
        query = "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE usename = 'daybook_worker'"
        installation.owner.execute(query)
        while not tally.forgot:
            try:
                await at_work.catch_up(workspace)
            except psycopg.OperationalError:
                assert at_work.reached(workspace) == 0

    on_pool(installation, work)
