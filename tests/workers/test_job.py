"""Import jobs: every row once, however workers die; fairly, promptly, and with an end even for what cannot be done."""

from __future__ import annotations

import logging
import signal
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from uuid import UUID

import httpx
import pytest

from application.calling.caller import Caller
from eventstore.database import Pool, open_pool
from eventstore.ids import new_id
from schemas.job import JobView
from tests.api.serving import services_on, serving
from tests.api.team import Team
from tests.application.importing import Importing, counts
from tests.logs import check_chain, log_end, types, whole_log
from tests.workers.running import Installation, eventually, running, worker_process
from workers import job as job_worker
from workers import job_retention
from workers.relay import relay
from workers.running.context import WorkerContext

quick = partial(job_worker.run, poll=0.05)
patient = partial(job_worker.run, poll=60)


async def idle(context: WorkerContext) -> None:
    await context.stop.wait()


@pytest.fixture
def worker_pool(installation: Installation) -> Iterator[Pool]:
    with open_pool(installation.config.database_url, size=4, timeout=30) as pool:
        yield pool


@pytest.fixture
def importing(installation: Installation, worker_pool: Pool) -> Importing:
    """In a workspace of its own; no job of another test is open."""
    installation.owner.execute("TRUNCATE jobs, job_chunks, job_errors, job_cancellations")
    return importer(installation, worker_pool)


def importer(installation: Installation, worker_pool: Pool) -> Importing:
    caller = Caller(installation.workspace(), new_id(), "owner", "enterprise")
    return Importing(installation.store, installation.store.pool, worker_pool, caller)


def addresses(count: int, *, bad: int = 0) -> list[str]:
    """Rows of a file: names and e-mail addresses, of which every ``bad``-th is none."""
    rows = [f"Name {n},{'nobody' if bad and n % bad == 0 else f'a{n}@engine.org'}" for n in range(1, count + 1)]
    return ["Name,Email", *rows]


def completed(importing: Importing, job_id: UUID) -> bool:
    return importing.job(job_id).status == "completed"


def holds(importing: Importing, *jobs: JobView) -> None:
    """Every row is accounted for, in the contacts and in the log as in the jobs' counts."""
    created = sum(job.created for job in jobs)
    contacts = importing.all()
    assert len(contacts) == created
    assert len({contact.email for contact in contacts}) == created
    assert types(importing.pool, importing.workspace).count("contact.created") == created
    check_chain(whole_log(importing.pool, importing.workspace), log_end(importing.pool, importing.workspace))


def test_an_upload_of_ten_thousand_rows_is_answered_at_once_and_done_by_a_worker(installation: Installation) -> None:
    installation.owner.execute("TRUNCATE jobs, job_chunks, job_errors, job_cancellations")
    services = services_on(installation.store.pool)
    content = "\n".join(addresses(10_000, bad=2_500)).encode()
    with serving(services) as url, httpx.Client(base_url=url, timeout=30) as http, running(installation.config, quick):
        somebody = Team(services, http).owner
        answer = somebody.ask("POST", "/contacts/import", files={"file": ("contacts.csv", content)})
        assert answer.status_code == 202, answer.text
        started = answer.json()["data"]
        assert (started["status"], started["total"]) == ("processing", 10_000)
        path = f"/jobs/{started['jobId']}"
        eventually(lambda: somebody.shown(path)["status"] == "completed", 30)
        job = somebody.shown(path)
        assert (job["processed"], job["created"], job["errors"]) == (10_000, 9_996, 4)
        assert [(error["row"], error["line"]) for error in job["errorDetails"]] == [
            (2_500, 2_501), (5_000, 5_001), (7_500, 7_501), (10_000, 10_001),
        ]  # fmt: skip
        again = somebody.ask("POST", "/contacts/import", files={"file": ("contacts.csv", content)}).json()["data"]
        eventually(lambda: somebody.shown(f"/jobs/{again['jobId']}")["status"] == "completed", 30)
        repeated = somebody.shown(f"/jobs/{again['jobId']}")
        assert (repeated["created"], repeated["skipped"], repeated["errors"]) == (0, 9_996, 4)


