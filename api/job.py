"""Jobs over HTTP: how far long work has come."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Annotated
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter

from api.http.answers import Answer, Json
from api.http.ask import Act, Ask
from api.http.routes import get, post
from application import job as jobs
from application.catalogue import KINDS
from domain.kernel import not_found
from eventstore.work import Work
from projections import job as rows
from schemas.job import BulkAnswer, JobStatus, JobView, RowError
from schemas.wire.page import One, Page, PageRequest


class JobController(Controller):
    path = "/jobs"
    tags = ["Jobs"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listJobs", summary="List jobs, newest first", scope="jobs:read")
    def list_jobs(
        self,
        ask: NamedDependency[Ask],
        paged: NamedDependency[PageRequest],
        status: Annotated[JobStatus | None, QueryParameter(description="Only jobs of this status.")] = None,
    ) -> Json[Page[JobView]]:
        """Every import is one. Members limited to what is assigned to them see only their own."""
        with ask.reading() as conn:
            return ask.page(paged, *rows.listed(conn, ask.caller.workspace_id, paged, status, ask.visible_to))

    @get("/{job_id:uuid}", operation_id="getJob", summary="How far a job has come", scope="jobs:read")
    def get_job(self, ask: NamedDependency[Ask], job_id: FromPath[UUID]) -> Json[One[JobView]]:
        """With the first 1,000 errors; `GET /jobs/{jobId}/errors` has them all."""
        with ask.reading() as conn:
            view = rows.one(conn, ask.caller.workspace_id, job_id, ask.visible_to)
        if view is None:
            raise not_found("job")
        return ask.told(view)

    @get(
        "/{job_id:uuid}/errors",
        operation_id="listJobErrors",
        summary="What was wrong with the rows of a job",
        scope="jobs:read",
    )
    def list_errors(
        self, ask: NamedDependency[Ask], paged: NamedDependency[PageRequest], job_id: FromPath[UUID]
    ) -> Json[Page[RowError]]:
        """In order of rows: one entry for each field at fault."""
        workspace_id = ask.caller.workspace_id
        with ask.reading() as conn:
            if rows.one(conn, workspace_id, job_id, ask.visible_to) is None:
                raise not_found("job")
            return ask.page(paged, *rows.errors(conn, workspace_id, job_id, paged))

    @post(
        "/{job_id:uuid}/cancel",
        operation_id="cancelJob",
        summary="Cancel a job",
        scope="jobs:write",
        status=200,
        also={202: "It is about to end."},
    )
    def cancel_job(self, act: NamedDependency[Act], job_id: FromPath[UUID]) -> Json[One[JobView]]:
        """What was done stays, and the rest is not done. One that a worker is busy with (202) ends, unless that was the
        last of it, as soon as the step in hand is done: after a thousand rows at most.
        """

        def work(unit: Work) -> Answer:
            view = jobs.cancel(unit, act.caller, job_id, KINDS)
            return Answer(view, status=200 if view.status == "cancelled" else 202)

        return act.answer(work, origin=replace(act.caller.origin(), correlation_id=job_id))


def begun(act: Act, work: Callable[[Work], BulkAnswer]) -> Json[BulkAnswer]:
    """202 with the job of a bulk operation, as the documents show it: without an envelope."""

    def answered(unit: Work) -> Answer:
        answer = work(unit)
        return Answer(answer, status=202, location=f"/api/v1/jobs/{answer.job_id}", bare=True)

    return act.answer(answered)
