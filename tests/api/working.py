"""Carries out jobs in the API's tests, as workers do."""

from __future__ import annotations

from dataclasses import replace
from functools import partial

from application.catalogue import KINDS
from application.working import job as jobs
from eventstore.database import Pool, connection
from eventstore.unit_of_work import EventStore
from projections import job_queue as queue


def step(store: EventStore, worker_pool: Pool) -> bool:
    """One step of the job whose turn it is; false where there is none."""
    with connection(worker_pool) as conn:
        job = queue.claim(conn, list(KINDS))
    if job is None:
        return False
    work = partial(jobs.work_on, claimed=job, kinds=KINDS)
    return replace(store, pool=worker_pool).run(job.origin, work, bulk=True).value


def give_up(store: EventStore, worker_pool: Pool) -> bool:
    """Ends the job whose turn it is as one that could not be done; false where there is none."""
    with connection(worker_pool) as conn:
        job = queue.claim(conn, list(KINDS))
    if job is None:
        return False
    return replace(store, pool=worker_pool).run(job.origin, partial(jobs.give_up, claimed=job, kinds=KINDS)).value
