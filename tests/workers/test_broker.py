from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from daybook.embedded import EmbeddedNats
from tests.workers.running import Installation, eventually, on_nats, running
from workers.running.broker import STREAM, Broker, Connection, StreamSettings, ensure_stream
from workers.running.context import WorkerContext
from workers.running.ending import first_of


def test_the_stream_keeps_a_week_of_events_on_disk_and_knows_ids_for_ten_minutes(installation: Installation) -> None:
    async def ensure_twice(connection: Connection) -> None:
        await ensure_stream(connection.js)
        config = (await ensure_stream(connection.js)).config
        assert config.subjects == ["daybook.>"]
        assert (config.storage, config.retention, config.discard) == ("file", "limits", "old")
        assert (config.max_age, config.duplicate_window) == (7 * 24 * 3600, 600)

    on_nats(installation, ensure_twice)


def test_settings_of_the_stream_that_are_not_ours_stay_as_the_operator_set_them(installation: Installation) -> None:
    async def change_and_ensure(connection: Connection) -> None:
        config = (await ensure_stream(connection.js)).config
        await connection.js.update_stream(replace(config, max_bytes=10**9, max_age=3600, subjects=["daybook.x"]))
        ensured = (await ensure_stream(connection.js)).config
        assert (ensured.max_bytes, ensured.max_age, ensured.subjects) == (10**9, 3600, ["daybook.>"])
        await connection.js.delete_stream(STREAM)

    on_nats(installation, change_and_ensure)


def test_an_age_that_is_set_is_that_of_the_stream_new_or_old(installation: Installation) -> None:
    async def ensure(connection: Connection) -> None:
        assert (await ensure_stream(connection.js, StreamSettings(max_age_days=3))).config.max_age == 3 * 24 * 3600
        assert (await ensure_stream(connection.js, StreamSettings(max_age_days=9))).config.max_age == 9 * 24 * 3600
        await connection.js.delete_stream(STREAM)

    on_nats(installation, ensure)


def test_of_several_addresses_one_that_answers_is_used(installation: Installation) -> None:
    connected = []

    async def connect(context: WorkerContext) -> None:
        connected.append(await context.broker.connected())

    with running(replace(installation.config, nats_url=f"nats://127.0.0.1:1, {installation.nats.url}"), connect):
        eventually(lambda: len(connected) == 1)


def test_a_file_that_says_where_nats_is_is_read_again_when_it_has_moved(
    installation: Installation, tmp_path: Path
) -> None:
    connected = []

    async def connect(context: WorkerContext) -> None:
        while not context.stop.is_set():
            connection = await context.broker.connected()
            address = connection.client.connected_url
            assert address is not None
            connected.append(address.port)
            await context.broker.publish("anything", b"")
            await first_of(wait(connection.ended), wait(context.stop))

    url_file = installation.nats.url_file
    with (
        running(replace(installation.config, nats_url=url_file.as_uri()), connect),
        EmbeddedNats(tmp_path) as another,
    ):
        eventually(lambda: connected == [urlsplit(installation.nats.url).port])
        installation.nats.stop()
        was = url_file.read_text()
        url_file.write_text(another.url)
        try:
            eventually(lambda: connected[1:] == [urlsplit(another.url).port])
        finally:
            url_file.write_text(was)
            installation.nats.start()


def test_a_file_that_is_not_there_yet_is_waited_for(installation: Installation, tmp_path: Path) -> None:
    connected = []

    async def connect(context: WorkerContext) -> None:
        connected.append(await context.broker.connected())

    url_file = tmp_path / "where nats is"
    with running(replace(installation.config, nats_url=url_file.as_uri()), connect):
        time.sleep(0.2)
        url_file.write_text(f"{installation.nats.url}\n")
        eventually(lambda: len(connected) == 1)


@pytest.mark.parametrize("content", ["", "\n", "nats://:x"], ids=["empty", "no address", "not an address"])
def test_a_file_that_has_no_address_yet_is_waited_for(installation: Installation, tmp_path: Path, content: str) -> None:
    connected = []

    async def connect(context: WorkerContext) -> None:
        connected.append(await context.broker.connected())

    url_file = tmp_path / "url"
    url_file.write_text(content)
    with running(replace(installation.config, nats_url=url_file.as_uri()), connect):
        time.sleep(0.2)
        url_file.write_text(f"{installation.nats.url}\n")
        eventually(lambda: len(connected) == 1)


async def wait(event: asyncio.Event) -> None:
    await event.wait()


def test_it_ends_at_once_wherever_it_is_on_its_way_to_a_connection(installation: Installation) -> None:
    async def come_and_go() -> None:
        for turn in range(200):
            async with asyncio.timeout(5), Broker(installation.nats.url):
                await asyncio.sleep(turn * 0.00005)

    asyncio.run(come_and_go())


def test_without_nats_publishing_fails_at_once_and_a_connection_comes_when_nats_does(
    installation: Installation,
) -> None:
    outcomes = []

    async def publish(context: WorkerContext) -> None:
        with pytest.raises(ConnectionError, match="NATS is not connected"):
            await context.broker.publish("anything", b"")
        outcomes.append("refused")
        first = await context.broker.connected()
        outcomes.append("connected")
        await first.ended.wait()
        outcomes.append("ended")
        assert await context.broker.connected() is not first
        await context.broker.publish("anything", b"")
        outcomes.append("published")

    installation.nats.stop()
    with running(installation.config, publish):
        eventually(lambda: outcomes == ["refused"])
        installation.nats.start()
        eventually(lambda: outcomes[1:] == ["connected"])
        installation.nats.stop()
        eventually(lambda: outcomes[2:] == ["ended"])
        installation.nats.start()
        eventually(lambda: outcomes[3:] == ["published"])