@pytest.mark.parametrize("kills", [1, pytest.param(6, marks=pytest.mark.slow)])
def test_a_worker_that_is_killed_half_way_does_nothing_twice(
    installation: Installation, importing: Importing, kills: int
) -> None:
    """The next one waits for the lease of the dead one, and goes on behind the last chunk that was whole."""
    job_id = importing.csv(*addresses(19_500, bad=500), tags=["Imported"]).job_id
    for _ in range(kills):
        before = importing.job(job_id).processed
        with worker_process(installation.config, ["jobs"]) as worker:
            eventually(lambda: importing.job(job_id).processed > before, 30)  # noqa: B023 - called in this round
            worker.process.send_signal(signal.SIGKILL)
            worker.process.wait(10)
        done = importing.job(job_id)
        assert 0 < done.processed < 19_500
        assert done.processed % 1_000 == 0
        assert len(importing.all()) == done.created
    with worker_process(installation.config, ["jobs"]):
        eventually(partial(completed, importing, job_id), 30)
    job = importing.job(job_id)
    assert counts(job) == (19_461, 0, 0, 39)
    assert [error.row for error in job.error_details or []] == [500 * n for n in range(1, 40)]
    assert types(importing.pool, importing.workspace).count("contact_import.completed") == 1
    holds(importing, job)


def test_sigterm_ends_a_worker_behind_the_chunk_in_hand(installation: Installation, importing: Importing) -> None:
    job_id = importing.csv(*addresses(9_000)).job_id
    with worker_process(installation.config, ["jobs"]) as worker:
        eventually(lambda: importing.job(job_id).processed > 0, 30)
        worker.process.terminate()
        assert worker.process.wait(20) == 0
        eventually(lambda: worker.says("ended in good order"))
        assert not worker.says("ERROR")
    job = importing.job(job_id)
    assert 0 < job.processed < 9_000
    assert importing.claim() is not None, "the job was given back"
    holds(importing, job)


def test_any_number_of_workers_share_the_jobs(
    installation: Installation, importing: Importing, worker_pool: Pool
) -> None:
    tenants = [importing, importer(installation, worker_pool), importer(installation, worker_pool)]
    jobs = {tenant.workspace: [tenant.csv(*addresses(2_200)).job_id for _ in range(2)] for tenant in tenants}
    with running(installation.config, quick, quick), running(installation.config, quick):
        for tenant in tenants:
            for job_id in jobs[tenant.workspace]:
                eventually(partial(completed, tenant, job_id), 30)
    for tenant in tenants:
        first, second = (tenant.job(job_id) for job_id in jobs[tenant.workspace])
        assert (counts(first), counts(second)) == ((2_200, 0, 0, 0), (0, 0, 2_200, 0))
        holds(tenant, first, second)


def test_a_small_job_need_not_wait_for_anothers_large_one(
    installation: Installation, importing: Importing, worker_pool: Pool
) -> None:
    other = importer(installation, worker_pool)
    large = [importing.csv(*addresses(3_500)).job_id for _ in range(2)]
    with running(installation.config, idle) as context:
        assert job_worker.step(context)
        small = [other.csv(*addresses(2), as_job=True).job_id for _ in range(2)]
        for _ in range(4):
            assert job_worker.step(context)
        assert all(completed(other, job_id) for job_id in small)
        assert [importing.job(job_id).processed for job_id in large] == [3_000, 0], "one after the other"
        while job_worker.step(context):
            pass
    assert all(completed(importing, job_id) for job_id in large)


def test_a_new_job_is_begun_at_once_when_the_relay_has_told_of_it(
    installation: Installation, importing: Importing
) -> None:
    with running(installation.config, partial(relay.run, poll=0.02), patient):
        for _ in range(2):
            eventually(partial(completed, importing, importing.csv("Email", "ada@engine.org", as_job=True).job_id), 10)


def test_without_nats_jobs_are_found_by_looking(installation: Installation, importing: Importing) -> None:
    installation.nats.stop()
    with running(installation.config, quick):
        eventually(partial(completed, importing, importing.csv("Email", "ada@engine.org", as_job=True).job_id), 10)


def test_nats_may_come_and_go(installation: Installation, importing: Importing) -> None:
    with running(installation.config, partial(relay.run, poll=0.02), patient):
        for _ in range(2):
            eventually(partial(completed, importing, importing.csv("Email", "ada@engine.org", as_job=True).job_id), 10)
            installation.nats.stop()
            installation.nats.start()


def test_without_postgres_it_lives_and_says_so_once(
    installation: Installation, caplog: pytest.LogCaptureFixture
) -> None:
    nowhere = replace(installation.config, database_url="postgresql://daybook_worker@127.0.0.1:1/daybook")
    with caplog.at_level(logging.WARNING, "daybook.job"), running(nowhere, quick):
        eventually(lambda: "jobs are interrupted" in caplog.text, 15)
    assert caplog.text.count("jobs are interrupted") == 1


