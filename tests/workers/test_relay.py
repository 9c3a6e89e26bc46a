from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from uuid import UUID

import msgspec
import pytest

from eventstore.database import Db, reading
from eventstore.ids import new_id
from eventstore.reader import read_log
from tests.workers.running import Installation, WorkerProcess, eventually, on_nats, running, worker_process
from workers.relay import relay
from workers.relay.publisher import Message, publisher
from workers.running.broker import STREAM, Connection, ensure_stream

quick = partial(relay.run, poll=0.05)
patient = partial(relay.run, poll=60)


@pytest.fixture
def workspaces(installation: Installation) -> list[UUID]:
    return [installation.workspace() for _ in range(3)]


@pytest.fixture
def workspace(workspaces: list[UUID]) -> UUID:
    return workspaces[0]


def lease_holders(installation: Installation) -> list[int]:
    """The Postgres processes that serve whoever has the relay's lease."""
    query = (
        "SELECT pid FROM pg_locks JOIN pg_database ON pg_database.oid = database"
        " WHERE locktype = 'advisory' AND granted AND datname = current_database() AND objid = %s"
    )
    return [row[0] for row in installation.owner.execute(query, (relay.LEASE,))]


def leads(worker: WorkerProcess) -> bool:
    return worker.says("has the lease of the relay")


def test_every_event_is_published_once_and_in_order_while_many_append(
    installation: Installation, workspaces: list[UUID]
) -> None:
    with running(installation.config, quick), ThreadPoolExecutor(6) as executor:
        for workspace in workspaces * 2:
            executor.submit(installation.commit, workspace, times=60, events=3)
        executor.shutdown()
        installation.wait_for_relay(*workspaces)
    assert installation.checkpoint(workspaces[0]) == 360
    assert installation.is_complete(*workspaces)


def test_a_message_is_the_log_entry(installation: Installation, workspace: UUID) -> None:
    installation.commit(workspace, events=2)
    with running(installation.config, quick):
        installation.wait_for_relay(workspace)
    with reading(installation.store.pool, workspace) as conn:
        entries = read_log(conn, limit=10)
    found = installation.of(workspace)
    assert [stored.entry for stored in found] == [msgspec.json.decode(msgspec.json.encode(entry)) for entry in entries]
    assert found[1].subject == f"daybook.{workspace}.tag.created"
    assert (found[1].id, found[1].headers["Daybook-Seq"]) == (str(entries[1].id), "2")


def test_when_the_relay_is_killed_half_way_another_takes_over_and_nothing_is_missing_or_double(
    installation: Installation, workspaces: list[UUID]
) -> None:
    for workspace in workspaces:
        installation.import_contacts(workspace, 2_000)
    with ExitStack() as stack:
        waiting = [stack.enter_context(worker_process(installation.config)) for _ in range(3)]

        def kill_the_leader() -> None:
            leader = next(worker for worker in waiting if leads(worker))
            leader.process.kill()
            waiting.remove(leader)

        for _ in range(2):
            installation.after_publishing(1_500, kill_the_leader)
            assert sum(installation.checkpoint(workspace) for workspace in workspaces) < 5_000
            died = time.monotonic()
            eventually(lambda: any(leads(worker) for worker in waiting))
            assert time.monotonic() - died < 5
        installation.wait_for_relay(*workspaces)
    assert installation.is_complete(*workspaces)


def test_what_was_published_without_a_checkpoint_is_not_published_again_even_after_the_duplicate_window(
    installation: Installation, workspace: UUID
) -> None:
    installation.commit(workspace, times=10)
    with running(installation.config, quick):
        installation.wait_for_relay(workspace)
    # As if it had died before its last checkpoint, and so long ago that NATS has forgotten the ids of the messages.
    installation.owner.execute(
        "UPDATE consumer_checkpoints SET seq = 4, stream_seq = stream_seq - 6 WHERE workspace_id = %s", (workspace,)
    )
    forget_message_ids(installation)
    installation.commit(workspace, times=3)
    with running(installation.config, quick):
        installation.wait_for_relay(workspace)
    assert installation.is_complete(workspace)


def forget_message_ids(installation: Installation) -> None:
    async def shorten_the_window(connection: Connection) -> None:
        config = (await connection.js.stream_info(STREAM)).config
        await connection.js.update_stream(replace(config, duplicate_window=0.1))

    on_nats(installation, shorten_the_window)
    time.sleep(0.2)
    installation.nats.stop()
    installation.nats.start()


