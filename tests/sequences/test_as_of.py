"""Whatever commands come in whatever order: what is asked as of a moment is answered, byte by byte, as it was at that moment."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, Final
from uuid import UUID

import httpx
import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from application.calling.services import Services
from eventstore.database import Db
from projections.catalogue import ROWS
from tests.api.serving import services_on, serving
from tests.api.sweeps.operations import OPERATIONS, Operation
from tests.api.team import Team
from tests.logs import log_end
from tests.sequences.test_sequences import Place, Sequences, Tenant, place
from tests.sequences.units import Unit

__all__ = ["place"]

UNTOLD: Final = "getWebhook"
"""It shows what is not in the log, too, and only now."""
READS: Final = [
    op
    for op in OPERATIONS
    if op.method == "GET" and "Daybook-As-Of" in op.says["responses"]["200"]["headers"] and op.id != UNTOLD
]
ONE: Final = [op for op in READS if "limit" not in op.taken("query")]
LISTS: Final = [op for op in READS if "limit" in op.taken("query")]
OFTEN: Final = 0.15
"""How often is asked behind a unit of work."""
BY_KEY: Final = {"key": ("custom_value", "key"), "dismissalId": ("contact_duplicate", "id")}
"""What paths call otherwise than by an id, or by another name than the kind has."""


@dataclass(frozen=True)
class Answered:
    """What was answered when the log ended at ``seq``."""

    team: Team
    path: str
    seq: int
    status: int
    body: Any


def shown(answer: httpx.Response) -> Any:
    """Of what there was none, nothing; a list has cursors of its own as of each moment."""
    if answer.status_code != 200:
        return None
    found = answer.json()
    if "meta" in found:
        found["meta"]["nextCursor"] = bool(found["meta"]["nextCursor"])
        return found
    return answer.content


def paths(owner: Db, workspace: UUID, op: Operation, chance: random.Random) -> Iterator[str]:
    """The operation's path, filled in for something that there is, or has been."""
    *above, last = op.in_path
    kind, column = BY_KEY.get(last, (snake(last.removesuffix("Id")), "id"))
    names = [*(f"{snake(name)}" for name in above), column]
    table = ROWS[kind]
    rows = owner.execute(
        f"SELECT {', '.join(names)} FROM {table.table} WHERE workspace_id = %s ORDER BY id".encode(), (workspace,)
    ).fetchall()
    if rows:
        path = op.path
        for name, value in zip((*above, last), chance.choice(rows), strict=True):
            path = path.replace(f"{{{name}}}", str(value))
        yield path


def snake(name: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name)


class Remembering(Sequences):
    """What is answered now and then is asked again in the end, as of when it was answered."""

    services: ClassVar[Services]
    http: ClassVar[httpx.Client]
    commands: ClassVar[Counter[str]]

    def __init__(self) -> None:
        super().__init__()
        self.teams = [Team(self.services, self.http) for _ in self.tenants]
        self.tenants = [Tenant(team.workspace_id) for team in self.teams]
        self.answered: list[Answered] = []
        self.chance = random.Random(len(self.commands))

    def _run(self, one: int, unit: Unit) -> None:
        super()._run(one, unit)
        self.commands["given"] += sum(len(part.wishes) for part in unit.parts)
        if self.chance.random() < OFTEN:
            self._ask(self.teams[one], self.chance)

    def _ask(self, team: Team, chance: random.Random) -> None:
        """About some things that there are, some that were asked about before, and a list."""
        asked = [path for op in chance.sample(ONE, 3) for path in self._paths(team, op, chance)]
        asked += [
            found.path for found in chance.sample(self.answered, min(2, len(self.answered))) if found.team is team
        ]
        listed = chance.choice(LISTS)
        sort = chance.choice(["createdAt", "-createdAt", "updatedAt", "-updatedAt"])
        asked.append(f"{listed.path}?sort={sort}&limit={chance.choice([2, 50])}")
        for path in asked:
            seq, _ = log_end(self.place.pool, team.workspace_id)
            answer = team.owner.get(path)
            self.answered.append(Answered(team, path, seq, answer.status_code, shown(answer)))

    def _paths(self, team: Team, op: Operation, chance: random.Random) -> Iterator[str]:
        if op.in_path:
            yield from paths(self.place.owner, team.workspace_id, op, chance)
        else:
            yield op.path

    def teardown(self) -> None:
        for team in self.teams:
            self.place.keep_views(team.workspace_id)
        for found in self.answered:
            asked = f"{found.path}{'&' if '?' in found.path else '?'}asOf={found.seq}"
            again = found.team.owner.get(asked)
            assert (again.status_code, shown(again)) == (found.status, found.body), f"{asked}: {again.text}"
            self.commands["compared"] += 1
            self.commands["of the past"] += found.seq < log_end(self.place.pool, found.team.workspace_id)[0]


@pytest.fixture
def remembering(place: Place, services: Services, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Remembering]]:
    with serving(services) as url, httpx.Client(base_url=url, timeout=60) as http:
        monkeypatch.setattr(Remembering, "services", services, raising=False)
        monkeypatch.setattr(Remembering, "http", http, raising=False)
        monkeypatch.setattr(Remembering, "commands", Counter(), raising=False)
        yield Remembering


@pytest.fixture
def services(place: Place) -> Services:
    return services_on(place.pool)


def run(machine: type[Remembering], examples: int, steps: int) -> Counter[str]:
    how = settings(
        max_examples=examples,
        stateful_step_count=steps,
        phases=[Phase.reuse, Phase.generate],
        report_multiple_bugs=False,
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(machine, settings=how)
    return machine.commands


def test_what_was_answered_is_answered_again_as_of_then(remembering: type[Remembering]) -> None:
    found = run(remembering, 4, 16)
    assert found["given"] > 200, found
    assert found["of the past"] > 40, found


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_it_is_after_ten_thousand_commands(remembering: type[Remembering]) -> None:
    while remembering.commands["given"] < 10_000:
        run(remembering, 10, 40)
    assert remembering.commands["of the past"] > 200
