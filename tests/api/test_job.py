"""Jobs over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from eventstore.database import Pool, writing
from projections.table import keyset
from tests.api.asserting import ok, refused
from tests.api.team import Member, Team


def job(who: Member, *rows: str, **params: Any) -> dict[str, Any]:
    """An import of these addresses, as its job."""
    answer = who.ask(
        "POST",
        "/contacts/import",
        content="\n".join(["Email,Phone", *rows]).encode(),
        headers={"content-type": "text/csv"},
        params=params,
    )
    return who.shown(f"/jobs/{ok(answer, answer.status_code)['data']['jobId']}")


def test_a_job_says_what_it_came_to(team: Team) -> None:
    found = job(team.owner, "ada@engine.org,", "bob,x", "Ada@engine.org,")
    assert found.pop("id")
    assert all(found.pop(name) for name in ("createdAt", "updatedAt", "completedAt"))
    details = found.pop("errorDetails")
    assert found == {
        "kind": "contact_import", "status": "completed", "total": 3, "processed": 3, "created": 1, "updated": 0,
        "deleted": 0, "skipped": 1, "errors": 1, "error": None,
    }  # fmt: skip
    assert [(error["row"], error["line"], error["field"]) for error in details] == [(2, 3, "email"), (2, 3, "phone")]


def test_one_that_is_not_done_has_no_end(team: Team) -> None:
    found = job(team.owner, "ada@engine.org,", **{"async": "true"})
    assert (found["status"], found["processed"], found["completedAt"]) == ("processing", 0, None)


def test_jobs_are_listed_newest_first_page_by_page(team: Team) -> None:
    made = [job(team.owner, f"a{number}@engine.org,")["id"] for number in range(5)]
    open_job = job(team.owner, "b@engine.org,", **{"async": "true"})["id"]
    assert [found["id"] for found in team.owner.listed("/jobs")] == [open_job, *reversed(made)]
    assert [found["id"] for found in team.owner.listed("/jobs", status="processing")] == [open_job]
    assert [found["id"] for found in team.owner.listed("/jobs", status="completed", page=2, limit=2)] == made[2:0:-1]
    assert "errorDetails" not in team.owner.listed("/jobs")[0]

    seen: list[str] = []
    cursor: str | None = None
    while True:
        page = ok(team.owner.get("/jobs", params={"limit": 2} | ({"cursor": cursor} if cursor else {})))
        seen += [found["id"] for found in page["data"]]
        assert page["meta"]["total"] == 6
        cursor = page["meta"]["nextCursor"]
        if cursor is None:
            break
    assert seen == [open_job, *reversed(made)]


def test_errors_are_listed_in_order_of_rows_page_by_page(team: Team) -> None:
    found = job(team.owner, *(f"bad{number},{'x' if number % 2 else ''}" for number in range(30)))
    assert found["errors"] == 30
    path = f"/jobs/{found['id']}/errors"
    everything = team.owner.listed(path, limit=100)
    assert everything == found["errorDetails"]
    assert len(everything) == 45
    assert [(error["row"], error["field"]) for error in everything[:4]] == [
        (1, "email"), (2, "email"), (2, "phone"), (3, "email"),
    ]  # fmt: skip
    assert team.owner.listed(path, limit=20, page=2) == everything[20:40]

    seen: list[Any] = []
    cursor: str | None = None
    while True:
        page = ok(team.owner.get(path, params={"limit": 7} | ({"cursor": cursor} if cursor else {})))
        seen += page["data"]
        assert page["meta"]["total"] == 45
        cursor = page["meta"]["nextCursor"]
        if cursor is None:
            break
    assert seen == everything


def test_a_list_is_in_its_own_order(team: Team) -> None:
    made = job(team.owner, "bad,")
    for path in ("/jobs", f"/jobs/{made['id']}/errors"):
        refused(team.owner.get(path, params={"sort": "createdAt"}), 400, "sort")
        for cursor in ("x", made["id"], keyset.written("another order", made["id"])):
            refused(team.owner.get(path, params={"cursor": cursor}), 400, "cursor")
    refused(team.owner.get("/jobs", params={"status": "done"}), 400, "status")


def test_who_may_see_jobs(team: Team) -> None:
    made = job(team.owner, "bad,")
    for path in ("/jobs", f"/jobs/{made['id']}", f"/jobs/{made['id']}/errors"):
        for somebody in (team.member, team.viewer, team.key("jobs:read")):
            ok(somebody.get(path))
        refused(team.key("contacts:write").get(path), 403)
        refused(team.anonymous.get(path), 401)


def test_members_limited_to_what_is_assigned_to_them_see_their_own(team: Team) -> None:
    theirs = job(team.owner, "bad,")
    own = job(team.limited, "bad,")
    assert [found["id"] for found in team.limited.listed("/jobs")] == [own["id"]]
    for path in (f"/jobs/{theirs['id']}", f"/jobs/{theirs['id']}/errors"):
        refused(team.limited.get(path), 404)
    assert len(team.owner.listed("/jobs")) == 2


def test_jobs_of_another_workspace_are_not_there(team: Team, others: Team) -> None:
    theirs = job(others.owner, "bad,")
    assert team.owner.listed("/jobs") == []
    for job_id in (theirs["id"], str(uuid4())):
        for path in (f"/jobs/{job_id}", f"/jobs/{job_id}/errors"):
            refused(team.owner.get(path), 404, says="job")
            refused(team.key().get(path), 404, says="job")
    refused(team.owner.get("/jobs/nothing"), 404)


def test_an_import_is_cancelled_before_a_worker_has_begun_it(team: Team) -> None:
    made = job(team.member, "ada@engine.org,", **{"async": "true"})
    path = f"/jobs/{made['id']}"
    refused(team.viewer.post(f"{path}/cancel"), 403)
    refused(team.key("jobs:read").post(f"{path}/cancel"), 403)
    cancelled = ok(team.owner.post(f"{path}/cancel"))["data"]
    assert (cancelled["status"], cancelled["processed"]) == ("cancelled", 0)
    assert team.owner.shown(path) == cancelled
    assert team.owner.listed("/jobs", status="cancelled")[0]["id"] == made["id"]
    refused(team.owner.post(f"{path}/cancel"), 409, says="cancelled")
    entry = team.owner.listed("/log", limit=100)[-1]
    assert (entry["type"], entry["stream"]["id"]) == ("contact_import.cancelled", made["id"])
    assert entry["meta"]["actor"]["id"] == str(team.owner.account_id)
    assert entry["meta"]["correlationId"] == made["id"]


def test_one_that_a_worker_is_busy_with_is_cancelled_behind_its_step(team: Team, pool: Pool) -> None:
    made = job(team.owner, "ada@engine.org,", **{"async": "true"})
    with writing(pool, team.workspace_id) as conn:
        conn.execute("SELECT FROM jobs WHERE workspace_id = %s AND id = %s FOR UPDATE", (team.workspace_id, made["id"]))
        for _ in range(2):
            assert ok(team.owner.post(f"/jobs/{made['id']}/cancel"), 202)["data"]["status"] == "processing"


def test_what_is_done_is_not_cancelled(team: Team, others: Team) -> None:
    made = job(team.owner, "ada@engine.org,")
    refused(team.owner.post(f"/jobs/{made['id']}/cancel"), 409, says="completed")
    refused(others.owner.post(f"/jobs/{made['id']}/cancel"), 404, says="job")
    assert len(team.owner.listed("/contacts")) == 1
