"""Merging contacts to which very much refers: part by part while others go on, and whole or not at all however workers die."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from application import contact_merge_job
from application.calling.caller import Caller
from domain.note import NOTE, CreateNote
from domain.task import TASK, CreateTask
from eventstore.append import Origin
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.letting_go import MANY
from eventstore.work import Work
from projections.catalogue import ROWS
from projections.verify import verify
from schemas.contact_merge import MergeContacts
from schemas.log import Actor
from tests.api.asserting import ok
from tests.api.serving import services_on, serving
from tests.api.team import Team, created
from tests.workers.running import Installation, eventually, running, worker_process
from tests.workers.test_deletion import busy, idle
from workers import job as job_worker

Contact = dict[str, Any]
Where = dict[UUID, UUID | None]
"""The contact of each note and task."""


@pytest.fixture
def team(installation: Installation) -> Iterator[Team]:
    installation.owner.execute("TRUNCATE jobs, job_chunks, job_errors, job_cancellations, endings, job_needs")
    services = services_on(installation.store.pool)
    with serving(services) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Team(services, http)


def about(team: Team, contact: Contact, notes: int, tasks: int = 0) -> None:
    """So many notes and tasks about a contact."""
    contact_id = UUID(contact["id"])

    def some(unit: Work, notes: int, tasks: int) -> None:
        for _ in range(notes):
            unit.begin(NOTE, new_id(), CreateNote(content="A", contact_id=contact_id, created_by=team.owner.account_id))
        for _ in range(tasks):
            unit.begin(TASK, new_id(), CreateTask(title="A", contact_id=contact_id))

    origin = Origin(team.workspace_id, Actor(type="system"))
    for work in (partial(some, notes=notes, tasks=0), partial(some, notes=0, tasks=tasks)):
        team.services.store.run(origin, work, bulk=True)


def where(team: Team) -> Where:
    with reading(team.services.pool, team.workspace_id) as conn:
        return {one.id: one.state.contact_id for kind in ("note", "task") for one in ROWS[kind].all(conn)}


def of(found: Where, contact: Contact) -> int:
    return sum(contact_id == UUID(contact["id"]) for contact_id in found.values())


def shown(team: Team, contact: Contact) -> Contact:
    """But for what every change changes."""
    return {**team.owner.shown(f"/contacts/{contact['id']}"), "version": 0, "updatedAt": ""}


def begun(team: Team, path: str, loser: Contact) -> Contact:
    job: Contact = ok(team.owner.post(path, {"loserId": loser["id"]}), 202)["data"]
    return job


def killed_half_way_and_taken_over(installation: Installation, team: Team, job: Contact) -> None:
    """The worker that does it is killed as soon as a part is done, and another finishes it."""
    path = f"/jobs/{job['id']}"
    with worker_process(installation.config, ["jobs"]) as worker:
        eventually(lambda: team.owner.shown(path)["processed"] > 0, 60)
        worker.process.send_signal(signal.SIGKILL)
        worker.process.wait(10)
    half = team.owner.shown(path)
    assert (half["status"], half["processed"] < half["total"]) == ("processing", True)
    with worker_process(installation.config, ["jobs"]):
        eventually(lambda: team.owner.shown(path)["status"] == "completed", 120)


def is_sound(installation: Installation, team: Team) -> None:
    assert verify(installation.owner, workspaces=[team.workspace_id], views=()).finding is None
    for table in ("endings", "job_needs"):
        assert installation.owner.execute(f"SELECT count(*) FROM {table}".encode()).fetchone() == (0,)


def test_it_is_whole_in_the_end_and_so_is_its_undoing_whoever_is_killed_meanwhile(
    installation: Installation, team: Team
) -> None:
    winner = team.owner.contact(firstName="Sarah", tags=["VIP"])
    loser = team.owner.contact(lastName="Kim", email="kim@example.com", tags=["Lead"], customFields={"size": 3})
    bystander = team.owner.contact()
    for contact, notes, tasks in ((winner, 40, 3), (loser, 1_700, 800), (bystander, 7, 7)):
        about(team, contact, notes, tasks)
    was, contacts = where(team), [shown(team, one) for one in (winner, loser, bystander)]
    path = f"/contacts/{winner['id']}/merge"
    dry = ok(team.owner.post(path, {"loserId": loser["id"], "dryRun": True}))["data"]
    assert dry["moved"] == {"note": 1_700, "task": 800}

    late: list[Contact] = []
    note = {"content": "Late", "contactId": loser["id"]}
    with busy(lambda _: late.append(created(team.owner.post("/notes", note)))) as took:
        job = begun(team, path, loser)
        killed_half_way_and_taken_over(installation, team, job)
    now = where(team)
    assert job["total"] >= 2_500
    assert (of(now, winner), of(now, loser), of(now, bystander)) == (43 + 2_500 + len(took), 0, 14)
    assert now.keys() == was.keys() | {UUID(one["id"]) for one in late}, "nothing was lost"
    assert shown(team, winner)["email"] == "kim@example.com"
    is_sound(installation, team)

    killed_half_way_and_taken_over(installation, team, begun(team, f"{path}/undo", loser))
    now = where(team)
    assert {key: now[key] for key in was} == was
    assert [shown(team, one) for one in (winner, loser, bystander)] == contacts
    is_sound(installation, team)


def test_up_to_a_thousand_go_over_at_once_and_back(installation: Installation, team: Team) -> None:
    winner, loser = team.owner.contact(), team.owner.contact()
    about(team, loser, MANY)
    path, was = f"/contacts/{winner['id']}/merge", where(team)
    assert ok(team.owner.post(path, {"loserId": loser["id"]}))["data"]["moved"] == {"note": MANY}
    ok(team.owner.post(f"{path}/undo", {}))
    assert where(team) == was
    about(team, loser, 1)
    begun(team, path, loser)


def test_who_waited_while_it_was_begun_is_waited_for_in_the_end_and_loses_nothing(
    installation: Installation, team: Team
) -> None:
    """A note that is let in though it came behind the beginning goes over as all others do, and does not end with the loser."""
    winner, loser = team.owner.contact(), team.owner.contact()
    about(team, loser, MANY + 1)
    asking, answered = threading.Event(), threading.Event()
    caller = Caller(team.workspace_id, team.owner.account_id, "owner", "enterprise")
    form, note_id = MergeContacts(loser_id=UUID(loser["id"])), new_id()

    def put(unit: Work) -> None:
        asking.set()
        note = CreateNote(content="Late", contact_id=form.loser_id, created_by=caller.account_id)
        unit.begin(NOTE, note_id, note)
        unit.write_rows()
        assert answered.wait(60)

    with ThreadPoolExecutor(2) as threads, running(installation.config, idle) as context:

        def begin(unit: Work) -> Future[Any]:
            contact_merge_job.begin(unit, caller, UUID(winner["id"]), form, None)
            putting = threads.submit(team.services.store.run, caller.origin(), put)
            assert asking.wait(10)
            time.sleep(0.3)
            return putting

        putting = team.services.store.run(caller.origin(), begin).value
        assert job_worker.step(context)
        assert job_worker.step(context)
        last = threads.submit(job_worker.step, context)
        time.sleep(0.5)
        assert not last.done(), "it waits for who may just be making a reference"
        answered.set()
        putting.result(10)
        assert last.result(60)
        assert not job_worker.step(context)
    assert team.owner.shown(f"/notes/{note_id}")["contactId"] == winner["id"]
    assert of(where(team), winner) == MANY + 2
    is_sound(installation, team)
