"""Stages: made, moved and taken away within their pipeline, and shown to deals that enter them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from msgspec import UNSET
from msgspec.structs import asdict

from domain.kernel import Refused, invalid, not_found
from domain.pipeline import PIPELINE
from domain.stage import MAX_STAGES, STAGE, CreateStage, DeleteStage, Place, Stage, StageRef, UpdateStage, making_room
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import deal as deals
from projections import stage as rows
from schemas.stage import NewStage, StageView


def entered(unit: Work, pipeline_id: UUID, stage_id: UUID) -> StageRef:
    """A stage as a deal enters it; refuses what is no pipeline, or no stage of it. Neither ends meanwhile."""
    unit.standing.hold(PIPELINE.stream_type, [pipeline_id], "pipelineId")
    unit.standing.hold(STAGE.stream_type, [stage_id], "stageId")
    if unit.load(STAGE, [stage_id])[stage_id].state.pipeline_id != pipeline_id:
        raise invalid("stageId", "must be a stage of the deal's pipeline")
    return ref(unit, stage_id)


def ref(unit: Work, stage_id: UUID) -> StageRef:
    """A stage that there is, with the names of this moment."""
    stage = unit.load(STAGE, [stage_id])[stage_id].state
    pipeline = unit.load(PIPELINE, [stage.pipeline_id])[stage.pipeline_id].state
    place = Place(pipeline_id=stage.pipeline_id, pipeline_name=pipeline.name, stage_id=stage_id, stage_name=stage.name)
    return StageRef(place=place, type=stage.type)


def create(unit: Work, pipeline_id: UUID, form: NewStage) -> Current[Stage]:
    """A new stage at its place; who stands there makes room."""
    unit.get(PIPELINE, pipeline_id)
    others = _others(unit, pipeline_id)
    if len(others) >= MAX_STAGES:
        raise Refused("conflict", f"A pipeline has at most {MAX_STAGES} stages.")
    made = unit.begin(STAGE, new_id(), CreateStage(pipeline_id=pipeline_id, **asdict(form)))
    _make_room(unit, others, made.state.order)
    return made


def update(
    unit: Work, pipeline_id: UUID, stage_id: UUID, command: UpdateStage, if_version: int | None = None
) -> Current[Stage]:
    """Changes the given fields. Those between where it was and where it goes move towards the place that it leaves."""
    stage = one(unit, pipeline_id, stage_id)
    if command.type not in (UNSET, stage.state.type):
        _check_empty(unit, stage)
    others = _others(unit, pipeline_id, stage_id) if command.order not in (UNSET, stage.state.order) else []
    unit.execute(STAGE, stage_id, command, if_version=if_version)
    changed = unit.get(STAGE, stage_id)
    if others:
        _make_room(unit, others, changed.state.order, left=stage.state.order)
    return changed


def delete(unit: Work, pipeline_id: UUID, stage_id: UUID, if_version: int | None = None) -> None:
    """Refuses with ``conflict`` where deals are in it."""
    one(unit, pipeline_id, stage_id)
    unit.execute(STAGE, stage_id, DeleteStage(), if_version=if_version)


def one(unit: Work, pipeline_id: UUID, stage_id: UUID) -> Current[Stage]:
    """A stage of the pipeline; refuses with ``not_found`` another's."""
    stage = unit.get(STAGE, stage_id)
    if stage.state.pipeline_id != pipeline_id:
        raise not_found("stage")
    return stage


def _others(unit: Work, pipeline_id: UUID, but: UUID | None = None) -> list[Current[Stage]]:
    """The pipeline's stages, of which none gets another place until the transaction ends."""
    rows.lock_order(unit.conn, pipeline_id)
    return [stage for stage in rows.of(unit.conn, [pipeline_id]) if stage.id != but]


def _make_room(unit: Work, others: Sequence[Current[Stage]], wanted: int, left: int | None = None) -> None:
    """Because of the stage that was just made or moved."""
    places = making_room({stage.id: stage.state.order for stage in others}, wanted, left)
    with unit.because():
        for stage_id, place in places.items():
            unit.execute(STAGE, stage_id, UpdateStage(order=place))


def _check_empty(unit: Work, stage: Current[Stage]) -> None:
    """Refuses where deals are in it, which stand as it has made them; none enters it meanwhile."""
    unit.rows[STAGE.stream_type].hold(unit.conn, [stage.id], ending=True)
    if deals.any_in(unit.conn, stage.id):
        raise Refused("conflict", "The type of this stage cannot change: deals are in it.")


def view(unit: Work, stage: Current[Stage]) -> StageView:
    return rows.views(unit.conn, [stage])[0]
