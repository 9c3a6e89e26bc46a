"""Jobs: long work of any kind, done by workers step by step, each step in one unit of work with its progress."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from domain.kernel import Event
from eventstore.work import Work
from projections import job as jobs
from projections import job_queue as queue
from projections.job_queue import Claimed, Held, Progress
from schemas.job import JobView, RowError


@dataclass(frozen=True)
class Step:
    """What one step came to; ``last`` when nothing is left to be done."""

    progress: Progress
    errors: Sequence[RowError] = ()
    last: bool = False


@dataclass(frozen=True)
class Job:
    """A kind of job: what each step does, and what is written down when it has ended, in one way or another.

    ``step`` does so much as fits in one unit of work, which is a bulk one; ``fail`` answers why, for who asked for the
    job. ``begun_by``: an event that comes with a new one, so that workers hear of it at once.
    """

    step: Callable[[Work, Held], Step]
    complete: Callable[[Work, Held], None]
    fail: Callable[[Work, Held], str]
    cancel: Callable[[Work, Held], None]
    begun_by: type[Event] | None = None


Kinds = Mapping[str, Job]


def shown(unit: Work, job_id: UUID) -> JobView:
    """A job that is open, to whoever has asked for what it does."""
    view = jobs.one(unit.conn, unit.origin.workspace_id, job_id, None)
    assert view is not None, "a job has things in hand only while it is open"
    return view


def work_on(unit: Work, claimed: Claimed, kinds: Kinds) -> bool:
    """The next step of a claimed job: what it does, errors, and progress are one transaction.

    One that is to be cancelled is, by who wanted it. False when the job is no longer this worker's.
    """
    job = queue.hold(unit.conn, claimed)
    if job is None:
        return False
    kind = kinds[job.kind]
    asked = queue.cancelled_by(unit.conn, claimed)
    if asked is not None:
        unit.origin = asked
        cancelled(unit, job, kind)
    else:
        carried_out(unit, job, kind.step(unit, job), kind)
    return True


def carried_out(unit: Work, job: Held, step: Step, kind: Job) -> None:
    """Keeps what a step came to, and ends the job behind the last."""
    done = replace(job, progress=job.progress + step.progress)
    queue.add_errors(unit.conn, unit.origin.workspace_id, job.id, step.errors)
    queue.advance(unit.conn, unit.origin.workspace_id, job.id, done.progress)
    if step.last:
        queue.end(unit.conn, unit.origin.workspace_id, job.id, "completed")
        kind.complete(unit, done)


def give_up(unit: Work, claimed: Claimed, kinds: Kinds) -> bool:
    """Ends a claimed job that cannot be done: what was done of it stays. False when it is no longer this worker's."""
    job = queue.hold(unit.conn, claimed)
    if job is None:
        return False
    reason = kinds[job.kind].fail(unit, job)
    queue.end(unit.conn, unit.origin.workspace_id, job.id, "failed", reason)
    return True


def cancelled(unit: Work, job: Held, kind: Job) -> None:
    """Ends a job before it is done."""
    queue.end(unit.conn, unit.origin.workspace_id, job.id, "cancelled")
    kind.cancel(unit, job)
