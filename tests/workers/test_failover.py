"""When a standby that lacked the last seconds takes over, what is committed then is not taken for what was lost."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from eventstore.database import Unavailable, open_pool
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from tests.servers import running_nats
from tests.standby import Pair, streaming_pair
from tests.workers.running import Installation, eventually, running, stored_of
from workers.relay import relay
from workers.relay.ghosts import GHOSTS
from workers.running.context import WorkerConfig

quick = partial(relay.run, poll=0.05)


@pytest.fixture
def pair() -> Iterator[Pair]:
    with TemporaryDirectory(prefix="daybook-test-") as folder, streaming_pair(Path(folder)) as found:
        yield found


@pytest.fixture
def installation(pair: Pair, tmp_path: Path) -> Iterator[Installation]:
    """Its ``owner`` looks at the primary; its stream has nothing of another test's, all of which would be ghosts."""
    with running_nats(tmp_path / "nats") as nats:
        config = WorkerConfig(pair.url("daybook_worker"), nats.url, bytes(32))
        with connect(pair.primary.url()) as owner, open_pool(pair.url("daybook_app"), timeout=2) as pool:
            yield Installation(owner, EventStore(pool, ROWS), config, nats)


def until_acknowledged(command: Callable[[], None]) -> None:
    def acknowledged() -> bool:
        try:
            command()
        except Unavailable:
            return False
        return True

    eventually(acknowledged, 30)


def test_after_a_failover_that_lost_events_the_stream_has_every_event_of_the_log_and_ghosts_are_named(
    pair: Pair, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    workspaces = [installation.workspace() for _ in range(4)]
    counted = GHOSTS._value.get()
    with running(installation.config, quick):
        for workspace in workspaces:
            installation.commit(workspace, times=25, events=2)
        installation.wait_for_relay(*workspaces)
        pair.wait_until_equal()
        pair.cut()
        for workspace in workspaces[:3]:
            installation.commit(workspace, times=50, events=2)
        installation.wait_for_relay(*workspaces)
        before = {workspace: installation.event_ids(workspace) for workspace in workspaces}
        pair.kill_primary()
        pair.promote()
        with connect(pair.standby.url()) as owner:
            installation.owner = owner
            lost = {workspace: before[workspace][50:] for workspace in workspaces}
            assert [len(installation.event_ids(workspace)) for workspace in workspaces] == [50] * 4
            for workspace in workspaces:  # the third has fewer events now than were lost
                times = 20 if workspace == workspaces[2] else 80
                until_acknowledged(partial(installation.commit, workspace, times=times, events=2))
            installation.wait_for_relay(*workspaces)
            after = {workspace: installation.event_ids(workspace) for workspace in workspaces}
    stream = installation.stream()
    for workspace in workspaces:
        ids = [stored.entry["id"] for stored in stored_of(workspace, stream)]
        assert [event_id for event_id in ids if event_id not in set(lost[workspace])] == after[workspace]
    ghosts = Counter(event_id for ids in lost.values() for event_id in ids)
    assert ghosts.total() == 300
    told = Counter(_ghosts(caplog))
    assert told == ghosts
    assert GHOSTS._value.get() - counted == 300
    assert "the stream has 300 events that the log does not have" in caplog.text


def _ghosts(caplog: pytest.LogCaptureFixture) -> Iterator[str]:
    """The ids of the events that errors were logged about."""
    for record in caplog.records:
        if record.levelno == logging.ERROR and record.message.startswith("the stream has an event"):
            yield record.message.split()[12].rstrip(",")


def test_a_failover_to_a_synchronous_standby_loses_nothing_that_was_acknowledged(
    pair: Pair, installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    pair.synchronous()
    workspace = installation.workspace()
    acknowledged = 1
    with running(installation.config, quick), ThreadPoolExecutor(1) as executor:
        installation.commit(workspace)
        installation.wait_for_relay(workspace)  # it has compared the stream with this Postgres, not with the next one

        def commit_until_refused() -> None:
            nonlocal acknowledged
            with suppress(Unavailable):
                while True:
                    installation.commit(workspace)
                    acknowledged += 1

        refused = executor.submit(commit_until_refused)
        eventually(lambda: acknowledged > 100, 30)
        pair.kill_primary()
        refused.result()
        pair.promote()
        with connect(pair.standby.url()) as owner:
            installation.owner = owner
            assert len(installation.event_ids(workspace)) >= acknowledged
            until_acknowledged(partial(installation.commit, workspace))
            installation.wait_for_relay(workspace)
            assert installation.is_complete(workspace)
    assert "the stream has 0 events that the log does not have" in caplog.text
