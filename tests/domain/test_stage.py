"""Rules of stages: their order, and how likely deals are to be won in them."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

import pytest

from domain.kernel import values
from domain.kernel.values import CustomValue
from domain.pipeline import PIPELINE, CreatePipeline, PipelineChanges, PipelineCreated, PipelineUpdated, UpdatePipeline
from domain.stage import STAGE, CreateStage, StageChanges, StageCreated, StageUpdated, UpdateStage, making_room
from tests.language import given

PIPELINE_ID = UUID(int=1)


def stages(**places: int) -> dict[UUID, int]:
    return {UUID(int=ord(name)): place for name, place in places.items()}


@pytest.mark.parametrize(
    ("others", "wanted", "left", "moved"),
    [
        ({"a": 1, "b": 2, "c": 3}, 4, None, {}),
        ({"a": 1, "b": 2, "c": 3}, 2, None, {"b": 3, "c": 4}),
        ({"a": 1, "b": 2, "c": 9}, 2, None, {"b": 3}),
        ({"a": 1, "b": 2, "c": 3, "d": 4}, 2, 5, {"b": 3, "c": 4, "d": 5}),
        ({"a": 1, "c": 3, "d": 4, "e": 5}, 5, 2, {"e": 4, "d": 3, "c": 2}),
        ({"a": 1, "c": 3}, 2, 4, {}),
        ({}, 0, None, {}),
    ],
)
def test_those_in_the_way_go_one_further_up_to_the_first_gap(
    others: dict[str, int], wanted: int, left: int | None, moved: dict[str, int]
) -> None:
    assert making_room(stages(**others), wanted, left) == stages(**moved)


def test_moving_one_keeps_the_order_of_all_others_and_their_places_apart() -> None:
    chance = random.Random(7)
    for _ in range(500):
        places = chance.sample(range(12), 8)
        others = {UUID(int=number): place for number, place in enumerate(places[1:])}
        wanted = chance.randrange(12)
        after = {**others, **making_room(others, wanted, places[0])}
        assert len({*after.values(), wanted}) == len(others) + 1
        assert sorted(others, key=others.__getitem__) == sorted(after, key=after.__getitem__)
        assert all(abs(after[stage] - others[stage]) <= 1 for stage in others)


@pytest.mark.parametrize(
    ("fields", "probability"),
    [({}, 0), ({"type": "won"}, 1), ({"type": "lost"}, 0), ({"type": "won", "probability": 0.9}, 0.9)],
)
def test_a_stage_is_as_likely_as_its_type_unless_it_says(fields: dict[str, Any], probability: float) -> None:
    command = CreateStage(pipeline_id=PIPELINE_ID, name=" Lead ", order=1, **fields)
    kind = fields.get("type", "open")
    given(STAGE).when(command).then(
        StageCreated(pipeline_id=PIPELINE_ID, name="Lead", order=1, type=kind, probability=probability)
    )


@pytest.mark.parametrize("probability", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_probability_is_between_0_and_1(probability: float) -> None:
    command = CreateStage(pipeline_id=PIPELINE_ID, name="A", order=1, probability=probability)
    given(STAGE).when(command).refused("validation_failed", field="probability")


@pytest.mark.parametrize("order", [-1, 1_000_001])
def test_a_place_is_a_number_of_reasonable_size(order: int) -> None:
    command = CreateStage(pipeline_id=PIPELINE_ID, name="A", order=order)
    given(STAGE).when(command).refused("validation_failed", field="order")


def test_only_what_differs_is_changed() -> None:
    created = StageCreated(pipeline_id=PIPELINE_ID, name="Lead", order=1, type="open", probability=0.1)
    given(STAGE, created).when(UpdateStage(name="Lead ", order=2)).then(
        StageUpdated(changed=StageChanges(order=2), previous=StageChanges(order=1))
    )


def test_settings_of_a_pipeline_are_merged_by_key() -> None:
    created = PipelineCreated(name="Sales", settings={"rottingDays": 30, "colour": "red"})
    given(PIPELINE, created).when(UpdatePipeline(settings={"rottingDays": None, "colour": "red"})).then(
        PipelineUpdated(
            changed=PipelineChanges(settings={"rottingDays": None}),
            previous=PipelineChanges(settings={"rottingDays": 30}),
        )
    )


def test_a_pipeline_has_no_more_settings_than_it_may_however_they_come() -> None:
    most: dict[str, CustomValue] = {f"key{number}": number for number in range(values.MAX_CUSTOM_FIELDS)}
    given(PIPELINE, CreatePipeline(name="Sales", settings=most)).when(UpdatePipeline(settings={"one more": 1})).refused(
        "validation_failed", field="settings"
    )


def test_the_currency_of_a_pipeline_is_one() -> None:
    given(PIPELINE).when(CreatePipeline(name="Sales", currency="euro")).refused("validation_failed", field="currency")
    given(PIPELINE).when(CreatePipeline(name="Sales", currency=" eur")).then(
        PipelineCreated(name="Sales", currency="EUR", settings={})
    )
