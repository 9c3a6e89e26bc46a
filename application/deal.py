"""Deals: what callers send, carried out over the deal and the stages that it is in and goes to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from msgspec import UNSET

from application import stage as stages
from domain.deal import DEAL, DETAILS, CreateDeal, Deal, MoveDeal, UpdateDeal
from domain.kernel import invalid
from domain.kernel.changes import named
from domain.pipeline import PIPELINE
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import deal as rows
from schemas.deal import DealPatch, DealView, NewDeal

_WORTH = frozenset({"value", "currency"})


def create(unit: Work, form: NewDeal) -> Current[Deal]:
    """A new deal in a stage of its pipeline, and in the pipeline's currency unless it names one."""
    stage = stages.entered(unit, form.pipeline_id, form.stage_id)
    pipeline = unit.load(PIPELINE, [form.pipeline_id])[form.pipeline_id].state
    fields = _given(form) | {"currency": form.currency or pipeline.currency}
    return unit.begin(DEAL, new_id(), CreateDeal(**fields, stage=stage, status=form.status))


def update(unit: Work, deal_id: UUID, form: DealPatch, if_version: int | None = None) -> Current[Deal]:
    """Changes the given fields, has it enter another stage, and closes or reopens it."""
    unit.execute(DEAL, deal_id, UpdateDeal(**_given(form)), if_version=if_version)
    if form.stage_id is not UNSET or form.pipeline_id is not UNSET or form.status is not UNSET:
        unit.execute(DEAL, deal_id, _move(unit, unit.get(DEAL, deal_id).state, form))
    return unit.get(DEAL, deal_id)


def _given(form: NewDeal | DealPatch) -> dict[str, Any]:
    return {name: value for name, value in named(form).items() if name in DETAILS | _WORTH}


def _move(unit: Work, deal: Deal, form: DealPatch) -> MoveDeal:
    """From its stage to the one that is named; another pipeline only with one of its stages."""
    at = to = stages.ref(unit, deal.stage_id)
    pipeline_id = deal.pipeline_id if form.pipeline_id is UNSET else form.pipeline_id
    if form.stage_id is not UNSET:
        to = stages.entered(unit, pipeline_id, form.stage_id)
    elif pipeline_id != deal.pipeline_id:
        unit.standing.hold(PIPELINE.stream_type, [pipeline_id], "pipelineId")
        raise invalid("stageId", "must be given with another pipeline: the stage of it that the deal is to be in")
    return MoveDeal(at=at, to=to, status=form.status)


def view(unit: Work, deal: Current[Deal]) -> DealView:
    return rows.views(unit.conn, [deal])[0]
