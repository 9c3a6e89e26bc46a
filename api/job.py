"""Jobs over HTTP: how far long work has come."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter

from api.http.answers import Answer, Asked, Json, command, page, plain
from api.http.operation import errors, needs
from api.http.paging import page_request
from application import job as jobs
from application.calling.services import Services
from application.catalogue import KINDS
from domain.kernel import not_found
from eventstore.database import reading
from eventstore.unit_of_work import Work
from projections import job as rows
from schemas.job import JobStatus, JobView, RowError
from schemas.wire.page import One, Page, PageRequest, page_meta


class JobController(Controller):
    path = "/jobs"
    tags = ["Jobs"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="listJobs",
        summary="List jobs, newest first",
        description="Every import is one. Members limited to what is assigned to them see only their own.",
        opt=needs("jobs:read"),
        responses=errors("validation_failed"),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_jobs(
        self,
        services: NamedDependency[Services],
        request: Asked,
        wanted: NamedDependency[PageRequest],
        status: Annotated[JobStatus | None, QueryParameter(description="Only jobs of this status.")] = None,
    ) -> Json[Page[JobView]]:
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            views, total, cursor = rows.listed(conn, caller.workspace_id, wanted, status, caller.visible_to)
        return page(Page(data=views, meta=page_meta(wanted, total, cursor)))

    @get(
        "/{job_id:uuid}",
        operation_id="getJob",
        summary="How far a job has come",
        description="With the first 1,000 errors; `GET /jobs/{jobId}/errors` has them all.",
        opt=needs("jobs:read"),
        responses=errors("not_found"),
        sync_to_thread=True,
    )
    def get_job(
        self, services: NamedDependency[Services], request: Asked, job_id: FromPath[UUID]
    ) -> Json[One[JobView]]:
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            view = rows.one(conn, caller.workspace_id, job_id, caller.visible_to)
        if view is None:
            raise not_found("job")
        return plain({"data": view}, headers={"cache-control": "no-store"})

    @get(
        "/{job_id:uuid}/errors",
        operation_id="listJobErrors",
        summary="What was wrong with the rows of a job",
        description="In order of rows: one entry for each field at fault.",
        opt=needs("jobs:read"),
        responses=errors("not_found", "validation_failed"),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_errors(
        self,
        services: NamedDependency[Services],
        request: Asked,
        wanted: NamedDependency[PageRequest],
        job_id: FromPath[UUID],
    ) -> Json[Page[RowError]]:
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            if rows.one(conn, caller.workspace_id, job_id, caller.visible_to) is None:
                raise not_found("job")
            found, total, cursor = rows.errors(conn, caller.workspace_id, job_id, wanted)
        return page(Page(data=found, meta=page_meta(wanted, total, cursor)))

    @post(
        "/{job_id:uuid}/cancel",
        operation_id="cancelJob",
        summary="Cancel a job",
        description=(
            "What was done stays, and the rest is not done. One that a worker is busy with (202) ends, unless that was the"
            " last of it, as soon as the step in hand is done: after a thousand rows at most."
        ),
        status_code=200,
        opt=needs("jobs:write", repeatable=True),
        responses={
            **errors("conflict", "not_found"),
            202: ResponseSpec(One[JobView], description="It is about to end.", generate_examples=False),
        },
        sync_to_thread=True,
    )
    def cancel_job(
        self, services: NamedDependency[Services], request: Asked, job_id: FromPath[UUID]
    ) -> Json[One[JobView]]:
        def work(unit: Work) -> Answer:
            view = jobs.cancel(unit, request.user, job_id, KINDS)
            return Answer(view, status=200 if view.status == "cancelled" else 202)

        origin = replace(request.user.origin(), correlation_id=job_id)
        return command(request, b"", services, work, origin=origin)
