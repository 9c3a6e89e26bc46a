"""Over a cluster of NATS servers every event arrives, whichever of them dies."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from pathlib import Path

import nats
import pytest
from nats.errors import Error
from nats.js.api import StreamInfo

from tests.workers.cluster import Cluster, running_cluster
from tests.workers.running import Installation, eventually, running
from workers.relay import relay
from workers.running.broker import STREAM, StreamSettings, ensure_stream
from workers.running.context import WorkerConfig, WorkerContext

KILLS = 3

quick = partial(relay.run, poll=0.05)


@pytest.fixture
def cluster(tmp_path: Path) -> Iterator[Cluster]:
    with running_cluster(tmp_path) as found:
        yield found


@pytest.fixture
def config(installation: Installation, cluster: Cluster) -> WorkerConfig:
    return replace(installation.config, nats_url=cluster.url, stream=StreamSettings(replicas=3))


def ask(cluster: Cluster) -> StreamInfo | None:
    async def info() -> StreamInfo:
        async with await nats.connect(cluster.url.split(","), reconnect_time_wait=0, connect_timeout=1) as client:
            return await client.jetstream(timeout=1).stream_info(STREAM)

    with suppress(Error, OSError):
        return asyncio.run(info())
    return None


def leader(cluster: Cluster, *, replicas: int) -> str | None:
    """Who leads the stream, once so many servers have all of it."""
    info = ask(cluster)
    if info is None or info.cluster is None:
        return None
    current = [peer for peer in info.cluster.replicas or [] if peer.current]
    return info.cluster.leader if len(current) == replicas - 1 else None


def make_stream_on_one_server(config: WorkerConfig) -> None:
    """As it was before the operator asked for replicas."""
    made: list[int | None] = []

    async def make(context: WorkerContext) -> None:
        connection = await context.broker.connected()
        while not made:
            with suppress(Error):  # the cluster has no leader yet
                made.append((await ensure_stream(connection.js)).config.num_replicas)

    with running(config, make):
        eventually(lambda: made == [1], 30)


def kill_leader(cluster: Cluster) -> None:
    """Starts it again when another leads."""
    eventually(lambda: leader(cluster, replicas=3) is not None, 30)
    found = leader(cluster, replicas=3)
    assert found is not None
    cluster.servers[found].kill()
    eventually(lambda: leader(cluster, replicas=2) not in (None, found), 30)
    cluster.servers[found].start()


@pytest.mark.slow
def test_every_event_is_in_the_stream_once_and_in_order_though_its_leader_is_killed_again_and_again(
    installation: Installation, cluster: Cluster, config: WorkerConfig
) -> None:
    make_stream_on_one_server(config)
    workspaces = [installation.workspace() for _ in range(3)]
    done = threading.Event()

    def commit() -> None:
        while not done.wait(0.005):
            for workspace in workspaces:
                installation.commit(workspace)

    writer = threading.Thread(target=commit)
    with running(config, quick):
        writer.start()
        try:
            for _ in range(KILLS):
                kill_leader(cluster)
        finally:
            done.set()
            writer.join()
        installation.wait_for_relay(*workspaces, seconds=30)
    assert replace(installation, config=config).is_complete(*workspaces)
