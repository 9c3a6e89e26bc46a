from __future__ import annotations

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable
from typing import TypeVar
from uuid import UUID

import pytest

from domain.tag import TAG, CreateTag
from eventstore.ids import new_id
from schemas.webhook import WebhookPatch
from tests.logs import opened_log
from tests.workers.hooks import Expanding, Hooks
from tests.workers.running import Installation
from workers.running.context import AsyncPool, async_pool
from workers.webhook import expander as webhook_expander

URL = "http://127.0.0.1:9/hook"

T = TypeVar("T")


@pytest.fixture
def hooks(installation: Installation) -> Hooks:
    return Hooks(installation)


def on_pool(hooks: Hooks, work: Callable[[AsyncPool], Awaitable[T]]) -> T:
    async def main() -> T:
        async with async_pool(hooks.config.database_url) as pool:
            return await work(pool)

    return asyncio.run(main())


def expand(hooks: Hooks, expander: Expanding | None = None) -> set[UUID]:
    async def work(pool: AsyncPool) -> set[UUID]:
        return await (expander or Expanding(pool)).expand(hooks.workspace_id)

    return on_pool(hooks, work)


def made(hooks: Hooks) -> set[tuple[UUID, int]]:
    """Every delivery of the workspace, by endpoint and event."""
    query = "SELECT webhook_id, seq FROM webhook_deliveries WHERE workspace_id = %s"
    rows = hooks.installation.owner.execute(query, (hooks.workspace_id,)).fetchall()
    found = {(row[0], row[1]) for row in rows}
    assert len(found) == len(rows)
    return found


def expanded_to(hooks: Hooks) -> int | None:
    query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'webhooks'"
    row = hooks.installation.owner.execute(query, (hooks.workspace_id,)).fetchone()
    return None if row is None else row[0]


def tag(hooks: Hooks) -> None:
    hooks.act(lambda unit: unit.begin(TAG, tag_id := new_id(), CreateTag(name=f"tag {tag_id}")))


def test_an_endpoint_gets_what_it_asked_for_from_its_creation_on(hooks: Hooks) -> None:
    hooks.contact()  # 1
    contacts = hooks.create(URL, "contact.*")  # 2
    both = hooks.create(URL, "contact.created", "tag.created")  # 3
    everything = hooks.create(URL, "*")  # 4
    off = hooks.create(URL, "*", active=False)  # 5
    hooks.contact()  # 6
    tag(hooks)  # 7
    assert expand(hooks) == {contacts, both, everything}
    assert made(hooks) == {
        (contacts, 6),
        (both, 6),
        (both, 7),
        *((everything, seq) for seq in (4, 5, 6, 7)),
    }
    assert expanded_to(hooks) == 7
    assert off not in {webhook_id for webhook_id, _ in made(hooks)}


def test_what_counts_is_how_an_endpoint_stood_when_it_happened_however_late_that_is_looked_at(hooks: Hooks) -> None:
    webhook_id = hooks.create(URL, "contact.*")  # 1
    hooks.contact()  # 2: wanted
    hooks.change(webhook_id, WebhookPatch(events=("tag.*",)))  # 3
    hooks.contact()  # 4: no longer
    tag(hooks)  # 5: wanted
    hooks.change(webhook_id, WebhookPatch(active=False))  # 6
    tag(hooks)  # 7: off
    hooks.change(webhook_id, WebhookPatch(active=True, events=("*",)))  # 8: itself wanted
    hooks.contact()  # 9: wanted
    hooks.delete(webhook_id)  # 10
    hooks.contact()  # 11
    expand(hooks)
    assert made(hooks) == {(webhook_id, seq) for seq in (2, 5, 8, 9)}


def test_the_deliveries_name_the_event(hooks: Hooks) -> None:
    hooks.create(URL, "contact.*")
    hooks.contact()
    expand(hooks)
    entry = opened_log(hooks.services.pool, hooks.workspace_id)[-1]
    query = "SELECT event_id, event_type, status FROM webhook_deliveries WHERE workspace_id = %s"
    rows = hooks.installation.owner.execute(query, (hooks.workspace_id,)).fetchall()
    assert rows == [(entry.id, "contact.created", "pending")]


