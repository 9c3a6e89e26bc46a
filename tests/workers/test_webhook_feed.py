from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from uuid import UUID

import pytest
from nats.js.errors import NotFoundError

from tests.receiver import Answer, Endpoint, Receiver, receiving
from tests.workers.hooks import QUICK, Hooks
from tests.workers.running import Installation, eventually, on_nats, running
from workers.relay import relay
from workers.running.broker import STREAM, Connection
from workers.webhook import feed as webhook_feed
from workers.webhook.expander import CONSUMER

PROCESS = """
import asyncio, json, sys
from functools import partial
from workers.relay import relay
from workers.running import lease, runner
from workers.webhook import delivery as webhook_delivery
from workers.webhook import feed as webhook_feed
from workers.running.context import WorkerConfig
from workers.webhook.delivery import Delivering
database_url, nats_url = json.loads(sys.argv[1])
lease.IDLE_SECONDS = 2
settings = Delivering(timeout=1, lease=2, poll=0.1)
loops = {
    "relay": partial(relay.run, poll=0.1),
    "feed": partial(webhook_feed.run, reconcile=0.2),
    "delivery": partial(webhook_delivery.run, settings=settings),
}
config = WorkerConfig(database_url, nats_url, bytes(range(32)), allow_private_webhooks=True)
asyncio.run(runner.run(config, workers={name: {name: loop} for name, loop in loops.items()}))
"""


@pytest.fixture(scope="module")
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


@pytest.fixture
def hooks(installation: Installation) -> Hooks:
    return Hooks(installation)


@contextmanager
def worker(hooks: Hooks) -> Iterator[subprocess.Popen[bytes]]:
    """A worker with all that webhooks take, in a process of its own; killed at the end where it still runs."""
    settings = json.dumps([hooks.config.database_url, hooks.config.nats_url])
    with subprocess.Popen([sys.executable, "-W", "error", "-c", PROCESS, settings]) as process:
        try:
            yield process
        finally:
            process.kill()


def has(endpoint: Endpoint, count: int) -> bool:
    return len(set(endpoint.ids)) >= count


def expected_ids(hooks: Hooks) -> set[str]:
    rows = hooks.installation.owner.execute(
        "SELECT event_id FROM events WHERE workspace_id = %s AND type = 'contact.created'", (hooks.workspace_id,)
    )
    return {str(row[0]) for row in rows}


def consumer(hooks: Hooks) -> dict[str, int]:
    """What NATS knows of the consumer that expanders share; nothing where there is none."""

    async def ask(connection: Connection) -> dict[str, int]:
        try:
            found = await connection.js.consumer_info(STREAM, CONSUMER)
        except NotFoundError:
            return {}
        return {
            "acknowledged": found.ack_floor.stream_seq if found.ack_floor else 0,
            "unacknowledged": found.num_ack_pending or 0,
            "pending": found.num_pending or 0,
            "waiting": found.num_waiting or 0,
        }

    return on_nats(hooks.installation, ask)


def test_killed_half_way_again_and_again_every_event_arrives_at_every_endpoint(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoints = [receiver.endpoint(Answer(after=0.01)) for _ in range(3)]
    ids = [hooks.create(endpoint) for endpoint in endpoints]
    hooks.contacts(150)
    kills = (40, 110, 200)
    for count in kills:
        with worker(hooks) as process:
            eventually(partial(has, endpoints[0], count), 20)
            process.kill()
            process.wait()
        assert not all(hooks.completed(webhook_id, 300) for webhook_id in ids)
        if count == kills[0]:
            hooks.contacts(150)
    with worker(hooks):
        eventually(lambda: all(hooks.completed(webhook_id, 300) for webhook_id in ids), 20)
    expected = expected_ids(hooks)
    assert len(expected) == 300
    for endpoint, webhook_id in zip(endpoints, ids, strict=True):
        assert set(endpoint.ids) == expected
        assert len(endpoint.ids) <= 300 + len(kills) * 3 * QUICK.per_endpoint  # on their way, or not yet written down
        assert hooks.statuses(webhook_id) == {"succeeded"}


def test_while_nats_is_down_commands_succeed_and_deliveries_arrive_all_the_same(
    hooks: Hooks, receiver: Receiver
) -> None:
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    with hooks.working() as context:
        hooks.contact(context.store)
        eventually(partial(has, endpoint, 1))
        hooks.installation.nats.stop()
        hooks.contact(context.store)
        eventually(partial(has, endpoint, 2))
        hooks.installation.nats.start()
        hooks.contact(context.store)
        eventually(lambda: hooks.completed(webhook_id, 3))
    assert len(endpoint.got) == 3


def test_when_nats_has_lost_its_storage_nothing_is_missing_or_sent_twice(hooks: Hooks, receiver: Receiver) -> None:
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint)
    with hooks.working() as context:
        hooks.contacts(20)
        eventually(lambda: hooks.completed(webhook_id, 20))
        hooks.installation.nats.stop()
        shutil.rmtree(Path(hooks.installation.nats._folder, "jetstream"))
        hooks.contacts(20)
        hooks.installation.nats.start()
        eventually(lambda: hooks.completed(webhook_id, 40))
        hooks.contact(context.store)
        eventually(lambda: hooks.completed(webhook_id, 41))
        eventually(lambda: consumer(hooks).get("acknowledged", 0) > 0)  # it is followed again
    assert len(endpoint.got) == 41


def forget_consumer(hooks: Hooks) -> None:
    """Those of tests before may have ended with messages in hand, which are given out again after a while only."""

    async def ask(connection: Connection) -> None:
        with suppress(NotFoundError):
            await connection.js.delete_consumer(STREAM, CONSUMER)

    on_nats(hooks.installation, ask)


def test_messages_alone_are_enough_and_all_of_them_are_acknowledged(hooks: Hooks) -> None:
    forget_consumer(hooks)
    webhook_id = hooks.create("http://127.0.0.1:9/hook")
    with running(hooks.config, partial(relay.run, poll=0.1), partial(webhook_feed.run, reconcile=60)) as context:
        eventually(lambda: context.broker.connection is not None)
        hooks.installation.wait_for_relay(hooks.workspace_id)
        eventually(lambda: is_followed(hooks))
        for _ in range(5):
            hooks.contact(context.store)
        eventually(lambda: len(hooks.deliveries(webhook_id)) == 5)
        eventually(lambda: consumer(hooks)["unacknowledged"] == consumer(hooks)["pending"] == 0)
    hooks.installation.owner.execute("UPDATE webhook_deliveries SET status = 'cancelled' WHERE status = 'pending'")


def is_followed(hooks: Hooks) -> bool:
    """Whether somebody waits for messages."""
    return consumer(hooks).get("waiting", 0) > 0


def test_two_processes_share_the_work_and_nothing_is_sent_twice(hooks: Hooks, receiver: Receiver) -> None:
    endpoints = [receiver.endpoint() for _ in range(4)]
    ids: list[UUID] = [hooks.create(endpoint) for endpoint in endpoints]
    with hooks.working(), hooks.working():
        for _ in range(3):
            hooks.contacts(50)
        eventually(lambda: all(hooks.completed(webhook_id, 150) for webhook_id in ids))
    for endpoint in endpoints:
        assert len(endpoint.ids) == 150
        assert set(endpoint.ids) == expected_ids(hooks)


def test_stopped_while_there_is_no_nats_it_ends_at_once(hooks: Hooks) -> None:
    hooks.installation.nats.stop()
    with hooks.working() as context:
        asyncio.run(asyncio.sleep(0.2))
        assert context.broker.connection is None
