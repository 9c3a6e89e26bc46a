"""Whatever commands come in whatever order: rows are the fold of the log, views as built anew, and no reference dangles."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import partial
from graphlib import TopologicalSorter
from typing import ClassVar
from uuid import UUID

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule, run_state_machine_as_test

from daybook.embedded import EmbeddedPostgres
from domain.catalogue import DECIDERS, EVENTS
from domain.kernel import Refused
from eventstore import letting_go
from eventstore.append import Origin
from eventstore.database import Db, Pool, reading
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS, VIEWS
from projections.verify import verify
from schemas.log import Actor
from tests.conftest import make_workspace
from tests.logs import check_chain, log_end, opened_log, whole_log
from tests.sequences.bundles import check_bundle
from tests.sequences.past import check_histories
from tests.sequences.told import stored_counts, stored_rows, told, wanted_rows
from tests.sequences.units import Known, Unit, firsts, units
from workers.consuming.consumer import Consuming
from workers.consuming.view import consumer_of
from workers.running.context import async_pool

BY_NEED = [
    *TopologicalSorter(
        {kind: {found.to.kind for found in rows.references} - {kind} for kind, rows in ROWS.items()}
    ).static_order()
]
"""Every kind of stream, behind those that it refers to."""
REFUSALS = {"conflict", "not_found", "validation_failed", "permission_denied"}


@dataclass
class Place:
    """Where sequences happen: a store, what keeps its views, and what has happened at all."""

    store: EventStore
    pool: Pool
    owner: Db
    runner: asyncio.Runner
    keepers: list[Consuming]
    happened: Counter[str] = field(default_factory=Counter)

    def keep_views(self, workspace: UUID) -> None:
        for keeper in self.keepers:
            self.runner.run(keeper.catch_up(workspace))
        self.owner.execute("SELECT count_activities(%s, 1000)", (workspace,))


@dataclass
class Tenant:
    workspace: UUID
    known: Known = field(default_factory=Known)


@pytest.fixture
def place(
    store: EventStore, pool: Pool, owner: Db, postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Place]:
    """More than two that let go are many here, so that units of work turn to bulk in the middle."""
    monkeypatch.setattr(letting_go, "FEW", 2)
    workers = async_pool(postgres.url("daybook_worker"))
    with asyncio.Runner() as runner:
        opened = runner.run(workers.__aenter__())
        keepers = [Consuming(opened, replace(consumer_of(view), limit=lambda _: 7)) for view in VIEWS]
        made = Place(store, pool, owner, runner, keepers)
        monkeypatch.setattr(Sequences, "place", made, raising=False)
        yield made
        runner.run(workers.__aexit__(None, None, None))


class Sequences(RuleBasedStateMachine):
    """Two workspaces in which anything is done, and whose people now and then name ids of the other."""

    place: ClassVar[Place]

    def __init__(self) -> None:
        super().__init__()
        self.tenants = [Tenant(make_workspace(self.place.owner)) for _ in range(2)]

    @initialize(data=st.data())
    def begin(self, data: st.DataObject) -> None:
        for one in (0, 1):
            here, elsewhere = self.tenants[one].known, self.tenants[1 - one].known
            for kind in BY_NEED:
                for least in (0, 0, 8, 8, 8):
                    if not here.standing[kind]:
                        self._run(one, data.draw(firsts(kind, here, elsewhere, least)))

    @rule(data=st.data(), one=st.sampled_from([0, 0, 1]), many=st.integers(1, 4))
    def work(self, data: st.DataObject, one: int, many: int) -> None:
        """Some units of work, and then the views are kept, as after a nudge."""
        for _ in range(many):
            self._run(one, data.draw(units(self.tenants[one].known, self.tenants[1 - one].known)))
        self.place.keep_views(self.tenants[one].workspace)

    def _run(self, one: int, unit: Unit) -> None:
        tenant = self.tenants[one]
        origin = Origin(tenant.workspace, Actor(type="system"), visible_to=unit.visible_to)
        try:
            done = self.place.store.run(origin, partial(unit.carry_out, tenant.known.all_ids()), bulk=unit.bulk)
        except Refused as refusal:
            assert refusal.code in REFUSALS, refusal  # noqa: PT017 - others are a failure of the test
        else:
            self.place.happened.update(done.events)
            tenant.known.note(done.value)

    def teardown(self) -> None:
        for tenant in self.tenants:
            check(self.place, tenant.workspace)


def check(place: Place, workspace: UUID) -> None:
    """Chain, rows, counts, references, views and histories, by the log alone; and as ``daybook verify`` sees it."""
    place.keep_views(workspace)
    entries, end = whole_log(place.pool, workspace), log_end(place.pool, workspace)
    check_chain(entries, end)
    wanted = told(opened_log(place.pool, workspace))
    for kind, streams in wanted.standing.items():
        assert stored_rows(place.owner, workspace, kind) == wanted_rows(workspace, kind, streams)
    assert stored_counts(place.owner, workspace) == wanted.counts()
    assert reached(place.owner, workspace) == {view.name: end[0] for view in VIEWS if end[0]}
    assert verify(place.owner, workspaces=[workspace], secrets=False).finding is None
    check_bundle(place.pool, workspace, end[0])
    with reading(place.pool, workspace) as conn:
        check_histories(conn, {(entry.stream.type, entry.stream.id) for entry in entries})


def reached(owner: Db, workspace: UUID) -> dict[str, int]:
    """How far each view is."""
    query = "SELECT consumer, seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = ANY(%s)"
    return dict(owner.execute(query, (workspace, [view.name for view in VIEWS])).fetchall())


def run(examples: int, steps: int, *, shrink: bool = False) -> None:
    """``shrink``: a failure is told by the shortest sequence that has it, which may take minutes to find."""
    phases = [Phase.reuse, Phase.generate, *([Phase.shrink] if shrink else [])]
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=phases,
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(Sequences, settings=how)


def test_rows_counts_references_and_views_hold_after_any_sequence(place: Place) -> None:
    run(6, 15)
    assert {name.partition(".")[0] for name in place.happened} == set(DECIDERS), "something of every kind was there"


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_they_hold_after_long_sequences_in_which_everything_ends_that_can(place: Place) -> None:
    run(100, 30, shrink=True)
    ends = {name for name, event in EVENTS.items() if event.event_action == "deleted"}
    assert ends <= set(place.happened)