def test_events_of_a_workspace_without_endpoints_are_ignored_for_a_moment(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work(pool: AsyncPool) -> None:
        expander = Expanding(pool)
        ignores = expander.consumer.ignores
        workspace_id = hooks.workspace_id
        hooks.contact()  # 1
        assert not ignores(workspace_id, "contact.created")  # nothing is known yet
        await expander.expand(workspace_id)
        assert ignores(workspace_id, "contact.created")
        assert not ignores(workspace_id, "webhook.created")
        hooks.contact()  # 2: ignored by whoever got the message
        monkeypatch.setattr(webhook_expander, "BELIEVED_SECONDS", 0.0)
        await expander.expand(workspace_id)
        assert not ignores(workspace_id, "contact.created")  # the moment is over
        monkeypatch.undo()
        webhook_id = hooks.create(URL, "contact.*")  # 3
        hooks.contact()  # 4
        assert await expander.expand(workspace_id) == {webhook_id}
        assert made(hooks) == {(webhook_id, 4)}
        assert not ignores(workspace_id, "contact.created")
        assert expanded_to(hooks) == 4

    on_pool(hooks, work)


class Happenings:
    """Endpoints come, change and go, and events happen; and who is to get which, worked out by hand."""

    def __init__(self, hooks: Hooks, chance: random.Random) -> None:
        self.hooks = hooks
        self.chance = chance
        self.asked: dict[UUID, tuple[str, ...]] = {}
        self.expected: set[tuple[UUID, int]] = set()

    def step(self) -> None:
        """A unit of work of one event."""
        happened = self.chance.choice((self.come, self.change, self.go, self.tag, self.contact, self.contact))()
        seq = self.hooks.installation.head(self.hooks.workspace_id)
        matching = {"*", f"{happened.split('.')[0]}.*", happened}
        self.expected |= {(webhook_id, seq) for webhook_id, asked in self.asked.items() if matching & set(asked)}

    def events(self) -> tuple[str, ...]:
        some = (("contact.*",), ("tag.created",), ("*",), ("contact.created", "webhook.*"))
        return self.chance.choice(some)

    def come(self) -> str:
        events = self.events()
        self.asked[self.hooks.create(URL, *events)] = events
        return "webhook.created"

    def change(self) -> str:
        webhook_id = self.chance.choice([*self.asked, None])
        events = self.events()
        if webhook_id is None or self.asked[webhook_id] == events:
            return self.contact()
        self.hooks.change(webhook_id, WebhookPatch(events=events))
        self.asked[webhook_id] = events
        return "webhook.updated"

    def go(self) -> str:
        webhook_id = self.chance.choice([*self.asked, None])
        if webhook_id is None:
            return self.contact()
        self.hooks.delete(webhook_id)
        del self.asked[webhook_id]
        return "webhook.deleted"

    def tag(self) -> str:
        tag(self.hooks)
        return "tag.created"

    def contact(self) -> str:
        self.hooks.contact()
        return "contact.created"


@pytest.mark.parametrize("seed", range(4))
def test_whatever_happens_while_several_expand_each_delivery_is_made_once_and_none_is_missing(
    hooks: Hooks, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, seed: int
) -> None:
    monkeypatch.setattr(webhook_expander, "BATCH", 3)
    chance = random.Random(seed)
    happenings = Happenings(hooks, chance)

    async def work(pool: AsyncPool) -> None:
        expanders = [Expanding(pool) for _ in range(3)]

        async def happen() -> None:
            for _ in range(60):
                await asyncio.to_thread(happenings.step)

        async def now_and_then(expander: Expanding) -> None:
            while not happening.done():
                await asyncio.sleep(chance.random() * 0.02)
                await expander.expand(hooks.workspace_id)

        happening = asyncio.create_task(happen())
        await asyncio.gather(happening, *(now_and_then(expander) for expander in expanders))
        await asyncio.gather(*(expander.expand(hooks.workspace_id) for expander in expanders))

    on_pool(hooks, work)
    assert caplog.records == []
    assert happenings.expected
    assert made(hooks) == happenings.expected
    assert expanded_to(hooks) == hooks.installation.head(hooks.workspace_id)


def test_a_memory_from_behind_the_checkpoint_is_not_used(hooks: Hooks) -> None:
    """The database was put back to an earlier state while the process went on."""
    hooks.contact()  # 1
    webhook_id = hooks.create(URL, "*")  # 2

    async def work(pool: AsyncPool) -> None:
        expander = Expanding(pool)
        await expander.expand(hooks.workspace_id)
        owner = hooks.installation.owner
        owner.execute("DELETE FROM webhook_deliveries WHERE workspace_id = %s", (hooks.workspace_id,))
        owner.execute(
            "UPDATE consumer_checkpoints SET seq = 0 WHERE workspace_id = %s AND consumer = 'webhooks'",
            (hooks.workspace_id,),
        )
        await expander.expand(hooks.workspace_id)

    on_pool(hooks, work)
    assert made(hooks) == {(webhook_id, 2)}


def test_with_many_endpoints_a_transaction_takes_fewer_events(hooks: Hooks, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(webhook_expander, "DELIVERIES", 20)
    ids = {hooks.create(URL, "contact.*") for _ in range(10)}
    hooks.contacts(9)
    assert expand(hooks) == ids
    assert made(hooks) == {(webhook_id, seq) for webhook_id in ids for seq in range(11, 20)}


def test_a_log_with_a_hole_holds_up_its_workspace_and_no_other(hooks: Hooks, caplog: pytest.LogCaptureFixture) -> None:
    hooks.create(URL, "contact.*")
    hooks.contact()
    hooks.contact()
    hooks.installation.owner.execute("DELETE FROM events WHERE workspace_id = %s AND seq = 2", (hooks.workspace_id,))
    neighbour = hooks.another()
    webhook_id = neighbour.create(URL, "contact.*")
    neighbour.contact()

    async def work(pool: AsyncPool) -> None:
        expander = Expanding(pool)
        for _ in range(2):
            await expander.expand(hooks.workspace_id)
        await expander.expand(neighbour.workspace_id)

    with caplog.at_level(logging.ERROR):
        on_pool(hooks, work)
    assert made(hooks) == set()
    assert made(neighbour) == {(webhook_id, 2)}
    assert ["no entry 2" in record.getMessage() for record in caplog.records] == [True]
    hooks.installation.owner.execute("DELETE FROM log_heads WHERE workspace_id = %s", (hooks.workspace_id,))
