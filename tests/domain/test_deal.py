"""Rules of deals: what they are worth, where they are, and how they end."""

from __future__ import annotations

from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.deal import (
    DEAL,
    CreateDeal,
    DealCreated,
    DealFields,
    DealLost,
    DealReopened,
    DealStageChanged,
    DealUpdated,
    DealWon,
    MoveDeal,
    Standing,
    UpdateDeal,
)
from domain.kernel import values
from domain.kernel.money import Money
from domain.stage import DealStatus, Place, StageRef
from tests.language import given


def stage(number: int, name: str, kind: DealStatus = "open") -> StageRef:
    place = Place(pipeline_id=UUID(int=1), pipeline_name="Sales", stage_id=UUID(int=number), stage_name=name)
    return StageRef(place=place, type=kind)


LEAD, OFFER = stage(2, "Lead"), stage(3, "Offer")
WON, LOST = stage(4, "Closed won", "won"), stage(5, "Closed lost", "lost")

WORTH = Money(amount=4_200_050, currency="USD")
HERE: dict[str, Any] = {
    "pipeline_id": UUID(int=1),
    "pipeline_name": "Sales",
    "stage_id": UUID(int=2),
    "stage_name": "Lead",
}
created = DealCreated(name="Northwind", value=WORTH, **HERE)
OPEN = Standing(status="open")


def create(**fields: Any) -> CreateDeal:
    return CreateDeal(**{"name": "Northwind", "value": Decimal("42000.5"), "currency": "USD", "stage": LEAD, **fields})


def closed(event: Any, at: StageRef, now: DealStatus, before: DealStatus) -> Any:
    place = {name: getattr(at.place, name) for name in Place.__struct_fields__}
    return event(name="Northwind", value=WORTH, **place, changed=Standing(status=now), previous=Standing(status=before))


def entered(to: StageRef, at: StageRef = LEAD) -> DealStageChanged:
    return DealStageChanged(name="Northwind", value=WORTH, changed=to.place, previous=at.place)


def test_a_deal_begins_open_in_its_stage() -> None:
    state = given(DEAL).when(create(name=" Northwind ", currency="usd", custom_fields={"a": None})).then(created)
    assert state is not None
    assert (state.status, state.stage_id, state.probability) == ("open", UUID(int=2), None)


def test_what_is_not_acceptable_is_named_all_at_once() -> None:
    command = create(name=" ", value=Decimal(-1), currency="dollars", probability=1.5, expected_close_date="soon")
    fields = ["name", "probability", "expectedCloseDate", "value", "currency"]
    given(DEAL).when(command).refused("validation_failed", fields=fields)
    given(DEAL).when(create(value=Decimal("1.005"))).refused("validation_failed", field="value", says="2 decimals")


def test_one_made_where_deals_are_won_is_won_at_once() -> None:
    place = {name: getattr(WON.place, name) for name in Place.__struct_fields__}
    given(DEAL).when(create(stage=WON)).then(
        DealCreated(name="Northwind", value=WORTH, **place), closed(DealWon, WON, "won", "open")
    )
    given(DEAL).when(create(status="lost")).then(created, closed(DealLost, LEAD, "lost", "open"))
    given(DEAL).when(create(stage=WON, status="lost")).refused("validation_failed", field="status")


def test_moving_says_from_where_to_where() -> None:
    given(DEAL, created).when(MoveDeal(at=LEAD, to=OFFER)).then(entered(OFFER))
    given(DEAL, created).when(MoveDeal(at=LEAD, to=LEAD)).nothing()


@pytest.mark.parametrize(("to", "event", "status"), [(WON, DealWon, "won"), (LOST, DealLost, "lost")])
def test_entering_a_stage_for_closed_deals_closes_and_leaving_it_reopens(
    to: StageRef, event: Any, status: DealStatus
) -> None:
    given(DEAL, created).when(MoveDeal(at=LEAD, to=to)).then(entered(to), closed(event, to, status, "open"))
    given(DEAL, created, MoveDeal(at=LEAD, to=to)).when(MoveDeal(at=to, to=OFFER)).then(
        entered(OFFER, to), closed(DealReopened, OFFER, "open", status)
    )
    given(DEAL, created, MoveDeal(at=LEAD, to=to)).when(MoveDeal(at=to, to=OFFER, status=status)).then(
        entered(OFFER, to)
    )


def test_a_deal_is_closed_and_reopened_where_it_is() -> None:
    given(DEAL, created).when(MoveDeal(at=LEAD, to=LEAD, status="won")).then(closed(DealWon, LEAD, "won", "open"))
    won = (created, MoveDeal(at=LEAD, to=LEAD, status="won"))
    given(DEAL, *won).when(MoveDeal(at=LEAD, to=LEAD, status="won")).nothing()
    given(DEAL, *won).when(MoveDeal(at=LEAD, to=LEAD, status="lost")).then(closed(DealLost, LEAD, "lost", "won"))
    given(DEAL, *won).when(MoveDeal(at=LEAD, to=LEAD, status="open")).then(closed(DealReopened, LEAD, "open", "won"))


def test_a_closed_deal_that_goes_among_open_stages_stays_closed() -> None:
    won = (created, MoveDeal(at=LEAD, to=LEAD, status="won"))
    given(DEAL, *won).when(MoveDeal(at=LEAD, to=OFFER)).then(entered(OFFER))


def test_in_a_stage_for_won_deals_none_is_anything_else() -> None:
    won = (created, MoveDeal(at=LEAD, to=WON))
    for status in ("open", "lost"):
        given(DEAL, *won).when(MoveDeal(at=WON, to=WON, status=status)).refused(
            "validation_failed", field="status", says="must be won"
        )
        given(DEAL, created).when(MoveDeal(at=LEAD, to=WON, status=status)).refused("validation_failed", field="status")


def test_what_it_is_worth_changes_with_amount_or_currency() -> None:
    def worth(amount: int, currency: str = "USD") -> DealFields:
        return DealFields(value=Money(amount=amount, currency=currency))

    updated = DealUpdated(changed=worth(4_800_000), previous=worth(4_200_050))
    given(DEAL, created).when(UpdateDeal(value=Decimal(48000))).then(updated)
    updated = DealUpdated(changed=worth(4_200_050, "EUR"), previous=worth(4_200_050))
    given(DEAL, created).when(UpdateDeal(currency="eur")).then(updated)
    updated = DealUpdated(changed=worth(7, "JPY"), previous=worth(4_200_050))
    given(DEAL, created).when(UpdateDeal(currency="JPY", value=Decimal(7))).then(updated)
    given(DEAL, created).when(UpdateDeal(currency="JPY")).refused("validation_failed", field="value", says="0 decimals")
    given(DEAL, created).when(UpdateDeal(value=Decimal("42000.50"), currency="USD")).nothing()


def test_custom_fields_are_merged_and_no_more_than_there_may_be() -> None:
    most = {f"key{number}": number for number in range(values.MAX_CUSTOM_FIELDS)}
    for history in (create(custom_fields=most), created):
        more = UpdateDeal(custom_fields={"one more": 1, **({} if history is created else {"key0": None})})
        assert given(DEAL, history).when(more).refusal is None
    given(DEAL, create(custom_fields=most)).when(UpdateDeal(custom_fields={"one more": 1})).refused(
        "validation_failed", field="customFields"
    )
