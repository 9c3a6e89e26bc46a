"""Deleting what very many refer to: in the background, while others go on, and for good however workers die."""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any
from uuid import UUID

import httpx
import pytest

from application.calling.caller import Caller
from application.working import deletion
from domain.contact import CONTACT, CreateContact
from domain.object_record import OBJECT_RECORD, CreateObjectRecord
from domain.tag import TagRef
from domain.task import TASK, CreateTask
from eventstore.append import Origin
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.letting_go import MANY
from eventstore.work import Work
from projections.contact import CONTACTS
from projections.verify import verify
from schemas.log import Actor
from tests.api.asserting import ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import Team
from tests.workers.running import Installation, eventually, running, worker_process
from workers import job as job_worker
from workers.running.context import WorkerContext

BEARERS = 1_600


async def idle(context: WorkerContext) -> None:
    await context.stop.wait()


@pytest.fixture
def team(installation: Installation) -> Iterator[Team]:
    installation.owner.execute("TRUNCATE jobs, job_chunks, job_errors, job_cancellations, endings, job_needs")
    services = services_on(installation.store.pool)
    with serving(services) as url, httpx.Client(base_url=url, timeout=30) as http:
        yield Team(services, http)


def tagged(team: Team, count: int = BEARERS, **fields: Any) -> str:
    """A tag that so many contacts bear."""
    tag = team.owner.tag("Newsletter")
    ref = TagRef(id=UUID(tag["id"]), name=tag["name"])

    origin = Origin(team.workspace_id, Actor(type="system"))
    for first in range(0, count, 800):
        some = partial(_contacts, some=min(800, count - first), fields={"first_name": "Ada", "tags": (ref,), **fields})
        team.services.store.run(origin, some, bulk=True)
    return ref.id.hex


def _contacts(unit: Work, some: int, fields: dict[str, Any]) -> None:
    for _ in range(some):
        unit.begin(CONTACT, new_id(), CreateContact(**fields))


def bearers(team: Team) -> int:
    """How many contacts bear a tag, by their rows."""
    with reading(team.services.pool, team.workspace_id) as conn:
        query = f"SELECT count(*) FROM {CONTACTS.table} WHERE workspace_id = %s AND cardinality(tags) > 0"
        row = conn.execute(query, (team.workspace_id,)).fetchone()
    assert row is not None
    return int(row[0])


def begun(team: Team, tag_id: str) -> dict[str, Any]:
    answer = team.owner.delete(f"/tags/{tag_id}")
    job: dict[str, Any] = ok(answer, 202)["data"]
    assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
    return job


def is_gone(installation: Installation, team: Team, tag_id: str) -> None:
    """From its list, from all contacts, and from the counts; and all is as the log says."""
    refused(team.owner.get(f"/tags/{tag_id}"), 404)
    assert bearers(team) == 0
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None
    assert installation.owner.execute("SELECT count(*) FROM endings").fetchone() == (0,)


def done(team: Team, job_id: str) -> bool:
    return bool(team.owner.shown(f"/jobs/{job_id}")["status"] == "completed")


def test_up_to_a_thousand_contacts_lose_a_tag_at_once(installation: Installation, team: Team) -> None:
    tag_id = tagged(team, MANY)
    assert team.owner.delete(f"/tags/{tag_id}").status_code == 204
    is_gone(installation, team, tag_id)


def test_of_more_a_job_takes_it(installation: Installation, team: Team) -> None:
    tag_id = tagged(team)
    job = begun(team, tag_id)
    assert (job["kind"], job["status"], job["total"]) == ("deletion", "processing", BEARERS)
    with running(installation.config, idle) as context:
        assert job_worker.step(context)
        half = team.owner.shown(f"/jobs/{job['id']}")
        assert half["processed"] == half["updated"] == deletion.STEP
        assert team.owner.shown(f"/tags/{tag_id}")["contactCount"] == BEARERS - deletion.STEP
        while job_worker.step(context):
            pass
    assert done(team, job["id"])
    is_gone(installation, team, tag_id)
    last = team.owner.listed("/activities", limit=1)[0]
    assert (last["action"], last["userId"]) == ("deleted", str(team.owner.account_id))


