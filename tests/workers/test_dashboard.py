"""The dashboard's counts: kept bit by bit they are as built anew, and add up to what the rows say."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

import pytest

from domain.catalogue import DECIDERS
from domain.contact import CONTACT, CreateContact, DeleteContact, UpdateContact
from domain.deal import DEAL, CreateDeal, DeleteDeal, MoveDeal, UpdateDeal
from domain.kernel import Command
from domain.membership import MEMBERSHIP, GrantMembership
from domain.pipeline import PIPELINE, CreatePipeline
from domain.stage import STAGE, CreateStage, DealStatus, Place, StageRef
from domain.task import TASK, CompleteTask, CreateTask, DeleteTask, ReopenTask, UpdateTask
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.verify import MismatchError, snapshot
from eventstore.work import Work
from projections.contact import CONTACTS
from projections.dashboard import COUNTS, DASHBOARD, NOBODY
from projections.deal import DEALS
from projections.task import TASKS
from projections.view.compare import check_views, compare_view
from projections.view.rebuild import ensure_views, rebuild
from schemas.log import Actor
from tests.workers.running import Installation
from workers.consuming.consumer import Consuming
from workers.consuming.view import consumer_of
from workers.running.context import async_pool

_COUNTED = f"SELECT statistic, owner, currency, sum(n)::int, sum(amount) FROM {COUNTS.name} WHERE workspace_id = %s"
_FROM_ROWS = f"""
    SELECT 'contacts', coalesce(assigned_to, %(nobody)s), '', count(*)::int, 0::numeric
        FROM {CONTACTS.table} WHERE workspace_id = %(workspace)s GROUP BY 2
    UNION ALL SELECT 'contacts_new', coalesce(assigned_to, %(nobody)s), '', count(*)::int, 0::numeric
        FROM {CONTACTS.table} WHERE workspace_id = %(workspace)s GROUP BY 2
    UNION ALL SELECT 'deals_' || status, coalesce(assigned_to, %(nobody)s), currency, count(*)::int, sum(value) * 100
        FROM {DEALS.table} WHERE workspace_id = %(workspace)s GROUP BY 1, 2, 3
    UNION ALL SELECT CASE status WHEN 'pending' THEN 'tasks_open' ELSE 'tasks_completed' END,
            coalesce(assigned_to, %(nobody)s), '', count(*)::int, 0::numeric
        FROM {TASKS.table} WHERE workspace_id = %(workspace)s GROUP BY 1, 2
    UNION ALL SELECT 'tasks_due', coalesce(assigned_to, %(nobody)s), '', count(*)::int, 0::numeric
        FROM {TASKS.table} WHERE workspace_id = %(workspace)s AND status = 'pending' AND due_date IS NOT NULL GROUP BY 2
