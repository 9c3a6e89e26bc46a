"""What webhooks are told of deals: each step by an event of its own, with ids and names."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest

from application import deal as deals
from application import pipeline as pipelines
from domain.stage import Stage
from eventstore.rows import Current
from eventstore.work import Work
from projections import stage as stages
from schemas.deal import DealPatch, NewDeal
from schemas.pipeline import FirstStage, NewPipeline
from tests.receiver import Receiver, receiving
from tests.workers.hooks import Hooks
from tests.workers.running import Installation, eventually

STAGES = (FirstStage(name="Lead"), FirstStage(name="Closed Won", type="won"))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as found:
        yield found


def sales(unit: Work) -> list[Current[Stage]]:
    pipeline = pipelines.create(unit, NewPipeline(name="New Business", stages=STAGES))
    unit.write_rows()
    return stages.of(unit.conn, [pipeline.id])


def told(stage: Current[Stage]) -> dict[str, Any]:
    return {
        "pipelineId": str(stage.state.pipeline_id),
        "pipelineName": "New Business",
        "stageId": str(stage.id),
        "stageName": stage.state.name,
    }


def test_a_move_reaches_the_receiver_with_old_and_new_stage_by_id_and_name(
    installation: Installation, receiver: Receiver
) -> None:
    hooks = Hooks(installation)
    endpoint = receiver.endpoint()
    webhook_id = hooks.create(endpoint, "deal.created", "deal.stage_changed", "deal.won")
    lead, won = hooks.act(sales)
    form = NewDeal(name="Northwind", value=Decimal("42000.5"), pipeline_id=lead.state.pipeline_id, stage_id=lead.id)
    with hooks.working() as context:
        deal = hooks.act(lambda unit: deals.create(unit, form), context.store)
        hooks.act(lambda unit: deals.update(unit, deal.id, DealPatch(name="Northwind Logistics")), context.store)
        hooks.act(lambda unit: deals.update(unit, deal.id, DealPatch(stage_id=won.id)), context.store)
        eventually(lambda: len(endpoint.got) == 3)
    got = {message["type"]: message for message in (each.verified(hooks.secret(webhook_id)) for each in endpoint.got)}
    assert {str(message["subject"]) for message in got.values()} == {str({"type": "deal", "id": str(deal.id)})}
    worth = {"amount": 4200050, "currency": "USD"}
    assert got["deal.created"]["data"].items() >= {"name": "Northwind", "value": worth, **told(lead)}.items()
    moved = {"name": "Northwind Logistics", "value": worth, "changed": told(won), "previous": told(lead)}
    assert got["deal.stage_changed"]["data"] == moved
    standing = {"changed": {"status": "won"}, "previous": {"status": "open"}}
    assert got["deal.won"]["data"] == {"name": "Northwind Logistics", "value": worth, **told(won), **standing}
