from __future__ import annotations

import asyncio
import logging
import os
import signal
import time
import urllib.request
from collections.abc import Mapping
from dataclasses import replace

import pytest

from tests.workers.running import Installation, Loop, eventually, worker_process
from workers.catalogue import WORKERS
from workers.running import runner
from workers.running.context import WorkerConfig, WorkerContext

NOWHERE = WorkerConfig("postgresql://daybook_worker@127.0.0.1:1/daybook", "nats://127.0.0.1:1", bytes(32))


def run(config: WorkerConfig, loops: Mapping[str, Loop]) -> None:
    asyncio.run(runner.run(config, workers={name: {name: loop} for name, loop in loops.items()}))


def end() -> None:
    os.kill(os.getpid(), signal.SIGTERM)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_the_process_in_good_order_behind_what_is_in_hand(
    installation: Installation, number: signal.Signals
) -> None:
    workspace = installation.workspace()
    with worker_process(installation.config, ["relay", "housekeeping"]) as worker:
        installation.import_contacts(workspace, 3_000)
        installation.after_publishing(500, lambda: worker.process.send_signal(number))
        asked = time.monotonic()
        assert worker.process.wait(20) == 0
        assert time.monotonic() - asked < 5
        eventually(lambda: worker.says("ended in good order"))
        assert not worker.says("WARNING")
    assert len(installation.of(workspace)) == installation.checkpoint(workspace) < 3_000


def test_with_neither_postgres_nor_nats_it_lives_and_says_so_once(installation: Installation) -> None:
    with worker_process(NOWHERE) as worker:
        eventually(lambda: worker.says("NATS cannot be reached") and worker.says("no lease for the relay"))
        time.sleep(0.7)  # a few attempts
        worker.process.terminate()
        assert worker.process.wait(20) == 0
        eventually(lambda: worker.says("ended in good order"))
    assert len([line for line in worker.lines if line.startswith("WARNING")]) == 2


def test_a_loop_that_fails_is_started_again_and_the_others_go_on(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    starts = []
    before = runner.RESTARTS.labels("failing")._value.get()

    async def failing(context: WorkerContext) -> None:
        starts.append("failing")
        if len(starts) < 5:
            raise LookupError("the third drawer is empty")
        end()
        await context.stop.wait()

    async def steady(context: WorkerContext) -> None:
        starts.append("steady")
        await context.stop.wait()

    run(installation.config, {"failing": failing, "steady": steady})
    assert starts == ["failing", "steady", "failing", "failing", "failing"]
    assert runner.RESTARTS.labels("failing")._value.get() - before == 3
    failures = [record for record in caplog.records if record.exc_info]
    assert len(failures) == 3
    assert "the third drawer is empty" in str(failures[0].exc_info)


def test_a_loop_that_does_not_stop_is_cut_off(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(runner, "GRACE_SECONDS", 0.2)

    async def deaf(_: WorkerContext) -> None:
        end()
        await asyncio.Event().wait()

    run(installation.config, {"deaf": deaf})
    assert any(record.message.startswith("deaf is cut off") for record in caplog.records)


def test_what_a_worker_commits_is_nudged(installation: Installation) -> None:
    workspace = installation.workspace()
    nudged = []

    async def commit(context: WorkerContext) -> None:
        connection = await context.broker.connected()
        subscription = await connection.client.subscribe("daybook_nudge.>")
        await connection.client.flush()
        await asyncio.to_thread(installation.commit, workspace, store=context.store)
        nudged.append((await subscription.next_msg(5)).subject)
        end()

    run(installation.config, {"commit": commit})
    assert nudged == [f"daybook_nudge.{workspace}"]


def test_metrics_are_served_while_it_runs(installation: Installation) -> None:
    served = []

    async def scrape(_: WorkerContext) -> None:
        with await asyncio.to_thread(urllib.request.urlopen, "http://127.0.0.1:39117/metrics", None, 5) as response:
            served.append(response.read().decode())
        end()

    run(replace(installation.config, metrics_port=39117), {"scrape": scrape})
    for name in ("daybook_relay_published_total", "daybook_relay_lag_events", "daybook_relay_leading"):
        assert f"\n{name} " in served[0]


def test_a_worker_without_a_name_in_the_list_is_refused_with_those_that_are(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with caplog.at_level(logging.INFO), pytest.raises(ValueError, match="no such worker: rely; there are relay, "):
        asyncio.run(runner.run(NOWHERE, WORKERS, ["relay", "rely"]))
    assert not caplog.records
