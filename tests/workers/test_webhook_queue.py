from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from typing import TypeVar
from uuid import UUID

import pytest

from eventstore.ids import new_id
from tests.workers.running import Installation
from workers.running.context import AsyncPool, async_pool
from workers.webhook import queue
from workers.webhook.claimed import Claimed, Due, Endpoint
from workers.webhook.wake import endpoints_of, named

T = TypeVar("T")

_DELIVERIES = """
    INSERT INTO webhook_deliveries (workspace_id, id, webhook_id, seq, event_id, event_type, next_attempt_at)
    SELECT %s, gen_random_uuid(), %s, seq, gen_random_uuid(), 'contact.created', now() + make_interval(secs => %s)
    FROM generate_series(1, %s) AS seq
"""


class Queue:
    """The deliveries of a database, as a worker sees them."""

    def __init__(self, installation: Installation) -> None:
        self._installation = installation

    def add(self, endpoint: Endpoint, count: int, *, due_in: float = -1) -> Endpoint:
        self._installation.owner.execute(_DELIVERIES, (*endpoint, due_in, count))
        return endpoint

    def run(self, use: Callable[[AsyncPool], Awaitable[T]]) -> T:
        async def opened() -> T:
            async with async_pool(self._installation.config.database_url) as pool:
                return await use(pool)

        return asyncio.run(opened())

    def look(self, after: UUID | None = None) -> tuple[list[Due], bool]:
        return self.run(lambda pool: queue.look(pool, after))

    def claim(self, asked: dict[Endpoint, int], *, seconds: float = 60) -> list[Claimed]:
        return self.run(lambda pool: queue.claim(pool, new_id(), asked, seconds=seconds))


@pytest.fixture
def deliveries(installation: Installation) -> Iterator[Queue]:
    installation.owner.execute("DELETE FROM webhook_deliveries")
    yield Queue(installation)
    installation.owner.execute("DELETE FROM webhook_deliveries")


def endpoints(count: int) -> list[Endpoint]:
    """Endpoints of as many workspaces, in order of their ids."""
    return sorted((Endpoint(new_id(), new_id()) for _ in range(count)), key=lambda endpoint: endpoint.webhook_id)


def test_a_look_finds_the_endpoints_of_all_workspaces_that_something_is_due_for(deliveries: Queue) -> None:
    one, two, later = endpoints(3)
    deliveries.add(one, 2)
    deliveries.add(two, 1)
    deliveries.add(later, 3, due_in=60)
    assert deliveries.look() == ([Due(one, 2), Due(two, 1)], True)
    assert deliveries.look(after=one.webhook_id) == ([Due(two, 1)], True)


def test_a_long_queue_takes_up_one_look_and_the_next_goes_on_behind_it(deliveries: Queue) -> None:
    long, short = endpoints(2)
    deliveries.add(long, queue.LOOK + 500)
    deliveries.add(short, 1)
    assert deliveries.look() == ([Due(long, queue.LOOK)], False)
    assert deliveries.look(after=long.webhook_id) == ([Due(short, 1)], True)


def test_a_look_locks_nothing_and_leases_nothing(deliveries: Queue) -> None:
    (endpoint,) = endpoints(1)
    deliveries.add(endpoint, 1)

    async def look_while_looking(pool: AsyncPool) -> tuple[list[Due], bool]:
        async with pool.connection() as conn, conn.transaction():
            await conn.execute(queue._DUE, (UUID(int=0), 10))
            return await queue.look(pool, None)

    assert deliveries.run(look_while_looking) == ([Due(endpoint, 1)], True)
    assert len(deliveries.claim({endpoint: 1})) == 1


def test_what_was_seen_due_is_claimed_once_however_many_saw_it(deliveries: Queue) -> None:
    """Between look and claim others may come: the claim asks again."""
    asked = {deliveries.add(endpoint, 5): 5 for endpoint in endpoints(4)}

    async def together(pool: AsyncPool) -> list[list[Claimed]]:
        return await asyncio.gather(*(queue.claim(pool, new_id(), asked, seconds=60) for _ in range(4)))

    claimed = [item.id for items in deliveries.run(together) for item in items]
    assert len(claimed) == len(set(claimed)) == 20
    assert deliveries.claim(asked) == []
    assert deliveries.look() == ([], True)


def test_of_each_endpoint_so_many_are_claimed_as_were_asked_for(deliveries: Queue) -> None:
    one, two = endpoints(2)
    deliveries.add(one, 5)
    deliveries.add(two, 5)
    claimed = deliveries.claim({one: 3, two: 1})
    assert [item.endpoint for item in claimed] == [one] * 3 + [two]
    assert [item.seq for item in claimed[:3]] == [1, 2, 3]


def test_nothing_is_claimed_in_a_workspace_that_it_is_not_of(deliveries: Queue) -> None:
    one, two = endpoints(2)
    deliveries.add(one, 1)
    assert deliveries.claim({Endpoint(two.workspace_id, one.webhook_id): 1}) == []


def test_a_lapsed_lease_is_due_again(deliveries: Queue) -> None:
    (endpoint,) = endpoints(1)
    deliveries.add(endpoint, 1)
    assert len(deliveries.claim({endpoint: 1}, seconds=0)) == 1
    assert deliveries.look() == ([Due(endpoint, 1)], True)
    assert len(deliveries.claim({endpoint: 1})) == 1


def test_a_hint_names_the_workspace_and_its_endpoints() -> None:
    workspace_id, one, two = new_id(), new_id(), new_id()
    assert endpoints_of(named(workspace_id, [one, two])) == [Endpoint(workspace_id, one), Endpoint(workspace_id, two)]


def test_a_hint_about_very_many_stands_for_all() -> None:
    assert endpoints_of(named(new_id(), [new_id() for _ in range(1001)])) == []


@pytest.mark.parametrize("message", [b"", b"fifteen bytes.."])
def test_a_hint_that_is_none_stands_for_all(message: bytes) -> None:
    assert endpoints_of(message) == []
