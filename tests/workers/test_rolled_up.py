"""Timelines against a model: what an event touches, worked out one event after the other from the states of all things."""

from __future__ import annotations

import asyncio
import random
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

import pytest

from domain.catalogue import DECIDERS
from domain.company import CreateCompany, DeleteCompany
from domain.contact import CreateContact, DeleteContact, UpdateContact
from domain.deal import CreateDeal, DeleteDeal, UpdateDeal
from domain.kernel import Command, State
from domain.kernel.fields import references
from domain.note import CreateNote, DeleteNote, UpdateNote
from domain.pipeline import PIPELINE, CreatePipeline
from domain.stage import STAGE, CreateStage, Place, StageRef
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.mapper import EventMapper
from eventstore.verify import snapshot
from eventstore.work import Work
from projections.timeline import SUBJECTS, TIMELINE
from projections.view.compare import check_views, compare_view
from schemas.log import Actor
from tests.workers.running import Installation
from workers.consuming.consumer import Consuming
from workers.consuming.view import consumer_of
from workers.running.context import async_pool

ENDS: Final[dict[str, Command]] = {
    "company": DeleteCompany(),
    "contact": DeleteContact(),
    "deal": DeleteDeal(),
    "note": DeleteNote(),
}


@dataclass
class Life:
    """Companies, contacts, deals and notes that come, go over to others, and end with what ends along with them."""

    chance: random.Random
    stage: StageRef
    things: dict[str, list[UUID]] = field(default_factory=lambda: {kind: [] for kind in ENDS})

    def some(self, kind: str) -> UUID | None:
        return self.chance.choice([*self.things[kind], None])

    def happen(self, unit: Work) -> None:
        for _ in range(self.chance.randint(1, 3)):
            self.step(unit)

    def step(self, unit: Work) -> None:
        kind = self.chance.choice([*ENDS])
        for known, ids in self.things.items():  # some have ended along with others
            self.things[known] = [*unit.load(DECIDERS[known], ids)]
        thing, turn = self.some(kind), self.chance.random()
        if thing is None:
            self.things[kind].append(self.begun(unit, kind))
        elif turn < 0.15:
            unit.execute(DECIDERS[kind], thing, ENDS[kind])
        elif kind != "company":
            unit.execute(DECIDERS[kind], thing, self.change(kind))

    def begun(self, unit: Work, kind: str) -> UUID:
        about = {"contact_id": self.some("contact"), "deal_id": self.some("deal"), "company_id": self.some("company")}
        amount: dict[str, Any] = {"value": Decimal(1), "currency": "EUR", "stage": self.stage}
        commands: dict[str, Command] = {
            "company": CreateCompany(name="Acme"),
            "contact": CreateContact(first_name="Ada", company_id=about["company_id"]),
            "deal": CreateDeal(name="A", contact_id=about["contact_id"], company_id=about["company_id"], **amount),
            "note": CreateNote(
                content="A", contact_id=about["contact_id"], deal_id=about["deal_id"], created_by=new_id()
            ),
        }
        return unit.begin(DECIDERS[kind], new_id(), commands[kind]).id

    def change(self, kind: str) -> Command:
        text = f"{self.chance.random()}"
        changes: dict[str, list[Command]] = {
            "contact": [UpdateContact(city=text), UpdateContact(company_id=self.some("company"))],
            "deal": [
                UpdateDeal(name=text),
                UpdateDeal(contact_id=self.some("contact")),
                UpdateDeal(company_id=self.some("company")),
            ],
            "note": [
                UpdateNote(content=text),
                UpdateNote(contact_id=self.some("contact")),
                UpdateNote(deal_id=self.some("deal")),
            ],
        }
        return self.chance.choice(changes[kind])


def stage(unit: Work) -> StageRef:
    pipeline, lead = new_id(), new_id()
    unit.begin(PIPELINE, pipeline, CreatePipeline(name="Sales"))
    unit.begin(STAGE, lead, CreateStage(pipeline_id=pipeline, name="Lead", order=0))
    return StageRef(
        place=Place(pipeline_id=pipeline, pipeline_name="Sales", stage_id=lead, stage_name="Lead"), type="open"
    )


def led_to(state: State | None) -> set[UUID]:
    found = () if state is None else references(type(state))
    return {key for reference in found if reference.to.kind in SUBJECTS for key in reference.ids(state)}


def modelled(installation: Installation, workspace: UUID) -> set[tuple[UUID, int]]:
    query = "SELECT seq, stream_type, stream_id, type, data::text FROM events WHERE workspace_id = %s ORDER BY seq"
    mapper, states, told = EventMapper(keyless=True), dict[UUID, Any](), set[tuple[UUID, int]]()
    for seq, kind, stream_id, name, data in installation.owner.execute(query, (workspace,)):
        before = states.get(stream_id)
        states[stream_id] = DECIDERS[kind].evolve(before, mapper.decode(stream_id, name, data))
        touched = led_to(before) | led_to(states[stream_id]) | ({stream_id} if kind in SUBJECTS else set())
        reached = {stream_id} if kind not in SUBJECTS else set[UUID]()
        while touched - reached:
            thing = (touched - reached).pop()
            reached.add(thing)
            touched |= led_to(states.get(thing))
        told |= {(thing, seq) for thing in touched}
    return told


@pytest.mark.parametrize("seed", range(2))
def test_an_event_is_on_the_timelines_of_all_that_its_thing_led_to_then(installation: Installation, seed: int) -> None:
    """However the log is cut into batches, and whatever a worker remembers from one to the next."""
    workspace, chance = installation.workspace(), random.Random(seed)
    origin = Origin(workspace, Actor(type="system"))
    life = Life(chance, installation.store.run(origin, stage).value)
    consumer = replace(consumer_of(TIMELINE), limit=lambda _: chance.choice([1, 7, 40]))

    async def keep() -> None:
        async with async_pool(installation.config.database_url) as pool:
            await Consuming(pool, consumer).catch_up(workspace)

    for _ in range(3):
        for _ in range(30):
            installation.store.run(origin, life.happen)
        asyncio.run(keep())
        if chance.random() < 0.5:
            consumer.forget()
    items = installation.owner.execute(
        "SELECT subject_id, seq FROM timeline_items WHERE workspace_id = %s", (workspace,)
    )
    assert set(items) == modelled(installation, workspace)
    check_views(installation.owner, [TIMELINE])
    with snapshot(installation.owner):
        assert compare_view(installation.owner, workspace, TIMELINE) > 100