"""


_ENDING: dict[str, Command] = {"contact": DeleteContact(), "deal": DeleteDeal(), "task": DeleteTask()}


class Life:
    """Contacts, deals and tasks that come, change hands and places, and go."""

    def __init__(self, installation: Installation, workspace: UUID, chance: random.Random) -> None:
        self.chance = chance
        self.installation = installation
        self.origin = Origin(workspace, Actor(type="system"))
        self.things: dict[str, list[UUID]] = {"contact": [], "deal": [], "task": []}
        self.at: dict[UUID, StageRef] = {}
        self.users: list[UUID | None] = [None]
        self.stages: list[StageRef] = []
        installation.store.run(self.origin, self._begin)

    def _begin(self, unit: Work) -> None:
        for _ in range(2):
            user = new_id()
            unit.begin(MEMBERSHIP, user, GrantMembership(user_id=user, role="member"))
            self.users.append(user)
        pipeline = unit.begin(PIPELINE, new_id(), CreatePipeline(name="Sales"))
        kinds: Sequence[DealStatus] = ("open", "open", "won", "lost")
        for order, kind in enumerate(kinds):
            command = CreateStage(pipeline_id=pipeline.id, name=f"{kind} {order}", order=order, type=kind)
            stage = unit.begin(STAGE, new_id(), command)
            place = Place(
                pipeline_id=pipeline.id, pipeline_name="Sales", stage_id=stage.id, stage_name=stage.state.name
            )
            self.stages.append(StageRef(place=place, type=kind))

    def go_on(self, units: int) -> None:
        for _ in range(units):
            self.installation.store.run(self.origin, self._happen)

    def _happen(self, unit: Work) -> None:
        for _ in range(self.chance.randint(1, 4)):
            kind = self.chance.choice(["contact", "deal", "task"])
            there = self.things[kind]
            thing = self.chance.choice([*there[-5:], None])
            if thing is None:
                there.append(getattr(self, f"_new_{kind}")(unit))
            elif self.chance.random() < 0.15:
                there.remove(thing)
                self.end(unit, kind, thing)
            else:
                getattr(self, f"_change_{kind}")(unit, thing)

    def end(self, unit: Work, kind: str, thing: UUID) -> None:
        unit.execute(DECIDERS[kind], thing, _ENDING[kind])

    def _owner(self) -> UUID | None:
        return self.chance.choice(self.users)

    def _due(self) -> datetime | None:
        hours = timedelta(hours=self.chance.randint(-50, 50))
        return self.chance.choice([None, datetime.now(UTC) + hours])

    def _new_contact(self, unit: Work) -> UUID:
        return unit.begin(CONTACT, new_id(), CreateContact(first_name="Ada", assigned_to=self._owner())).id

    def _change_contact(self, unit: Work, thing: UUID) -> None:
        unit.execute(CONTACT, thing, UpdateContact(city=f"{self.chance.random()}", assigned_to=self._owner()))

    def _value(self) -> Decimal:
        return Decimal(self.chance.randint(0, 10**6)) / 100

    def _new_deal(self, unit: Work) -> UUID:
        stage, currency = self.chance.choice(self.stages), self.chance.choice(["USD", "EUR"])
        command = CreateDeal(name="A", value=self._value(), currency=currency, stage=stage, assigned_to=self._owner())
        made = unit.begin(DEAL, new_id(), command)
        self.at[made.id] = stage
        return made.id

    def _change_deal(self, unit: Work, thing: UUID) -> None:
        if self.chance.random() < 0.5:
            currency = self.chance.choice(["USD", "EUR"])
            unit.execute(DEAL, thing, UpdateDeal(value=self._value(), currency=currency, assigned_to=self._owner()))
            return
        to = self.chance.choice(self.stages)
        unit.execute(DEAL, thing, MoveDeal(at=self.at[thing], to=to))
        self.at[thing] = to

    def _new_task(self, unit: Work) -> UUID:
        return unit.begin(TASK, new_id(), CreateTask(title="A", due_date=self._due(), assigned_to=self._owner())).id

    def _change_task(self, unit: Work, thing: UUID) -> None:
        changes = [
            CompleteTask(at=datetime.now(UTC)),
            ReopenTask(),
            UpdateTask(due_date=self._due(), assigned_to=self._owner()),
        ]
        unit.execute(TASK, thing, self.chance.choice(changes))


@pytest.fixture(autouse=True)
def built(own_installation: Installation) -> None:
    ensure_views(own_installation.owner, [DASHBOARD])


def keep(installation: Installation, workspace: UUID, chance: random.Random) -> None:
    """As workers do, a few events at a time."""

    async def main() -> None:
        async with async_pool(installation.config.database_url) as pool:
            consumer = replace(consumer_of(DASHBOARD), limit=lambda _: chance.choice([1, 3, 10]))
            await Consuming(pool, consumer).catch_up(workspace)

    asyncio.run(main())


def counted(installation: Installation, workspace: UUID) -> Counter[tuple[Any, ...]]:
    query = f"{_COUNTED} GROUP BY statistic, owner, currency"
    return Counter(installation.owner.execute(query.encode(), (workspace,)).fetchall())


def rows(installation: Installation, workspace: UUID) -> list[tuple[Any, ...]]:
    query = f"SELECT * FROM {COUNTS.name} WHERE workspace_id = %s ORDER BY {', '.join(COUNTS.key)}"
    return installation.owner.execute(query.encode(), (workspace,)).fetchall()


def compared(installation: Installation, workspace: UUID) -> int:
    check_views(installation.owner, [DASHBOARD])
    with snapshot(installation.owner):
        return compare_view(installation.owner, workspace, DASHBOARD)


@pytest.mark.parametrize("seed", range(3))
def test_kept_bit_by_bit_they_add_up_to_what_the_rows_say_and_are_as_built_anew(
    installation: Installation, seed: int
) -> None:
    workspace, chance = installation.workspace(), random.Random(seed)
    life = Life(installation, workspace, chance)
    for _ in range(3):
        life.go_on(30)
        keep(installation, workspace, chance)
        params = {"workspace": workspace, "nobody": NOBODY}
        assert counted(installation, workspace) == Counter(installation.owner.execute(_FROM_ROWS, params).fetchall())
    kept = rows(installation, workspace)
    assert compared(installation, workspace) == len(kept) > 10
    rebuild(installation.owner, DASHBOARD)
    assert rows(installation, workspace) == kept


def test_a_count_that_has_come_to_nothing_is_none(installation: Installation) -> None:
    workspace, chance = installation.workspace(), random.Random(0)
    life = Life(installation, workspace, chance)
    life.go_on(20)
    keep(installation, workspace, chance)
    assert rows(installation, workspace)

    def end(unit: Work) -> None:
        for kind, things in life.things.items():
            for thing in things:
                life.end(unit, kind, thing)

    installation.store.run(life.origin, end)
    keep(installation, workspace, chance)
    assert rows(installation, workspace) == []
    assert compared(installation, workspace) == 0


def test_a_count_that_was_tampered_with_is_named(installation: Installation) -> None:
    workspace, chance = installation.workspace(), random.Random(1)
    Life(installation, workspace, chance).go_on(10)
    keep(installation, workspace, chance)
    query = f"UPDATE {COUNTS.name} SET n = n + 1 WHERE workspace_id = %s AND statistic = 'contacts'"
    installation.owner.execute(query.encode(), (workspace,))
    with pytest.raises(MismatchError) as caught:
        compared(installation, workspace)
    assert (caught.value.finding.table, caught.value.finding.column) == (COUNTS.name, "n")
