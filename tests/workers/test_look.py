from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from functools import partial
from typing import TypeVar
from uuid import UUID

import pytest

from eventstore.consuming import Batch
from eventstore.ids import new_id
from tests.workers.running import Installation, eventually, running
from workers.consuming import look as looking
from workers.consuming.consumer import Consumer
from workers.consuming.feed import feed
from workers.consuming.look import Look
from workers.running.context import AsyncDb, AsyncPool, async_pool

T = TypeVar("T")

MANY = 20_000


@pytest.fixture
def crowd(installation: Installation) -> Iterator[list[UUID]]:
    """Very many workspaces whose logs a consumer has come to the end of; in order of their keys."""
    owner = installation.owner
    owner.execute("DELETE FROM log_heads")
    ids = sorted(new_id() for _ in range(MANY))
    owner.execute("INSERT INTO log_heads (workspace_id, seq) SELECT id, 1 FROM unnest(%s::uuid[]) AS id", (ids,))
    owner.execute("INSERT INTO consumer_checkpoints SELECT id, 'watch', 1 FROM unnest(%s::uuid[]) AS id", (ids,))
    owner.execute("INSERT INTO consumer_checkpoints SELECT id, 'other', 1 FROM unnest(%s::uuid[]) AS id", (ids,))
    owner.execute("ANALYZE log_heads")
    owner.execute("ANALYZE consumer_checkpoints")
    yield ids
    owner.execute("DELETE FROM log_heads")
    owner.execute("DELETE FROM consumer_checkpoints WHERE consumer IN ('watch', 'other')")


def looked(installation: Installation, work: Callable[[Look], Awaitable[T]]) -> T:
    async def main() -> T:
        async with async_pool(installation.config.database_url, size=2) as pool:
            found = await work(Look(pool, "watch"))
            await _told(pool)
            return found

    return asyncio.run(main())


async def _told(pool: AsyncPool) -> None:
    """Has the connections count what they read."""
    async with pool.connection() as one, pool.connection() as other:
        for conn in (one, other):
            await conn.execute("SELECT pg_stat_force_next_flush()")
            await conn.execute("SELECT 1")


def read_so_far(installation: Installation) -> int:
    """Rows of the tables that are looked at, read by anybody."""
    query = (
        "SELECT sum(seq_tup_read + idx_tup_fetch) FROM pg_stat_user_tables"
        " WHERE relname IN ('log_heads', 'consumer_checkpoints')"
    )
    installation.owner.execute("SELECT pg_stat_clear_snapshot()")
    row = installation.owner.execute(query).fetchone()
    assert row is not None
    return int(row[0])


def test_a_look_reads_a_slice_however_many_workspaces_there_are(
    installation: Installation, crowd: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "SLICE", 100)
    before = read_so_far(installation)
    assert looked(installation, Look.slice) == []
    assert 100 <= read_so_far(installation) - before <= 250
    assert len(crowd) == MANY


def test_slice_by_slice_every_workspace_that_is_behind_is_found_once_a_round(
    installation: Installation, crowd: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "SLICE", 3_000)
    behind = [crowd[0], crowd[2_999], crowd[3_000], crowd[12_345], crowd[-1]]
    new = UUID(int=crowd[-1].int + 1)  # without a checkpoint
    installation.owner.execute("UPDATE log_heads SET seq = 3 WHERE workspace_id = ANY(%s)", (behind,))
    installation.owner.execute("INSERT INTO log_heads (workspace_id, seq) VALUES (%s, 5)", (new,))

    async def rounds(look: Look) -> list[list[UUID]]:
        found = []
        for _ in range(2):
            found.append(list[UUID]())
            while True:
                found[-1] += await look.slice()
                if look.at_beginning:
                    break
        return found

    assert looked(installation, rounds) == [[*behind, new]] * 2
    assert looking.LAG.labels("watch")._value.get() == 15


def test_after_the_beginning_was_asked_for_a_round_begins_anew(
    installation: Installation, crowd: list[UUID], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "SLICE", 5)
    installation.owner.execute("UPDATE log_heads SET seq = 3 WHERE workspace_id = %s", (crowd[0],))

    async def again(look: Look) -> list[list[UUID]]:
        first, second = await look.slice(), await look.slice()
        look.begin()
        return [first, second, await look.slice()]

    assert looked(installation, again) == [[crowd[0]], [], [crowd[0]]]


async def _nothing(_: AsyncDb, __: Batch) -> None:
    """What a consumer without an effect makes of a batch."""


WATCH = Consumer(name="watch", apply=_nothing)


def is_consumed(installation: Installation, workspace_id: UUID) -> bool:
    query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'watch'"
    row = installation.owner.execute(query, (workspace_id,)).fetchone()
    return row == (installation.head(workspace_id),)


def test_without_messages_every_look_is_at_all_workspaces(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "SLICE", 2)
    workspaces = [installation.workspace() for _ in range(7)]
    installation.nats.stop()
    with running(installation.config, partial(feed, consumers=[WATCH], reconcile=1.0)):
        for _ in range(2):
            for workspace in workspaces:
                installation.commit(workspace)
            eventually(lambda: all(is_consumed(installation, workspace) for workspace in workspaces), 3)


def test_after_a_break_in_the_messages_all_workspaces_are_looked_at_at_once(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looking, "SLICE", 2)
    workspaces = [installation.workspace() for _ in range(7)]
    with running(installation.config, partial(feed, consumers=[WATCH], reconcile=60)):
        for _ in range(2):
            for workspace in workspaces:
                installation.commit(workspace)  # there is no relay, and so no message
            installation.nats.stop()
            installation.nats.start()
            eventually(lambda: all(is_consumed(installation, workspace) for workspace in workspaces))