class TestWhatCannotBeDone:
    @pytest.fixture
    def broken(self, installation: Installation, importing: Importing) -> UUID:
        """A job whose second chunk no worker can read."""
        job_id = importing.csv(*addresses(2_500)).job_id
        installation.owner.execute("UPDATE job_chunks SET rows = '[' WHERE job_id = %s AND n = 1", (job_id,))
        return job_id

    def test_is_tried_again_later_and_given_up_in_the_end(
        self, installation: Installation, importing: Importing, broken: UUID, caplog: pytest.LogCaptureFixture
    ) -> None:
        with running(installation.config, idle) as context:
            assert job_worker.step(context)
            for failures in range(1, job_worker.MAX_FAILURES):
                assert job_worker.step(context)
                assert importing.job(broken).status == "processing"
                assert not job_worker.step(context), "it is left alone for a while"
                row = installation.owner.execute(
                    "UPDATE jobs SET due_at = now() FROM jobs before"
                    " WHERE jobs.id = before.id RETURNING jobs.failures, before.due_at > now() + interval '0.5 s'"
                ).fetchone()
                assert row == (failures, True)
            assert job_worker.step(context)
        job = importing.job(broken)
        assert (job.status, job.processed, job.created) == ("failed", 1_000, 1_000)
        assert (job.error or "").endswith("From row 1001 on nothing was imported.")
        assert types(importing.pool, importing.workspace)[-1] == "contact_import.failed"
        assert installation.owner.execute("SELECT count(*) FROM job_chunks").fetchone() == (0,)
        assert f"contact_import {broken} is given up" in caplog.text

    def test_is_given_up_too_when_workers_die_of_it(self, installation: Installation, importing: Importing) -> None:
        job_id = importing.csv("Email", "ada@engine.org", as_job=True).job_id
        for _ in range(job_worker.MAX_ATTEMPTS):
            assert importing.claim(seconds=0) is not None
        with running(installation.config, idle) as context:
            assert job_worker.step(context)
            assert not job_worker.step(context)
        assert importing.job(job_id).status == "failed"
        assert importing.all() == []

    def test_does_not_hold_up_other_workspaces(
        self, installation: Installation, importing: Importing, worker_pool: Pool, broken: UUID
    ) -> None:
        other = importer(installation, worker_pool)
        with running(installation.config, quick):
            eventually(lambda: importing.job(broken).processed == 1_000)
            eventually(partial(completed, other, other.csv("Email", "ada@engine.org", as_job=True).job_id))


def test_a_large_import_is_cancelled_between_two_chunks(installation: Installation, importing: Importing) -> None:
    job_id = importing.csv(*addresses(3_500)).job_id
    with running(installation.config, idle) as context:
        assert job_worker.step(context)
        assert importing.cancel(job_id).status == "cancelled"
        assert not job_worker.step(context)
    job = importing.job(job_id)
    assert (job.status, job.processed, job.created) == ("cancelled", 1_000, 1_000)
    assert types(importing.pool, importing.workspace)[-1] == "contact_import.cancelled"
    assert installation.owner.execute("SELECT count(*) FROM job_chunks").fetchone() == (0,)
    holds(importing, job)


def test_what_jobs_came_to_is_kept_for_thirty_days(installation: Installation, importing: Importing) -> None:
    old, recent, waiting = (
        importing.csv("Email", "nobody", as_job=as_job).job_id for as_job in (False, False, True)
    )  # fmt: skip
    age = "UPDATE jobs SET created_at = now() - interval '31 days', completed_at = completed_at - %s::interval WHERE id = %s"
    for job_id, days in ((old, "30 days 1 minute"), (recent, "29 days"), (waiting, "31 days")):
        installation.owner.execute(age, (days, job_id))

    async def tidy(context: WorkerContext) -> None:
        assert await job_retention.forget_old(context.async_pool) == 1
        assert await job_retention.forget_old(context.async_pool) == 0

    with running(installation.config, tidy):
        pass
    left = {row[0] for row in installation.owner.execute("SELECT id FROM jobs")}
    assert left == {recent, waiting}
    assert [row[0] for row in installation.owner.execute("SELECT job_id FROM job_errors")] == [recent]