@contextmanager
def nats_away(installation: Installation) -> Iterator[None]:
    installation.nats.stop()
    try:
        yield
    finally:
        installation.nats.start()


@pytest.fixture
def stored_stream(installation: Installation) -> Path:
    """Where NATS keeps the stream."""
    return Path(installation.nats._folder, "jetstream")


def test_with_nats_away_commits_go_on_and_the_relay_catches_up(
    installation: Installation, workspaces: list[UUID], caplog: pytest.LogCaptureFixture
) -> None:
    with running(installation.config, quick):
        installation.commit(workspaces[0])
        installation.wait_for_relay(workspaces[0])
        with ThreadPoolExecutor(3) as executor, nats_away(installation):
            done = [executor.submit(installation.commit, workspace, times=100) for workspace in workspaces]
            for future in done:
                future.result()
            time.sleep(0.6)  # a few attempts to reach NATS
            assert sum(installation.checkpoint(workspace) for workspace in workspaces) < 301
        installation.wait_for_relay(*workspaces)
    assert installation.is_complete(*workspaces)
    warnings = [record.message.partition(":")[0] for record in caplog.records]
    assert warnings.count("lost the connection to NATS") == 1
    assert warnings.count("NATS cannot be reached, trying on") == 1


def test_a_relay_that_starts_before_nats_waits_for_it(installation: Installation, workspace: UUID) -> None:
    installation.nats.stop()
    with running(installation.config, quick):
        installation.commit(workspace)
        eventually(lambda: len(lease_holders(installation)) == 1)
        installation.nats.start()
        installation.wait_for_relay(workspace)


def test_with_postgres_away_the_relay_comes_back_by_itself(
    installation: Installation, workspace: UUID, owner: Db
) -> None:
    database = installation.owner.info.dbname
    with running(installation.config, quick):
        installation.commit(workspace)
        installation.wait_for_relay(workspace)
        owner.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS false".encode())
        try:
            owner.execute(
                "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
                " WHERE datname = %s AND usename = 'daybook_worker'",
                (database,),
            )
            installation.commit(workspace)
            time.sleep(0.5)
            assert installation.checkpoint(workspace) == 1
        finally:
            owner.execute(f"ALTER DATABASE {database} ALLOW_CONNECTIONS true".encode())
        installation.wait_for_relay(workspace, seconds=10)


def test_when_nats_has_lost_everything_the_relay_publishes_it_again(
    installation: Installation, workspaces: list[UUID], stored_stream: Path
) -> None:
    with running(installation.config, quick):
        for workspace in workspaces:
            installation.commit(workspace, times=20)
        installation.wait_for_relay(*workspaces)
        with nats_away(installation):
            shutil.rmtree(stored_stream)
            installation.commit(workspaces[0], times=5)
        eventually(lambda: installation.is_complete(*workspaces))


def test_when_nats_has_lost_the_end_of_the_stream_the_relay_publishes_that_again(
    installation: Installation, workspaces: list[UUID], stored_stream: Path, tmp_path: Path
) -> None:
    with running(installation.config, quick):
        installation.commit(workspaces[0], times=20)
        installation.commit(workspaces[1], times=20)
        installation.wait_for_relay(*workspaces)
        with nats_away(installation):
            shutil.copytree(stored_stream, tmp_path / "backup")
        installation.commit(workspaces[1], times=20)
        installation.commit(workspaces[2], times=20)
        installation.wait_for_relay(*workspaces)
        with nats_away(installation):
            shutil.rmtree(stored_stream)
            shutil.copytree(tmp_path / "backup", stored_stream)
        eventually(lambda: installation.is_complete(*workspaces))


def test_a_nudge_wakes_the_relay_at_once(installation: Installation, workspace: UUID) -> None:
    with running(installation.config, patient) as context:
        installation.commit(workspace)
        installation.wait_for_relay(workspace)  # it has looked once, and will not for a minute
        for _ in range(5):
            committed = time.monotonic()
            installation.commit(workspace, store=context.store)
            installation.wait_for_relay(workspace)
            assert time.monotonic() - committed < 1


def test_a_commit_whose_nudge_was_lost_is_found_by_polling(installation: Installation, workspace: UUID) -> None:
    with running(installation.config, quick):
        installation.commit(workspace)  # without a nudge: it is the service's event store, not a worker's
        installation.wait_for_relay(workspace, seconds=2)


