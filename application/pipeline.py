"""Pipelines: made with their first stages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from uuid import UUID

from msgspec.structs import asdict, replace

from domain.kernel import invalid
from domain.kernel.changes import named
from domain.kernel.check import Check
from domain.pipeline import PIPELINE, CreatePipeline, Pipeline
from domain.stage import MAX_STAGES, STAGE, CreateStage, Stage
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import pipeline as rows
from schemas.pipeline import FirstStage, NewPipeline, PipelineWithStages


def create(unit: Work, form: NewPipeline) -> Current[Pipeline]:
    """A new pipeline with its stages, of which no two can be at one place."""
    fields = {name: value for name, value in named(form).items() if name != "stages"}
    made = unit.begin(PIPELINE, new_id(), CreatePipeline(**fields))
    stages = _placed(form.stages or ())
    check = Check()
    with unit.because():
        for number, stage in enumerate(stages):
            check.field(f"stages[{number}]", partial(_create, unit, made.id), stage)
    check.done()
    return made


def _create(unit: Work, pipeline_id: UUID, stage: FirstStage) -> Current[Stage]:
    return unit.begin(STAGE, new_id(), CreateStage(pipeline_id=pipeline_id, **asdict(stage)))


def _placed(stages: Sequence[FirstStage]) -> list[FirstStage]:
    """Each with its place: behind the one before it, the first at 1, unless it says where."""
    if len(stages) > MAX_STAGES:
        raise invalid("stages", f"must have at most {MAX_STAGES} entries")
    placed: list[FirstStage] = []
    at = 0
    for stage in stages:
        at = at + 1 if stage.order is None else stage.order
        placed.append(replace(stage, order=at))
    if len({stage.order for stage in placed}) < len(placed):
        raise invalid("stages", "must each have an order of its own")
    return placed


def view(unit: Work, pipeline: Current[Pipeline]) -> PipelineWithStages:
    unit.write_rows()
    return rows.with_stages(unit.conn, [pipeline])[0]
