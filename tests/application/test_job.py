"""Jobs of any kind: their turn, their progress, and their ends."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import partial
from uuid import UUID

import pytest

from application import job as jobs
from application.calling.caller import Caller
from application.working import job as working
from application.working.job import Job, Step
from daybook.embedded import EmbeddedPostgres
from domain.contact import CONTACT, CreateContact
from domain.kernel import Refused
from eventstore.database import Pool, connection, open_pool, reading, writing
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import job as rows
from projections import job_queue as queue
from projections.catalogue import ROWS
from projections.contact import CONTACTS
from projections.job_queue import Claimed, Held, NewJob, Progress
from schemas.job import JobView, row_error
from tests.conftest import make_workspace
from tests.logs import types
from tests.servers import another_database


def greet(unit: Work, job: Held) -> Step:
    """Makes two contacts, and one in which there is something wrong, until there are enough."""
    for _ in range(2):
        unit.begin(CONTACT, new_id(), CreateContact(first_name=job.options))
    wrong = row_error(job.progress.processed + 3, None, "row", "is the third")
    step = Step(Progress(3, {"created": 2, "errors": 1}), [wrong])
    return replace(step, last=(job.progress + step.progress).processed >= job.total)


def note(unit: Work, job: Held, *, how: str) -> str:
    """A contact that says how it ended."""
    unit.begin(CONTACT, new_id(), CreateContact(first_name=how, company=str(job.progress.processed)))
    return f"It {how}."


def ending(how: str) -> Callable[[Work, Held], None]:
    def ended(unit: Work, job: Held) -> None:
        note(unit, job, how=how)

    return ended


GREETING = Job(greet, ending("completed"), partial(note, how="failed"), ending("cancelled"))
KINDS = {"greeting": GREETING, "other greeting": GREETING}


@dataclass(frozen=True)
class Desk:
    """Where jobs are asked for and worked on, in one workspace."""

    store: EventStore
    worker_pool: Pool
    caller: Caller

    def ask(self, total: int = 6, kind: str = "greeting", run_at: datetime | None = None) -> UUID:
        job = NewJob(new_id(), kind, "Ada", total, self.caller.account_id, run_at=run_at)
        with writing(self.store.pool, self.caller.workspace_id) as conn:
            queue.insert(conn, self.caller.origin(), job)
        return job.id

    def claim(self, *kinds: str, seconds: float = 10) -> Claimed | None:
        with connection(self.worker_pool) as conn:
            return queue.claim(conn, kinds or list(KINDS), seconds=seconds)

    def work(self) -> UUID | None:
        """One step of the job whose turn it is; answers which that was."""
        job = self.claim()
        if job is None:
            return None
        done = self.store.run(job.origin, partial(working.work_on, claimed=job, kinds=KINDS), bulk=True)
        assert done.value
        return job.id

    def cancel(self, job_id: UUID, caller: Caller | None = None) -> JobView:
        by = caller or self.caller
        return self.store.run(by.origin(), lambda unit: jobs.cancel(unit, by, job_id, KINDS)).value

    def job(self, job_id: UUID) -> JobView:
        with reading(self.store.pool, self.caller.workspace_id) as conn:
            found = rows.one(conn, self.caller.workspace_id, job_id, None)
        assert found is not None
        return found

    def names(self) -> list[str]:
        """All contacts, in the order in which they were made."""
        with reading(self.store.pool, self.caller.workspace_id) as conn:
            found = conn.execute(
                f"SELECT state->>'firstName' FROM {CONTACTS.table} WHERE workspace_id = %s ORDER BY id",
                (self.caller.workspace_id,),
            )
            return [row[0] for row in found.fetchall()]

    def elsewhere(self, workspace_id: UUID) -> Desk:
        return replace(self, caller=replace(self.caller, workspace_id=workspace_id))


@pytest.fixture(scope="module")
def own_database(postgres: EmbeddedPostgres) -> Iterator[str]:
    """Workers see the jobs of all workspaces: so these tests have a database that no others use."""
    with another_database(postgres, "of_jobs"):
        yield "of_jobs"


@pytest.fixture
def new_workspace(postgres: EmbeddedPostgres, own_database: str) -> Iterator[Callable[[], UUID]]:
    with connect(postgres.url(database=own_database)) as owner:
        owner.execute("TRUNCATE jobs, job_chunks, job_errors, job_cancellations")
        yield lambda: make_workspace(owner)


@pytest.fixture
def desk(postgres: EmbeddedPostgres, own_database: str, new_workspace: Callable[[], UUID]) -> Iterator[Desk]:
    app, worker = (postgres.url(user, own_database) for user in ("daybook_app", "daybook_worker"))
    with open_pool(app, timeout=30) as pool, open_pool(worker, timeout=30) as worker_pool:
        caller = Caller(new_workspace(), new_id(), "owner", "enterprise")
        yield Desk(EventStore(pool, ROWS), worker_pool, caller)


class TestProgress:
    def test_a_job_is_done_step_by_step_and_adds_up(self, desk: Desk) -> None:
        job_id = desk.ask(total=6)
        assert desk.work() == job_id
        half = desk.job(job_id)
        assert (half.status, half.processed, half.created, half.errors) == ("processing", 3, 2, 1)
        assert desk.work() == job_id
        job = desk.job(job_id)
        assert (job.status, job.processed, job.created, job.updated, job.errors) == ("completed", 6, 4, 0, 2)
        assert [error.row for error in job.error_details or []] == [3, 6]
        assert desk.names() == ["Ada"] * 4 + ["completed"]
        assert desk.work() is None

    def test_what_it_makes_happen_has_it_as_correlation_and_is_by_who_asked(self, desk: Desk) -> None:
        job_id = desk.ask()
        desk.work()
        with reading(desk.store.pool, desk.caller.workspace_id) as conn:
            found = conn.execute(
                "SELECT DISTINCT correlation_id, actor_id FROM events WHERE workspace_id = %s",
                (desk.caller.workspace_id,),
            ).fetchall()
        assert found == [(job_id, desk.caller.account_id)]

    def test_one_that_is_given_up_says_why(self, desk: Desk) -> None:
        job_id = desk.ask()
        desk.work()
        claimed = desk.claim()
        assert claimed is not None
        assert desk.store.run(claimed.origin, partial(working.give_up, claimed=claimed, kinds=KINDS)).value
        job = desk.job(job_id)
        assert (job.status, job.processed, job.error) == ("failed", 3, "It failed.")
        assert desk.names()[-1] == "failed"
        assert desk.work() is None


class TestTurns:
    def test_the_jobs_of_a_kind_are_done_one_after_the_other(self, desk: Desk) -> None:
        first, second = desk.ask(), desk.ask()
        assert [desk.work() for _ in range(5)] == [first, first, second, second, None]

    def test_those_of_another_kind_or_workspace_take_turns_with_them(
        self, desk: Desk, new_workspace: Callable[[], UUID]
    ) -> None:
        large, other = desk.ask(total=9), desk.ask(kind="other greeting")
        elsewhere = desk.elsewhere(new_workspace()).ask()
        assert [desk.work() for _ in range(7)] == [large, other, elsewhere, large, other, elsewhere, large]

    def test_none_is_begun_before_its_time(self, desk: Desk) -> None:
        now = datetime.now(UTC)
        later, due = desk.ask(run_at=now + timedelta(hours=1)), desk.ask(run_at=now - timedelta(hours=1))
        assert [desk.work() for _ in range(3)] == [due, due, None]
        assert desk.job(later).processed == 0

    def test_kinds_that_a_worker_does_not_know_are_left_to_others(self, desk: Desk) -> None:
        desk.ask(kind="other greeting")
        assert desk.claim("greeting") is None
        assert desk.claim("greeting", "other greeting") is not None

    def test_a_job_in_hand_is_nobody_elses(self, desk: Desk) -> None:
        """However long the step takes: behind the lease, the row is locked."""
        desk.ask()
        claimed = desk.claim(seconds=0)
        assert claimed is not None
        with writing(desk.store.pool, desk.caller.workspace_id) as conn:
            assert queue.hold(conn, claimed) is not None
            assert desk.claim() is None
        assert desk.claim() is not None


class TestCancelling:
    def test_ends_a_job_between_two_steps_and_keeps_what_was_done(self, desk: Desk) -> None:
        job_id = desk.ask()
        desk.work()
        assert desk.cancel(job_id).status == "cancelled"
        job = desk.job(job_id)
        assert (job.status, job.processed, job.created) == ("cancelled", 3, 2)
        assert job.completed_at is not None
        assert desk.names() == ["Ada", "Ada", "cancelled"]
        assert desk.work() is None

    def test_one_in_hand_ends_behind_its_step_by_who_asked(self, desk: Desk) -> None:
        job_id = desk.ask(total=60)
        claimed = desk.claim()
        assert claimed is not None
        somebody = replace(desk.caller, account_id=new_id())

        def busy(unit: Work) -> None:
            working.work_on(unit, claimed, KINDS)
            for _ in range(2):
                assert desk.cancel(job_id, somebody).status == "processing"

        desk.store.run(claimed.origin, busy, bulk=True)
        assert desk.job(job_id).processed == 3
        assert desk.work() == job_id
        job = desk.job(job_id)
        assert (job.status, job.processed) == ("cancelled", 3)
        with reading(desk.store.pool, desk.caller.workspace_id) as conn:
            row = conn.execute(
                "SELECT actor_id, correlation_id FROM events WHERE workspace_id = %s ORDER BY seq DESC LIMIT 1",
                (desk.caller.workspace_id,),
            ).fetchone()
        assert row == (somebody.account_id, job_id)

    def test_a_worker_that_has_claimed_it_and_not_begun_lets_go_of_it(self, desk: Desk) -> None:
        job_id = desk.ask()
        claimed = desk.claim()
        assert claimed is not None
        assert desk.cancel(job_id).status == "cancelled"
        assert not desk.store.run(claimed.origin, partial(working.work_on, claimed=claimed, kinds=KINDS)).value
        assert types(desk.store.pool, desk.caller.workspace_id) == ["contact.created"]

    @pytest.mark.parametrize("how", ["completed", "cancelled"])
    def test_what_has_ended_is_refused(self, desk: Desk, how: str) -> None:
        job_id = desk.ask(total=1)
        if how == "completed":
            desk.work()
        else:
            desk.cancel(job_id)
        with pytest.raises(Refused, match=how) as refusal:
            desk.cancel(job_id)
        assert refusal.value.code == "conflict"

    def test_what_somebody_may_not_see_is_not_there(self, desk: Desk, new_workspace: Callable[[], UUID]) -> None:
        job_id = desk.ask()
        limited = replace(desk.caller, account_id=new_id(), role="member", assigned_only=True)
        for somebody in (limited, replace(desk.caller, workspace_id=new_workspace())):
            with pytest.raises(Refused) as refusal:
                desk.cancel(job_id, somebody)
            assert refusal.value.code == "not_found"
        assert desk.work() == job_id