def test_of_two_relays_one_publishes_and_the_other_takes_over_when_its_connection_is_cut(
    installation: Installation, workspaces: list[UUID]
) -> None:
    with running(installation.config, quick), running(installation.config, quick):
        for _ in range(2):
            eventually(lambda: len(lease_holders(installation)) == 1)
            (holder,) = lease_holders(installation)
            with ThreadPoolExecutor(3) as executor:
                for workspace in workspaces:
                    executor.submit(installation.commit, workspace, times=50)
                installation.owner.execute("SELECT pg_terminate_backend(%s, 5000)", (holder,))
                eventually(lambda: lease_holders(installation) not in ([], [holder]), 5)  # noqa: B023 - called in this turn
        installation.wait_for_relay(*workspaces)
    assert installation.is_complete(*workspaces)


def test_a_relay_that_froze_loses_its_lease_and_does_no_harm_when_it_goes_on(
    installation: Installation, workspaces: list[UUID]
) -> None:
    with worker_process(installation.config, idle=2) as frozen:
        eventually(lambda: leads(frozen))
        frozen.process.send_signal(signal.SIGSTOP)
        installation.import_contacts(workspaces[0], 500)
        with worker_process(installation.config, idle=2) as heir:
            eventually(lambda: leads(heir))
            installation.wait_for_relay(workspaces[0])
            installation.import_contacts(workspaces[1], 500)
            frozen.process.send_signal(signal.SIGCONT)
            installation.import_contacts(workspaces[2], 500)
            eventually(lambda: frozen.says("lost the lease of the relay"))
            installation.wait_for_relay(*workspaces)
    assert installation.is_complete(*workspaces)


@pytest.mark.parametrize("turn", [relay.TURN, 1])
def test_a_workspace_with_much_to_publish_does_not_hold_up_the_others(
    installation: Installation, workspaces: list[UUID], turn: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "TURN", turn)
    busy, *others = workspaces
    installation.import_contacts(busy, 6_000)
    with running(installation.config, patient) as context:

        def commit_in_others() -> None:
            for workspace in others:
                installation.commit(workspace, store=context.store)

        installation.after_publishing(relay.BATCH, commit_in_others)
        installation.wait_for_relay(*workspaces)
    places = [(stored.entry["workspaceId"], stored.entry["seq"]) for stored in installation.stream()]
    assert max(places.index((str(workspace), 1)) for workspace in others) < places.index((str(busy), 6_000))


def test_an_event_too_large_for_nats_holds_up_its_own_workspace_only(
    installation: Installation, workspaces: list[UUID], caplog: pytest.LogCaptureFixture
) -> None:
    large, other = workspaces[:2]
    installation.commit(large, times=3)
    installation.owner.execute(
        "UPDATE events SET data = jsonb_build_object('name', repeat('x', 8388608)) WHERE workspace_id = %s AND seq = 2",
        (large,),
    )
    try:
        with running(installation.config, quick):
            installation.commit(other, times=3)
            installation.wait_for_relay(other)
            eventually(lambda: installation.checkpoint(large) == 1)
            time.sleep(0.2)
            assert installation.checkpoint(large) == 1
    finally:
        installation.owner.execute("UPDATE events SET data = '{}' WHERE workspace_id = %s AND seq = 2", (large,))
    refusals = [record.message for record in caplog.records if "raise its max_payload" in record.message]
    assert len(refusals) == 1
    assert refusals[0].startswith(f"event 2 of workspace {large} has 8")
    with running(installation.config, quick):
        installation.wait_for_relay(large)
    assert installation.is_complete(large, other)


def messages(first: int, count: int) -> list[Message]:
    workspace_id = UUID(int=7)
    subject = f"daybook.{workspace_id}.tag.created"
    return [Message(workspace_id, first + n, new_id(), subject, b"{}") for n in range(count)]


def test_behind_a_message_that_is_refused_none_gets_into_the_stream(installation: Installation) -> None:
    async def publish(connection: Connection) -> None:
        end = (await ensure_stream(connection.js)).state.last_seq
        async with publisher(connection, end) as first, publisher(connection, end) as second:
            assert (await first.publish(messages(1, 3))).stream_seqs == [end + 1, end + 2, end + 3]
            refused = await second.publish(messages(101, 3))
            assert refused.stream_seqs == []
            assert refused.problem is not None
            assert refused.problem.startswith("wrong last sequence")
            assert (await first.publish(messages(4, 1))).stream_seqs == [end + 4]
        assert (await connection.js.stream_info(STREAM)).state.last_seq == end + 4
        await connection.js.purge_stream(STREAM, subject=f"daybook.{UUID(int=7)}.>")

    on_nats(installation, publish)
