from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from nats.js.api import AckPolicy, ConsumerConfig, DeliverPolicy

from tests.workers.running import Installation
from workers.consuming import pull as pulling_module
from workers.consuming.pull import Pull, PullError, pulling
from workers.running.broker import STREAM, Broker, Connection, ensure_stream

DURABLE = "puller"


@asynccontextmanager
async def durable(installation: Installation) -> AsyncIterator[Connection]:
    """A durable consumer of what is published from now on."""
    async with Broker(installation.nats.url) as broker:
        connection = await broker.connected()
        await ensure_stream(connection.js)
        config = ConsumerConfig(
            durable_name=DURABLE, deliver_policy=DeliverPolicy.NEW, ack_policy=AckPolicy.EXPLICIT, ack_wait=30.0
        )
        await connection.js.add_consumer(STREAM, config)
        try:
            yield connection
        finally:
            await connection.js.delete_consumer(STREAM, DURABLE)


async def publish(connection: Connection, *numbers: int) -> None:
    for number in numbers:
        await connection.js.publish("daybook.pulled", str(number).encode())


async def gather(pull: Pull, count: int) -> list[int]:
    found: list[int] = []
    while len(found) < count:
        for msg in await pull.next():
            await msg.ack()
            found.append(int(msg.data))
    return found


def test_every_message_comes_once_and_in_order_over_many_requests(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pulling_module, "BATCH", 7)
    monkeypatch.setattr(pulling_module, "_REQUEST", b'{"batch":7,"expires":1000000000}')

    async def main() -> None:
        async with durable(installation) as connection, pulling(connection, DURABLE) as pull:
            publishing = asyncio.create_task(publish(connection, *range(100)))
            assert await gather(pull, 100) == list(range(100))
            await publishing
            assert await pull.next() == []

    asyncio.run(main())


def test_a_message_comes_at_once_though_the_request_is_for_many(installation: Installation) -> None:
    async def main() -> None:
        async with durable(installation) as connection, pulling(connection, DURABLE) as pull:
            waiting = asyncio.create_task(gather(pull, 1))
            await asyncio.sleep(0.2)
            began = time.monotonic()
            await publish(connection, 1)
            assert await waiting == [1]
            assert time.monotonic() - began < 0.5

    asyncio.run(main())


def test_when_requests_expire_others_follow(installation: Installation) -> None:
    async def main() -> None:
        async with durable(installation) as connection, pulling(connection, DURABLE) as pull:
            began = time.monotonic()
            assert await pull.next() == []
            assert await pull.next() == []
            assert time.monotonic() - began < 4
            await publish(connection, 2)
            assert await gather(pull, 1) == [2]

    asyncio.run(main())


def test_it_says_when_the_consumer_is_there_no_more(installation: Installation) -> None:
    async def main() -> None:
        async with durable(installation) as connection, pulling(connection, DURABLE) as pull:
            waiting = asyncio.create_task(gather(pull, 1))
            await asyncio.sleep(0.2)
            await connection.js.delete_consumer(STREAM, DURABLE)
            with pytest.raises(PullError):
                await waiting
            config = ConsumerConfig(durable_name=DURABLE, ack_policy=AckPolicy.EXPLICIT)
            await connection.js.add_consumer(STREAM, config)

    asyncio.run(main())
