"""Made-up companies, deals and tasks, as many of each: always the same ones, but for their ids."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import partial
from random import Random
from typing import Any, Final, NamedTuple
from uuid import UUID

from application import pipeline as pipelines
from application import stage as stages
from application.calling.caller import Caller
from bench.people import CHUNK, People
from bench.stack import Stack
from domain.company import COMPANY, CreateCompany, UpdateCompany
from domain.deal import DEAL, CreateDeal, UpdateDeal
from domain.kernel import Command, Decider
from domain.stage import StageRef
from domain.task import PRIORITIES, TASK, CreateTask, UpdateTask
from eventstore.ids import new_id
from eventstore.work import Work
from schemas.pipeline import NewPipeline
from schemas.stage import NewStage

_TRADES: Final = ("Brewing", "Logistics", "Printing", "Farming", "Shipping", "Mining", "Weaving", "Baking")
_SIZES: Final = ("1-10", "11-50")
_FIRST_DAY: Final = date(2026, 1, 1)


_Make = Callable[[int, Mapping[str, Any], Random], Command]


class Made(NamedTuple):
    """Things of one kind, and what changes one of them for the nth time."""

    decider: Decider[Any, Any, Any]
    ids: list[UUID]
    changed: Any


def fill(stack: Stack, caller: Caller, count: int) -> list[Made]:
    """So many companies, deals and tasks: in bulk, a thousand a unit of work."""
    at = stack.services.store.run(caller.origin(), _make_stage).value
    kinds: list[tuple[Decider[Any, Any, Any], _Make, Callable[[int], Command]]] = [
        (COMPANY, _company, lambda time: UpdateCompany(size=_SIZES[time % 2])),
        (DEAL, partial(_deal, at), lambda time: UpdateDeal(probability=(time + 1) / 10)),
        (TASK, _task, lambda time: UpdateTask(description=f"Put off {time + 1} times")),
    ]
    made = [Made(decider, [new_id() for _ in range(count)], changed) for decider, _, changed in kinds]
    for things, (_, make, _) in zip(made, kinds, strict=True):
        for first in range(0, count, CHUNK):
            work = partial(_begin, things=things, make=make, first=first)
            stack.services.store.run(caller.origin(), work, bulk=True)
    return made


def _make_stage(unit: Work) -> StageRef:
    pipeline = pipelines.create(unit, NewPipeline(name="Sales"))
    return stages.ref(unit, stages.create(unit, pipeline.id, NewStage(name="Offered", order=1)).id)


def _begin(unit: Work, things: Made, make: _Make, first: int) -> None:
    ids = things.ids[first : first + CHUNK]
    for number, (thing_id, person) in enumerate(zip(ids, People().make(first, len(ids)), strict=True), first):
        unit.begin(things.decider, thing_id, make(number, person, Random(number)))


def _company(number: int, person: Mapping[str, Any], random: Random) -> Command:
    return CreateCompany(
        name=f"{person['last_name']} {random.choice(_TRADES)}",
        domain=f"{number}.example.com",
        industry=random.choice(_TRADES),
        custom_fields={"field0": random.choice(_TRADES), "field1": random.randrange(5_000)},
    )


def _deal(at: StageRef, _: int, person: Mapping[str, Any], random: Random) -> Command:
    return CreateDeal(
        name=f"{random.choice(_TRADES)} for {person['last_name']}",
        value=Decimal(random.randrange(100_000)),
        currency="USD",
        stage=at,
        status=random.choice(("open", "open", "won", "lost")),
        expected_close_date=str(_FIRST_DAY + timedelta(days=random.randrange(365))),
        custom_fields={"field0": random.choice(_TRADES), "field1": random.randrange(5_000)},
    )


def _task(_: int, person: Mapping[str, Any], random: Random) -> Command:
    due = datetime(2026, 1, 1, tzinfo=UTC) + timedelta(minutes=random.randrange(500_000))
    return CreateTask(title=f"Call {person['last_name']}", priority=random.choice(PRIORITIES), due_date=due)
