from __future__ import annotations

import asyncio
import json
import logging
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from functools import partial
from typing import TypeVar
from uuid import UUID

import psycopg
import pytest

from tests.workers.running import Installation, eventually, running
from tests.workers.tally import Tally, checkpoint, tallied
from workers.consuming import consumer as consuming
from workers.consuming.consumer import Consuming
from workers.consuming.feed import feed
from workers.relay import relay
from workers.running.context import AsyncPool, async_pool

T = TypeVar("T")

PROCESS = """
import asyncio, json, sys
from functools import partial
from tests.workers.tally import Tally
from workers.consuming.feed import feed
from workers.relay import relay
from workers.running import lease, runner
from workers.running.context import WorkerConfig
database_url, nats_url = json.loads(sys.argv[1])
lease.IDLE_SECONDS = 2
loops = {"relay": partial(relay.run, poll=0.1), "tally": partial(feed, consumers=[Tally().consumer], reconcile=0.2)}
config = WorkerConfig(database_url, nats_url, bytes(32))
asyncio.run(runner.run(config, workers={name: {name: loop} for name, loop in loops.items()}))
"""


@contextmanager
def worker(installation: Installation) -> Iterator[subprocess.Popen[bytes]]:
    """A relay and the consumer in a process of its own; killed at the end where it still runs."""
    settings = json.dumps([installation.config.database_url, installation.config.nats_url])
    with subprocess.Popen([sys.executable, "-c", PROCESS, settings]) as process:
        try:
            yield process
        finally:
            process.kill()


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

    held_up = consuming.HELD_UP.labels("tally")._value.get()
    on_pool(installation, work)
    owner.execute("DROP TABLE hole")
    assert checkpoint(installation, workspace) == 5
    assert consuming.HELD_UP.labels("tally")._value.get() == held_up + 2
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


def test_two_workers_that_follow_messages_have_each_effect_once(installation: Installation) -> None:
    workspaces = [installation.workspace() for _ in range(3)]
    tallies = [Tally(), Tally()]
    at_work = [partial(feed, consumers=[tally.consumer], reconcile=0.1) for tally in tallies]
    with (
        running(installation.config, partial(relay.run, poll=0.05), at_work[0]) as context,
        running(installation.config, at_work[1]),
    ):
        for _ in range(20):
            for workspace in workspaces:
                installation.commit(workspace, events=5, store=context.store)
        for workspace in workspaces:
            eventually(lambda: checkpoint(installation, workspace) == 100)  # noqa: B023 - called in this turn
    assert [tallied(installation, workspace) for workspace in workspaces] == [100] * 3
    assert sum(len(tally.given) for tally in tallies) == 300


def test_killed_in_a_burst_again_and_again_nothing_is_lost_or_applied_twice(installation: Installation) -> None:
    workspaces = [installation.workspace() for _ in range(2)]
    busy, quiet = workspaces
    installation.import_contacts(busy, 3_000)
    for kill_at in (300, 900, 1_700):
        with worker(installation) as process:
            installation.commit(quiet, events=50)
            eventually(lambda: (checkpoint(installation, busy) or 0) >= kill_at, 20)  # noqa: B023 - called in this turn
            process.kill()
            process.wait()
        assert tallied(installation, busy) == checkpoint(installation, busy)
        assert (checkpoint(installation, busy) or 0) < 3_000
    with worker(installation):
        for workspace in workspaces:
            end = installation.head(workspace)
            eventually(lambda: checkpoint(installation, workspace) == end, 20)  # noqa: B023 - called in this turn
    assert [tallied(installation, workspace) for workspace in workspaces] == [3_000, 150]
