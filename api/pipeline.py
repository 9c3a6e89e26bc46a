"""Pipelines over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.paging import Search
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import pipeline as pipelines
from domain.pipeline import PIPELINE, DeletePipeline, UpdatePipeline
from projections import pipeline as rows
from schemas.pipeline import NewPipeline, PipelineView, PipelineWithStages
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {
    "name": "New Business",
    "stages": [
        {"name": "Lead", "order": 1, "probability": 0.1},
        {"name": "Proposal", "order": 2, "probability": 0.6},
        {"name": "Closed Won", "order": 3, "probability": 1.0, "type": "won"},
    ],
}


class PipelineController(Controller):
    path = "/pipelines"
    tags = ["Pipelines"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listPipelines", summary="List pipelines with their totals", scope="pipelines:read")
    def list_pipelines(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest], search: Search = None
    ) -> Json[Page[PipelineView]]:
        """The oldest first. A member limited to what is assigned to them is told of their deals alone."""
        return ask.listed(wanted, lambda conn: rows.LISTING.search(conn, wanted, search), rows.views)

    @post(
        operation_id="createPipeline",
        summary="Create a pipeline with its first stages",
        scope="pipelines:write",
        example=_NEW,
    )
    def create_pipeline(
        self, act: NamedDependency[Act], data: RequestBody[NewPipeline]
    ) -> Json[One[PipelineWithStages]]:
        return act.create(lambda unit: pipelines.create(unit, data), pipelines.view)

    @get(
        "/{pipeline_id:uuid}",
        operation_id="getPipeline",
        summary="Get one pipeline with its stages and statistics",
        scope="pipelines:read",
    )
    def get_pipeline(
        self, recall: NamedDependency[Recall], pipeline_id: FromPath[UUID]
    ) -> Json[One[PipelineWithStages]]:
        """Sums are of deals in the pipeline's currency; `statistics.currencies` has those of all."""
        return recall.one(rows.PIPELINES, pipeline_id, rows.with_stages)

    @patch(
        "/{pipeline_id:uuid}",
        operation_id="updatePipeline",
        summary="Change a pipeline's name, currency or settings",
        scope="pipelines:write",
        example={"name": "Enterprise", "settings": {"rottingDays": 30}},
    )
    def update_pipeline(
        self, change: NamedDependency[Change], pipeline_id: FromPath[UUID], data: RequestBody[UpdatePipeline]
    ) -> Json[One[PipelineView]]:
        """Deals keep the currency that they have."""
        return change.execute(PIPELINE, pipeline_id, data, rows.views)

    @delete("/{pipeline_id:uuid}", operation_id="deletePipeline", summary="Delete a pipeline", scope="pipelines:write")
    def delete_pipeline(self, change: NamedDependency[Change], pipeline_id: FromPath[UUID]) -> Json[None]:
        """With its stages. One that has deals stays: 409."""
        return change.end(PIPELINE, pipeline_id, DeletePipeline())
