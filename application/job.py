"""Jobs as those who asked for them end them."""

from __future__ import annotations

from uuid import UUID

from application.calling.caller import Caller
from application.working.job import Kinds, cancelled
from domain.kernel import Refused, not_found
from eventstore.work import Work
from projections import job as jobs
from projections import job_queue as queue
from schemas.job import JobView


def cancel(unit: Work, caller: Caller, job_id: UUID, kinds: Kinds) -> JobView:
    """Ends a job before it is done; one that somebody is working on goes on until its step is done.

    Answers the job as it is then. Refuses with ``not_found``, and with ``conflict`` when it has ended already.
    """
    _view(unit, caller, job_id)
    job = queue.hold_idle(unit.conn, unit.origin.workspace_id, job_id)
    if job is not None:
        cancelled(unit, job, kinds[job.kind])
        return _view(unit, caller, job_id)
    view = _view(unit, caller, job_id)
    if view.status != "processing":
        raise Refused("conflict", f"This job has ended already: it is {view.status}.")
    queue.ask_to_cancel(unit.conn, job_id, unit.origin)
    return view


def _view(unit: Work, caller: Caller, job_id: UUID) -> JobView:
    found = jobs.one(unit.conn, unit.origin.workspace_id, job_id, caller.visible_to)
    if found is None:
        raise not_found("job")
    return found
