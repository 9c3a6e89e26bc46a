"""Processes that are killed while they erase somebody: nothing is left half, and whoever comes next finishes it."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any, Final
from uuid import UUID

import httpx
import pytest

from domain.note import NOTE, CreateNote
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.letting_go import MANY
from eventstore.work import Work
from projections.verify import verify
from schemas.log import Actor
from tests.api.asserting import ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import Team, created
from tests.workers.running import Installation, eventually, worker_process

PROCESS: Final = """
import json, sys, time
from importlib import import_module
from operator import attrgetter
from uuid import UUID
from application import contact_erasure
from application.calling.caller import Caller
from eventstore.database import open_pool
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from schemas.contact_erasure import EraseRequest
url, workspace, account, contact, module, name = json.loads(sys.argv[1])
found = import_module(module)
*before, name = name.split(".")
place = attrgetter(".".join(before))(found) if before else found
act = getattr(place, name)
def halted(*args, **named):
    act(*args, **named)
    print("here", flush=True)
    time.sleep(600)
setattr(place, name, halted)
caller = Caller(UUID(workspace), UUID(account), "owner", "enterprise")
with open_pool(url) as pool:
    erase = lambda unit: contact_erasure.erase(unit, caller, UUID(contact), EraseRequest(), None)
    EventStore(pool, ROWS).run(caller.origin(), erase)
"""
"""Erases a contact up to behind a step of it, and gets no further."""

STEPS: Final = (
    ("projections.contact_erasure", "hold_kept"),
    ("eventstore.persons", "PersonKeys.destroy"),
    ("projections.contact_erasure", "clear"),
    ("projections.contact_erasure", "clear_past"),
    ("eventstore.work", "Work.carry_out"),
    ("eventstore.work", "Work.flush"),
)


@pytest.fixture
def team(installation: Installation) -> Iterator[Team]:
    installation.owner.execute("TRUNCATE jobs, job_chunks, job_errors, job_cancellations, endings, job_needs")
    services = services_on(installation.store.pool)
    with serving(services) as url, httpx.Client(base_url=url, timeout=30) as http:
        yield Team(services, http)


@contextmanager
def halted(team: Team, contact: dict[str, Any], step: tuple[str, str], url: str) -> Iterator[subprocess.Popen[str]]:
    """A process that has carried out this step of the erasure, and nothing behind it."""
    asked = json.dumps([url, str(team.workspace_id), str(team.owner.account_id), contact["id"], *step])
    with subprocess.Popen([sys.executable, "-c", PROCESS, asked], stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "here\n"
            yield process
        finally:
            process.kill()


def keys(installation: Installation, team: Team) -> int:
    query = "SELECT count(*) FROM person_keys WHERE workspace_id = %s"
    row = installation.owner.execute(query, (team.workspace_id,)).fetchone()
    assert row is not None
    return int(row[0])


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step[1])
def test_one_that_is_killed_between_two_steps_has_not_begun(
    installation: Installation, team: Team, step: tuple[str, str]
) -> None:
    once = {"idempotency-key": f"of {team.workspace_id}"}
    made = created(team.owner.post("/contacts", {"firstName": "Sarah"}, headers=once))
    deal = team.owner.deal("Sarah's renewal", contactId=made["id"])
    contact, history = team.owner.shown(f"/contacts/{made['id']}"), team.owner.listed("/activities")
    url = installation.config.database_url.replace("daybook_worker", "daybook_app")
    with halted(team, contact, step, url) as process:
        process.send_signal(signal.SIGKILL)
        process.wait(10)
    assert team.owner.shown(f"/contacts/{contact['id']}") == contact
    assert team.owner.shown(f"/deals/{deal['id']}")["name"] == "Sarah's renewal"
    assert team.owner.listed("/activities") == history
    assert created(team.owner.post("/contacts", {"firstName": "Sarah"}, headers=once)) == made
    assert keys(installation, team) == 1
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None
    ok(team.owner.post(f"/contacts/{contact['id']}/erase", {}))
    assert keys(installation, team) == 0
    assert "Sarah" not in team.owner.get("/activities").text
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None


def _noted(unit: Work, contact_id: UUID, by: UUID) -> None:
    for _ in range(MANY):
        unit.begin(NOTE, new_id(), CreateNote(content="Sarah", contact_id=contact_id, created_by=by))


def test_a_worker_that_is_killed_half_way_through_a_large_one_is_taken_over(
    installation: Installation, team: Team
) -> None:
    contact = team.owner.contact(firstName="Sarah")
    noted = partial(_noted, contact_id=UUID(contact["id"]), by=team.owner.account_id)
    for _ in range(3):
        team.services.store.run(Origin(team.workspace_id, Actor(type="system")), noted, bulk=True)
    job = ok(team.owner.post(f"/contacts/{contact['id']}/erase", {"reason": "Request 31"}), 202)["data"]["job"]

    def shown() -> dict[str, Any]:
        return team.owner.shown(f"/jobs/{job['id']}")

    with worker_process(installation.config, ["jobs"]) as worker:
        eventually(lambda: shown()["processed"] > 0, 30)
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait(10)
    assert shown()["status"] == "processing"
    assert team.owner.shown(f"/contacts/{contact['id']}")["firstName"] == "Sarah"
    assert keys(installation, team) == 1
    with worker_process(installation.config, ["jobs"]):
        eventually(lambda: shown()["status"] == "completed", 60)
    assert keys(installation, team) == 0
    refused(team.owner.get(f"/contacts/{contact['id']}"), 404)
    receipt = ok(team.owner.post(f"/contacts/{contact['id']}/erase", {}))["data"]["receipt"]
    assert (receipt["reason"], receipt["unreadable"][1]["streams"]) == ("Request 31", 3 * MANY)
    assert "Sarah" not in team.owner.get("/activities", params={"limit": 1000}).text
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None
