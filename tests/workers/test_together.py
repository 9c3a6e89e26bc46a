"""Several consumers that are fed together: one transaction for all, and none holds up another."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar
from uuid import UUID

import pytest
from nats.js.api import ConsumerConfig

from domain.kernel import Event
from eventstore.consuming import BEHIND, batch
from eventstore.mapper import EventMapper
from tests.workers.running import Installation, eventually, running
from tests.workers.tally import Tally, checkpoint, tallied
from workers.consuming import consumer as consuming
from workers.consuming.consumer import Consuming
from workers.consuming.feed import feed
from workers.relay import relay
from workers.running.broker import STREAM, ensure_stream
from workers.running.context import AsyncPool, WorkerContext, async_pool

T = TypeVar("T")


def on_pool(installation: Installation, work: Callable[[AsyncPool], Awaitable[T]]) -> T:
    async def main() -> T:
        async with async_pool(installation.config.database_url) as pool:
            return await work(pool)

    return asyncio.run(main())


def catch_up(installation: Installation, tallies: list[Tally], *workspaces: UUID) -> None:
    on_pool(installation, lambda pool: Consuming(pool, *(tally.consumer for tally in tallies)).catch_up(*workspaces))


def transactions(installation: Installation, *workspaces: UUID) -> int:
    """How many wrote the checkpoints that these workspaces have now."""
    query = "SELECT count(DISTINCT xmin::text) FROM consumer_checkpoints WHERE workspace_id = ANY(%s)"
    row = installation.owner.execute(query, ([*workspaces],)).fetchone()
    assert row is not None
    return int(row[0])


def test_what_several_make_of_several_workspaces_is_one_transaction(installation: Installation) -> None:
    workspaces = [installation.workspace() for _ in range(3)]
    tallies = [Tally("one", limit=100, reads=frozenset({"tag"})), Tally("other", limit=100)]
    for events in (4, 5):
        for workspace in workspaces:
            installation.commit(workspace, events=events)
        catch_up(installation, tallies, *workspaces)
        assert transactions(installation, *workspaces) == 1
    for workspace in workspaces:
        for tally in tallies:
            assert tallied(installation, workspace, tally.name) == checkpoint(installation, workspace, tally.name) == 9
    assert all(data is not None for tally in tallies for _, data in tally.given)


def test_who_fails_holds_up_neither_the_others_nor_other_workspaces(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    held_up, other = installation.workspace(), installation.workspace()
    installation.commit(held_up, events=20)
    installation.commit(other, events=5)
    well, failing = Tally("well"), Tally("failing", fails_at=10)
    monkeypatch.setattr(consuming, "PUT_OFF_SECONDS", 0.0)

    async def work(pool: AsyncPool) -> None:
        at_work = Consuming(pool, well.consumer, failing.consumer)
        await at_work.catch_up(held_up, other)
        assert at_work.due_again() == [held_up]
        assert checkpoint(installation, held_up, "failing") in range(10)
        installation.commit(held_up, events=10)
        await at_work.catch_up(held_up)
        assert checkpoint(installation, held_up, "well") == 30
        failing.fails_at = None
        await at_work.catch_up(held_up)
        assert at_work.due_again() == []

    on_pool(installation, work)
    assert "failing is held up in workspace" in caplog.text
    assert "well is held up" not in caplog.text
    for name in ("well", "failing"):
        assert tallied(installation, held_up, name) == checkpoint(installation, held_up, name) == 30
        assert tallied(installation, other, name) == checkpoint(installation, other, name) == 5
    for tally in (well, failing):
        assert sorted(seq for seq, _ in tally.given) == sorted([*range(1, 31), *range(1, 6)])


def test_who_is_behind_catches_up_by_itself_and_has_each_effect_once(installation: Installation) -> None:
    workspace = installation.workspace()
    early, late = Tally("early"), Tally("late")
    installation.commit(workspace, events=20)
    catch_up(installation, [early], workspace)
    installation.commit(workspace, events=3)
    catch_up(installation, [early, late], workspace)
    for name in ("early", "late"):
        assert tallied(installation, workspace, name) == checkpoint(installation, workspace, name) == 23
    assert [seq for seq, _ in late.given] == [seq for seq, _ in early.given] == list(range(1, 24))


def test_several_processes_have_each_effect_of_each_consumer_once(installation: Installation) -> None:
    workspaces = [installation.workspace() for _ in range(3)]
    tallies = [[Tally("one"), Tally("other")] for _ in range(2)]
    loops = [
        partial(feed, consumers=[tally.consumer for tally in some], name="both", reconcile=0.1) for some in tallies
    ]
    with (
        running(installation.config, partial(relay.run, poll=0.05), loops[0]) as context,
        running(installation.config, loops[1]),
    ):
        for _ in range(10):
            for workspace in workspaces:
                installation.commit(workspace, events=5, store=context.store)
        for workspace in workspaces:
            eventually(lambda: {checkpoint(installation, workspace, name) for name in ("one", "other")} == {50})  # noqa: B023 - called in this turn
    for name in ("one", "other"):
        assert [tallied(installation, workspace, name) for workspace in workspaces] == [50] * 3


def test_one_message_wakes_all_that_are_fed_together(installation: Installation) -> None:
    """What woke them when each was fed by itself is taken away."""
    one, other = Tally("one"), Tally("other")
    names: list[str] = []

    async def look(context: WorkerContext) -> None:
        js = (await context.broker.connected()).js
        await ensure_stream(js)
        await js.add_consumer(STREAM, ConsumerConfig(durable_name="one"))
        feeding = asyncio.create_task(feed(context, [one.consumer, other.consumer], name="both"))
        while names != ["both"]:
            names[:] = sorted(info.name for info in await js.consumers_info(STREAM))
            await asyncio.sleep(0.02)
        await feeding

    with running(installation.config, look):
        eventually(lambda: names == ["both"])


def test_an_event_is_decoded_once_for_all_that_ask(installation: Installation) -> None:
    workspace = installation.workspace()
    installation.import_contacts(workspace, 3)
    decoded: list[str] = []

    class Counting(EventMapper):
        def decode(self, stream_id: UUID, event_type: str, data: bytes | str) -> Event:
            decoded.append(event_type)
            return super().decode(stream_id, event_type, data)

    found = batch(workspace, 0, installation.owner.execute(BEHIND, (["contact"], workspace, 0, 9, 9)))
    mappers = [Counting(), Counting()]
    told = [[found.event(entry, mapper) for entry in found.entries] for mapper in mappers]
    assert told[0] == told[1]
    assert None not in told[0]
    assert decoded == ["contact.created"] * len(found.entries)
