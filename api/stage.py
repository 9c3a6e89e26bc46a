"""The stages of pipelines over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import stage as stages
from domain.kernel import not_found
from domain.stage import UpdateStage
from projections import pipeline as pipelines
from projections import stage as rows
from schemas.stage import NewStage, StageView, StageWithDeals
from schemas.wire.page import One


class StageController(Controller):
    path = "/pipelines/{pipeline_id:uuid}/stages"
    tags = ["Pipelines"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listStages", summary="List a pipeline's stages", scope="pipelines:read")
    def list_stages(self, ask: NamedDependency[Ask], pipeline_id: FromPath[UUID]) -> Json[One[list[StageView]]]:
        """All of them, in order."""
        with ask.reading() as conn:
            ask.found(conn, pipelines.PIPELINES, pipeline_id)
            found = rows.views(conn, rows.of(conn, [pipeline_id]))
        return ask.told(found)

    @post(
        operation_id="createStage",
        summary="Add a stage to a pipeline",
        scope="pipelines:write",
        example={"name": "Negotiation", "order": 4, "probability": 0.8},
    )
    def create_stage(
        self, act: NamedDependency[Act], pipeline_id: FromPath[UUID], data: RequestBody[NewStage]
    ) -> Json[One[StageView]]:
        """Where another stands at its place, that and those right behind it go one further. At most 50 (409)."""
        return act.create(lambda unit: stages.create(unit, pipeline_id, data), stages.view)

    @get(
        "/{stage_id:uuid}",
        operation_id="getStage",
        summary="Get one stage with what its deals add up to",
        scope="pipelines:read",
    )
    def get_stage(
        self, recall: NamedDependency[Recall], pipeline_id: FromPath[UUID], stage_id: FromPath[UUID]
    ) -> Json[One[StageWithDeals]]:
        with recall.reading() as conn:
            stage = recall.found(conn, rows.STAGES, stage_id)
            if stage.state.pipeline_id != pipeline_id:
                raise not_found("stage")
            (view,) = pipelines.stages_with_deals(conn, [stage])
        return recall.told(view, headers={"etag": f'"{stage.version}"'})

    @patch(
        "/{stage_id:uuid}",
        operation_id="updateStage",
        summary="Change a stage's name, place, type or probability",
        scope="pipelines:write",
        example={"order": 2, "probability": 0.7},
    )
    def update_stage(
        self,
        change: NamedDependency[Change],
        pipeline_id: FromPath[UUID],
        stage_id: FromPath[UUID],
        data: RequestBody[UpdateStage],
    ) -> Json[One[StageView]]:
        """With another `order` it is moved: those on the way make room, towards the place that it leaves. The type of a stage
        that deals are in stays: 409.
        """
        return change(lambda unit: stages.update(unit, pipeline_id, stage_id, data, change.if_version), stages.view)

    @delete("/{stage_id:uuid}", operation_id="deleteStage", summary="Delete a stage", scope="pipelines:write")
    def delete_stage(
        self, change: NamedDependency[Change], pipeline_id: FromPath[UUID], stage_id: FromPath[UUID]
    ) -> Json[None]:
        """One that deals are in stays: 409."""
        return change.done(lambda unit: stages.delete(unit, pipeline_id, stage_id, change.if_version))
