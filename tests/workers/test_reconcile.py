"""Before it publishes, the relay compares the stream with the log, event by event."""

from __future__ import annotations

import base64
import logging
import os
import subprocess
import sys
from functools import partial
from uuid import UUID

import msgspec
import pytest

from domain.webhook import WEBHOOK, CreateWebhook
from eventstore.append import Origin
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.reader import read_log
from eventstore.work import Work
from schemas.log import Actor, LogEntry
from tests.workers.running import Installation, eventually, on_nats, running
from workers.relay import relay
from workers.running.broker import STREAM, Connection, ensure_stream

quick = partial(relay.run, poll=0.05)


@pytest.fixture
def workspace(installation: Installation) -> UUID:
    """One with ten events, all of them published."""
    workspace_id = installation.workspace()
    installation.commit(workspace_id, times=10)
    relayed(installation, workspace_id)
    return workspace_id


def relayed(installation: Installation, workspace: UUID) -> None:
    """A relay comes, publishes what is missing, and goes."""
    with running(installation.config, quick):
        installation.wait_for_relay(workspace)


def log_of(installation: Installation, workspace: UUID) -> list[LogEntry]:
    with reading(installation.store.pool, workspace) as conn:
        return read_log(conn, limit=1000)


def lost(entry: LogEntry) -> LogEntry:
    """An event that had this one's place, before Postgres lost it."""
    return msgspec.structs.replace(entry, id=new_id())


def publish(installation: Installation, *entries: LogEntry) -> None:
    """As relays did before messages were named by their events, and without a checkpoint."""

    async def send(connection: Connection) -> None:
        await ensure_stream(connection.js)
        for entry in entries:
            name = {"Nats-Msg-Id": f"{entry.workspace_id}:{entry.seq}"}
            subject = f"daybook.{entry.workspace_id}.{entry.type}"
            await connection.js.publish(subject, msgspec.json.encode(entry), headers=name)

    on_nats(installation, send)


def delete_stream(installation: Installation) -> None:
    async def delete(connection: Connection) -> None:
        await connection.js.delete_stream(STREAM)

    on_nats(installation, delete)


def ids(installation: Installation, workspace: UUID) -> list[str]:
    return [stored.entry["id"] for stored in installation.of(workspace)]


def ghosts(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What was said of each, up to its seq."""
    lines = [record.message for record in caplog.records if record.levelno == logging.ERROR]
    return [
        line.split(": ")[1].split(" of workspace")[0] for line in lines if line.startswith("the stream has an event")
    ]


def test_what_was_published_under_names_of_the_old_form_is_not_published_again(
    installation: Installation, workspace: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    installation.commit(workspace, times=5)
    publish(installation, *log_of(installation, workspace)[10:13])
    relayed(installation, workspace)
    assert ids(installation, workspace) == installation.event_ids(workspace)
    assert ghosts(caplog) == []


def test_an_event_that_the_log_has_lost_is_named_once_and_what_took_its_place_is_published(
    installation: Installation, workspace: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    installation.commit(workspace, times=2)
    one, other = map(lost, log_of(installation, workspace)[10:])
    publish(installation, one, other)
    relayed(installation, workspace)
    found = ids(installation, workspace)
    assert found[10:12] == [str(one.id), str(other.id)]
    assert found[:10] + found[12:] == installation.event_ids(workspace)
    relayed(installation, workspace)
    installation.commit(workspace)
    relayed(installation, workspace)
    assert ghosts(caplog) == [f"tag.created {one.id}, seq 11", f"tag.created {other.id}, seq 12"]


def test_with_a_ghost_the_webhooks_are_named_that_may_have_sent_it(
    installation: Installation, workspace: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    asking, others, off = (new_id() for _ in range(3))

    def make_webhooks(unit: Work) -> None:
        for webhook_id, events, active in ((asking, "tag.*", True), (others, "contact.*", True), (off, "*", False)):
            command = CreateWebhook(url="https://example.com/hook", events=(events,), active=active)
            unit.begin(WEBHOOK, webhook_id, command)

    installation.store.run(Origin(workspace, Actor(type="system")), make_webhooks)
    relayed(installation, workspace)
    publish(installation, lost(log_of(installation, workspace)[9]))
    other = installation.workspace()
    installation.commit(other)
    relayed(installation, other)
    assert f"; webhooks that may have sent it: {asking}\n" in caplog.text


def test_ghosts_behind_which_nothing_is_committed_are_named_once_too(
    installation: Installation, workspace: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    ghost = msgspec.structs.replace(lost(log_of(installation, workspace)[9]), seq=11)
    publish(installation, ghost)
    for _ in range(2):
        other = installation.workspace()
        installation.commit(other)
        relayed(installation, other)
    assert ghosts(caplog) == [f"tag.created {ghost.id}, seq 11"]


def test_another_stream_of_the_same_name_is_compared_from_its_beginning(
    installation: Installation, workspace: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    entries = log_of(installation, workspace)
    delete_stream(installation)
    ghost = lost(entries[9])
    publish(installation, *entries[:9], ghost)
    installation.commit(workspace)
    relayed(installation, workspace)
    assert set(installation.event_ids(workspace)) <= set(ids(installation, workspace))
    assert ghosts(caplog) == [f"tag.created {ghost.id}, seq 10"]


def test_a_worker_makes_the_stream_what_its_settings_say(installation: Installation) -> None:
    async def age(connection: Connection) -> float | None:
        return (await ensure_stream(connection.js)).config.max_age

    settings = {
        "DATABASE_URL": installation.config.database_url,
        "NATS_URL": f"nats://127.0.0.1:1,{installation.config.nats_url}",
        "DAYBOOK_SECRET_KEY": base64.b64encode(bytes(32)).decode(),
        "DAYBOOK_STREAM_MAX_AGE_DAYS": "3",
    }
    command = [sys.executable, "-m", "daybook", "worker", "relay"]
    with subprocess.Popen(command, env={**os.environ, **settings}) as worker:
        try:
            eventually(lambda: on_nats(installation, age) == 3 * 24 * 3600, 30)
        finally:
            worker.kill()


def test_behind_a_promotion_a_checkpoint_beyond_the_logs_end_is_put_back(
    installation: Installation, workspace: UUID, caplog: pytest.LogCaptureFixture
) -> None:
    installation.owner.execute(
        "UPDATE consumer_checkpoints SET seq = 15 WHERE workspace_id = %s AND consumer = 'relay'", (workspace,)
    )
    installation.owner.execute("UPDATE relay_streams SET timeline = timeline - 1")
    other = installation.workspace()
    installation.commit(other)
    relayed(installation, other)
    installation.commit(workspace, times=7)
    relayed(installation, workspace)
    assert ids(installation, workspace) == installation.event_ids(workspace)
    assert "the stream has 0 events that the log does not have" in caplog.text