def test_the_very_many_tasks_of_a_contact_are_deleted_with_it_by_a_job(installation: Installation, team: Team) -> None:
    contact, other = team.owner.contact(), team.owner.contact()

    def some(unit: Work) -> None:
        for contact_id in (UUID(contact["id"]), UUID(other["id"])):
            for _ in range(MANY // 2 + 1):
                unit.begin(TASK, new_id(), CreateTask(title="A", contact_id=contact_id))

    origin = Origin(team.workspace_id, Actor(type="system"))
    for _ in range(2):
        team.services.store.run(origin, some, bulk=True)
    job = ok(team.owner.delete(f"/contacts/{contact['id']}"), 202)["data"]
    refused(team.owner.post("/tasks", {"title": "B", "contactId": contact["id"]}), 422, "contactId")
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    assert done(team, job["id"])
    refused(team.owner.get(f"/contacts/{contact['id']}"), 404)
    left = ok(team.owner.get("/tasks", params={"limit": 1, "total": "exact"}))
    assert (left["data"][0]["contactId"], left["meta"]["total"]) == (other["id"], MANY + 2)
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None


def test_so_it_is_with_a_custom_field_and_its_values(installation: Installation, team: Team) -> None:
    wanted = {"name": "Plan", "key": "plan", "type": "text", "entity": "contact", "required": True}
    field = ok(team.owner.post("/custom-fields", wanted), 201)["data"]
    several = partial(_contacts, some=MANY + 1, fields={"first_name": "Ada", "custom_fields": {"plan": "x", "free": 1}})
    team.services.store.run(Origin(team.workspace_id, Actor(type="system")), several, bulk=True)
    job = ok(team.owner.delete(f"/custom-fields/{field['id']}"), 202)["data"]
    late = {"name": "Late", "customFields": {"plan": "x"}}
    refused(team.owner.post("/contacts", late), 422, "customFields.plan", says="about to be deleted")
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    assert done(team, job["id"])
    refused(team.owner.get(f"/custom-fields/{field['id']}"), 404)
    assert {str(contact["customFields"]) for contact in team.owner.listed("/contacts")} == {"{'free': 1}"}
    team.owner.contact(**late)
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None


def test_a_custom_field_whose_deletion_is_cancelled_takes_values_again(installation: Installation, team: Team) -> None:
    wanted = {"name": "Plan", "key": "plan", "type": "text", "entity": "contact"}
    field = ok(team.owner.post("/custom-fields", wanted), 201)["data"]
    several = partial(_contacts, some=MANY + 1, fields={"first_name": "Ada", "custom_fields": {"plan": "x"}})
    team.services.store.run(Origin(team.workspace_id, Actor(type="system")), several, bulk=True)
    job = ok(team.owner.delete(f"/custom-fields/{field['id']}"), 202)["data"]
    ok(team.owner.post(f"/jobs/{job['id']}/cancel"))
    team.owner.contact(customFields={"plan": "x"})
    assert installation.owner.execute("SELECT count(*) FROM endings").fetchone() == (0,)


def test_so_it_is_with_an_object_type_and_its_records(installation: Installation, team: Team) -> None:
    wanted = {"name": "Projects", "slug": "projects", "attributes": [{"name": "Stage", "type": "text"}]}
    made = ok(team.owner.post("/objects", wanted), 201)["data"]
    other = ok(team.owner.post("/objects", {"name": "Leases", "slug": "leases"}), 201)["data"]
    for type_id, some in ((made["id"], MANY + 1), (other["id"], 3)):
        several = partial(_records, type_id=UUID(type_id), some=some)
        team.services.store.run(Origin(team.workspace_id, Actor(type="system")), several, bulk=True)
    job = ok(team.owner.delete("/objects/projects"), 202)["data"]
    refused(team.owner.post("/objects/projects/records", {"title": "Late"}), 422, says="being deleted")
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    assert done(team, job["id"])
    assert [(left["slug"], left["recordCount"]) for left in team.owner.listed("/objects")] == [("leases", 3)]
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None


def _records(unit: Work, type_id: UUID, some: int) -> None:
    for _ in range(some):
        unit.begin(
            OBJECT_RECORD, new_id(), CreateObjectRecord(object_type_id=type_id, title="A", attributes={"Stage": "x"})
        )


def test_so_it_is_with_whatever_others_refer_to(installation: Installation, team: Team) -> None:
    company = ok(team.owner.post("/companies", {"name": "Acme"}), 201)["data"]
    fields = {"first_name": "Ada", "company_id": UUID(company["id"])}
    several = partial(_contacts, some=MANY + 1, fields=fields)
    team.services.store.run(Origin(team.workspace_id, Actor(type="system")), several, bulk=True)
    job = ok(team.owner.delete(f"/companies/{company['id']}"), 202)["data"]
    refused(team.owner.post("/contacts", {"name": "Late", "companyId": company["id"]}), 422, "companyId")
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    assert done(team, job["id"])
    refused(team.owner.get(f"/companies/{company['id']}"), 404)
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None


def test_what_refers_to_itself_is_none_of_those_who_have_to_let_go(installation: Installation, team: Team) -> None:
    ok(team.owner.post("/custom-fields", {"name": "Head", "key": "head", "type": "related", "entity": "contact"}), 201)
    head = team.owner.contact()["id"]
    fields = {"first_name": "Ada", "custom_fields": {"head": head}}
    several = partial(_contacts, some=MANY + 1, fields=fields)
    team.services.store.run(Origin(team.workspace_id, Actor(type="system")), several, bulk=True)
    ok(team.owner.patch(f"/contacts/{head}", {"customFields": {"head": head}}))
    job = ok(team.owner.delete(f"/contacts/{head}"), 202)["data"]
    assert job["total"] == MANY + 1
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    assert done(team, job["id"])
    assert team.owner.shown(f"/jobs/{job['id']}")["processed"] == MANY + 1
    refused(team.owner.get(f"/contacts/{head}"), 404)
    assert verify(installation.owner, workspaces=[team.workspace_id]).finding is None


def test_meanwhile_nobody_else_can_get_it(installation: Installation, team: Team) -> None:
    """By id or by name, in a new contact or a changed one, one by one or in an import."""
    other = team.owner.contact()
    tag_id = tagged(team)
    begun(team, tag_id)
    named = {"email": "ada@engine.org", "tags": ["newsletter"]}
    refused(team.owner.post("/contacts", {"email": "ada@engine.org", "tagIds": [tag_id]}), 422, "tagIds")
    refused(team.owner.post("/contacts", named), 422, "tags")
    refused(team.owner.post(f"/contacts/{other['id']}/tags", {"tagId": tag_id}), 422)
    refused(team.owner.patch(f"/contacts/{other['id']}", {"tags": ["Newsletter"]}), 422)
    imported = ok(team.owner.post("/contacts/import", {"contacts": [named, {"email": "bob@engine.org"}]}))["data"]
    assert (imported["created"], imported["errorCount"], imported["errors"][0]["field"]) == (1, 1, "tags")
    for_all = {"contacts": [{"email": "cyd@engine.org"}], "tags": ["Newsletter"]}
    refused(team.owner.post("/contacts/import", for_all), 422, "tags")
    assert bearers(team) == BEARERS
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    is_gone(installation, team, tag_id)
    assert team.owner.contact(**named)["tags"] == ["newsletter"]


def test_who_would_give_it_to_somebody_is_told_its_name(installation: Installation, team: Team) -> None:
    """However it was named, and whatever else is named with it."""
    begun(team, tag_id := tagged(team))
    for named in ({"tags": ["newsletter"]}, {"tagIds": [tag_id]}, {"tags": ["Other", "NEWSLETTER"]}):
        error = refused(team.owner.post("/contacts", {"name": "Late", **named}), 422, says="being deleted")
        assert error["details"][0]["message"].endswith(": Newsletter")
        assert tag_id not in error["message"].replace("-", "")
    imported = ok(team.owner.post("/contacts/import", {"contacts": [{"name": "Late", "tags": ["newsletter"]}] * 3}))
    assert {error["message"].rpartition(": ")[2] for error in imported["data"]["errors"]} == {"Newsletter"}
    unknown = {"name": "Late", "tagIds": [tag_id, str(nobody := new_id())]}
    refused(team.owner.post("/contacts", unknown), 422, "tagIds", says=f"no such tag: {nobody}")


def test_who_sees_only_what_is_theirs_is_told_of_no_others(installation: Installation, team: Team) -> None:
    """A tag that others' contacts bear too is not theirs to delete; of theirs alone the job counts what they see."""
    tag_id = tagged(team, MANY + 1, assigned_to=team.limited.account_id)
    other = team.owner.contact(assignedTo=str(team.member.account_id), tagIds=[tag_id])
    refused(team.limited.delete(f"/tags/{tag_id}"), 403)
    assert team.owner.listed("/jobs") == []
    ok(team.owner.patch(f"/contacts/{other['id']}", {"tags": []}))
    job = ok(team.limited.delete(f"/tags/{tag_id}"), 202)["data"]
    assert job["total"] == MANY + 1 == ok(team.limited.get("/contacts"))["meta"]["total"]
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    assert team.limited.shown(f"/jobs/{job['id']}")["status"] == "completed"
    is_gone(installation, team, tag_id)


def test_deleting_it_again_answers_the_same_job(installation: Installation, team: Team) -> None:
    tag_id = tagged(team)
    job = begun(team, tag_id)
    assert begun(team, tag_id)["id"] == job["id"]
    with running(installation.config, idle) as context:
        for _ in range(2):
            assert job_worker.step(context)
        assert bearers(team) < MANY
        assert begun(team, tag_id)["id"] == job["id"], "however few are left"
        while job_worker.step(context):
            pass
    refused(team.owner.delete(f"/tags/{tag_id}"), 404)


def test_a_retried_request_gets_the_first_answer(installation: Installation, team: Team) -> None:
    tag_id = tagged(team)
    key = {"idempotency-key": "once"}
    first, again = (team.owner.delete(f"/tags/{tag_id}", headers=key) for _ in range(2))
    assert first.status_code == again.status_code == 202
    assert first.json() == again.json()
    assert again.headers["idempotency-replayed"] == "true"
    refused(team.owner.delete(f"/tags/{tag_id}", headers={"if-match": '"9"'}), 412)


def test_who_was_just_putting_it_on_a_contact_is_waited_for(installation: Installation, team: Team) -> None:
    tag_id = tagged(team)
    ref = TagRef(id=UUID(tag_id), name="Newsletter")
    holding, answered = threading.Event(), threading.Event()

    def put(unit: Work) -> None:
        unit.begin(CONTACT, new_id(), CreateContact(first_name="Late", tags=(ref,)))
        unit.write_rows()
        holding.set()
        assert not answered.wait(0.3), "the deletion was not begun before this is committed"

    putting = threading.Thread(
        target=lambda: team.services.store.run(Origin(team.workspace_id, Actor(type="system")), put)
    )
    putting.start()
    assert holding.wait(5)
    job = begun(team, tag_id)
    answered.set()
    putting.join()
    assert job["total"] == BEARERS + 1
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    is_gone(installation, team, tag_id)


def test_who_waited_while_it_was_begun_keeps_nothing_of_it(installation: Installation, team: Team) -> None:
    """Whether such a contact is refused or comes to be, the tag is on nobody in the end."""
    tag_id = tagged(team)
    begun_, waiting = threading.Event(), threading.Event()
    caller = Caller(team.workspace_id, team.owner.account_id, "owner", "enterprise")

    def begin(unit: Work) -> None:
        deletion.begin(unit, caller, "tag", UUID(tag_id), None)
        begun_.set()
        waiting.wait(5)
        time.sleep(0.2)

    def put() -> int:
        begun_.wait(5)
        waiting.set()
        return team.owner.post("/contacts", {"name": "Late", "tagIds": [tag_id]}).status_code

    with ThreadPoolExecutor(1) as threads:
        answer = threads.submit(put)
        team.services.store.run(caller.origin(), begin)
        assert answer.result(10) in (201, 422)
    with running(installation.config, idle) as context:
        while job_worker.step(context):
            pass
    is_gone(installation, team, tag_id)


def test_one_that_is_cancelled_leaves_the_tag_with_those_that_still_bear_it(
    installation: Installation, team: Team
) -> None:
    tag_id = tagged(team)
    job = begun(team, tag_id)
    with running(installation.config, idle) as context:
        assert job_worker.step(context)
        assert ok(team.owner.post(f"/jobs/{job['id']}/cancel"))["data"]["status"] == "cancelled"
        assert not job_worker.step(context)
    assert team.owner.shown(f"/tags/{tag_id}")["contactCount"] == BEARERS - deletion.STEP
    team.owner.contact(email="ada@engine.org", tagIds=[tag_id])
    again = begun(team, tag_id)
    assert again["id"] != job["id"]


@contextmanager
def busy(act: Callable[[int], object]) -> Iterator[list[float]]:
    """Somebody who does this again and again meanwhile; the seconds that each took."""
    took: list[float] = []
    stop = threading.Event()

    def work() -> None:
        while not stop.is_set():
            began = time.monotonic()
            act(len(took))
            took.append(time.monotonic() - began)

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield took
    finally:
        stop.set()
        thread.join()


def test_a_worker_that_is_killed_half_way_is_taken_over_while_others_go_on(
    installation: Installation, team: Team
) -> None:
    tag_id = tagged(team, 4_800)
    job = begun(team, tag_id)

    def processed() -> int:
        return int(team.owner.shown(f"/jobs/{job['id']}")["processed"])

    with busy(lambda number: team.owner.contact(email=f"a{number}@engine.org")) as took:
        with worker_process(installation.config, ["jobs"]) as worker:
            eventually(lambda: processed() > 0, 30)
            worker.process.send_signal(signal.SIGKILL)
            worker.process.wait(10)
        eventually(lambda: 0 < bearers(team) == 4_800 - processed())
        with worker_process(installation.config, ["jobs"]):
            eventually(lambda: done(team, job["id"]), 60)
    assert processed() == 4_800
    assert len(took) > 20
    is_gone(installation, team, tag_id)
    assert team.owner.get("/contacts", params={"limit": 1}).json()["meta"]["total"] == 4_800 + len(took)
