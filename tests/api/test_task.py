"""Tasks over HTTP: what the documents say of them, what is overdue, and who sees which."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from eventstore.ids import new_id
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created

FIELDS = {
    "title": "Follow up with Sarah Kim",
    "description": "Send proposal for Q2 renewal",
    "dueDate": "2126-04-20T17:00:00Z",
    "priority": "high",
}


def when(**ahead: float) -> str:
    return (datetime.now(UTC) + timedelta(**ahead)).isoformat()


def task(member: Member, title: str = "A", **fields: Any) -> dict[str, Any]:
    return created(member.post("/tasks", {"title": title, **fields}))


def path(thing: dict[str, Any]) -> str:
    return f"/tasks/{thing['id']}"


def titles(member: Member, **params: Any) -> list[str]:
    return [found["title"] for found in member.listed("/tasks", **params)]


class TestOne:
    def test_is_created_shown_changed_and_deleted(self, team: Team) -> None:
        contact = team.owner.contact()
        given = {**FIELDS, "assignedTo": str(team.member.account_id), "contactId": contact["id"]}
        made = created(team.owner.post("/tasks", given))
        assert {name: made[name] for name in given} == given
        assert (made["status"], made["completedAt"]) == ("pending", None)
        assert team.owner.shown(path(made)) == made
        answer = team.owner.patch(path(made), {"priority": "low", "dueDate": None}, headers={"if-match": '"1"'})
        after = ok(answer)["data"]
        assert after == {**made, "priority": "low", "dueDate": None, "updatedAt": after["updatedAt"], "version": 2}
        refused(team.owner.patch(path(made), {"status": "completed"}, headers={"if-match": '"1"'}), 412)
        gone(team.owner.delete(path(made)))
        for answer in (team.owner.get(path(made)), team.owner.patch(path(made), {"title": "B"})):
            refused(answer, 404, says="task")

    def test_needs_nothing_but_a_title(self, team: Team) -> None:
        made = created(team.owner.post("/tasks", {"title": "Alone"}))
        assert (made["priority"], made["description"], made["dueDate"]) == ("medium", None, None)
        assert (made["assignedTo"], made["contactId"]) == (None, None)
        refused(team.owner.post("/tasks", {"description": "No title"}), 422, "title")

    def test_is_refused_with_the_name_of_what_is_wrong(self, team: Team) -> None:
        for field, value in (
            ("priority", "urgent"), ("dueDate", "tomorrow"), ("dueDate", "2026-04-20T17:00:00"), ("title", " "),
            ("status", "completed"), ("assignedTo", "David"), ("contactId", str(new_id())), ("owner", "x"),
        ):  # fmt: skip
            refused(team.owner.post("/tasks", {"title": "A", field: value}), 422, field)
        made = task(team.owner)
        for changes in ({"status": "overdue"}, {"status": None}, {"priority": None}, {"title": None}):
            refused(team.owner.patch(path(made), changes), 422, *changes)
        assert team.owner.shown(path(made)) == made

    def test_is_linked_to_a_contact_and_a_member_of_its_workspace_alone(self, team: Team, others: Team) -> None:
        made = task(team.owner)
        for field, value in (
            ("contactId", others.owner.contact()["id"]), ("contactId", str(team.owner.account_id)),
            ("assignedTo", str(others.owner.account_id)), ("assignedTo", team.owner.contact()["id"]),
        ):  # fmt: skip
            refused(team.owner.post("/tasks", {"title": "A", field: value}), 422, field)
            refused(team.owner.patch(path(made), {field: value}), 422, field)


class TestDone:
    def test_a_status_of_completed_marks_it_done_and_of_pending_undoes_that(self, team: Team) -> None:
        made = task(team.owner, dueDate=when(days=-1))
        assert made["status"] == "overdue"
        done = ok(team.owner.patch(path(made), {"status": "completed"}))["data"]
        assert (done["status"], done["version"]) == ("completed", 2)
        assert done["completedAt"] == done["updatedAt"]
        assert ok(team.owner.patch(path(made), {"status": "completed"}))["data"] == done
        again = ok(team.owner.patch(path(made), {"status": "pending"}))["data"]
        assert (again["status"], again["completedAt"], again["version"]) == ("overdue", None, 3)

    def test_it_is_an_event_of_its_own_in_the_trail_beside_what_else_changed(self, team: Team) -> None:
        made = task(team.owner, "Call back")
        ok(team.member.patch(path(made), {"status": "completed", "priority": "low"}))
        ok(team.owner.patch(path(made), {"status": "pending"}))
        told = team.owner.listed("/activities", entityType="task", action="updated")
        assert [(item["event"], item["changes"], item["userName"]) for item in told] == [
            ("task.reopened", {"status": {"from": "completed", "to": "pending"}}, "Olga Owner"),
            ("task.completed", {"status": {"from": "pending", "to": "completed"}}, told[1]["userName"]),
            ("task.updated", {"priority": {"from": "medium", "to": "low"}}, told[2]["userName"]),
        ]
        assert {item["userId"] for item in told[1:]} == {str(team.member.account_id)}

    def test_a_webhook_may_ask_for_it(self, team: Team) -> None:
        webhook = {"url": "https://hooks.example.com", "events": ["task.completed", "task.reopened", "task.*"]}
        assert created(team.owner.post("/webhooks", webhook))["events"] == ["task.*", "task.completed", "task.reopened"]


class TestLists:
    def test_come_newest_first_in_pages_of_fifty(self, team: Team) -> None:
        for title in "ABC":
            task(team.owner, title)
        answer = ok(team.owner.get("/tasks"))
        assert [found["title"] for found in answer["data"]] == ["C", "B", "A"]
        assert {name: answer["meta"][name] for name in ("page", "limit", "total", "totalPages")} == {
            "page": 1, "limit": 50, "total": 3, "totalPages": 1,
        }  # fmt: skip
        assert titles(team.owner, limit=2, page=2) == ["A"]

    def test_are_of_the_status_that_is_shown(self, team: Team) -> None:
        task(team.owner, "Late", dueDate=when(minutes=-1))
        task(team.owner, "Early", dueDate=when(hours=1))
        task(team.owner, "Whenever")
        for title, due in (("Done late", when(days=-1)), ("Done", None)):
            ok(team.owner.patch(path(task(team.owner, title, dueDate=due)), {"status": "completed"}))
        assert titles(team.owner, status="overdue") == ["Late"]
        assert titles(team.owner, status="pending") == ["Whenever", "Early"]
        assert titles(team.owner, status="completed") == ["Done", "Done late"]
        for status in ("overdue", "pending", "completed"):
            assert {found["status"] for found in team.owner.listed("/tasks", status=status)} == {status}
        refused(team.owner.get("/tasks", params={"status": "late"}), 400, "status")

    def test_become_overdue_by_themselves_as_time_goes_by(self, team: Team) -> None:
        made = task(team.owner, dueDate=when(seconds=0.4))
        assert made["status"] == "pending"
        due = datetime.fromisoformat(made["dueDate"])
        while datetime.now(UTC) <= due:
            assert titles(team.owner, status="overdue") == [] or datetime.now(UTC) > due
        assert team.owner.shown(path(made)) == {**made, "status": "overdue"}
        assert titles(team.owner, status="overdue") == ["A"]

    @pytest.mark.parametrize(
        ("asked", "expected"),
        [
            ({"due_before": "2026-04-20"}, ["One"]),
            ({"dueBefore": "2026-04-20T17:00:01Z"}, ["Two", "One"]),
            ({"due_after": "2026-04-20T17:00:00Z"}, ["Three"]),
            ({"dueAfter": "2026-04-10", "due_before": "2026-04-21"}, ["Two"]),
        ],
    )
    def test_are_of_tasks_due_before_or_after_a_date(self, team: Team, asked: Any, expected: list[str]) -> None:
        for title, due in (("One", "2026-04-10T00:00:00Z"), ("Two", "2026-04-20T17:00:00Z"), ("Three", when(days=1))):
            task(team.owner, title, dueDate=due)
        task(team.owner, "Whenever")
        assert titles(team.owner, **asked) == expected

    def test_take_no_date_that_is_none(self, team: Team) -> None:
        for name in ("due_before", "dueBefore", "due_after", "dueAfter"):
            refused(team.owner.get("/tasks", params={name: "soon"}), 400, name)

    def test_are_of_one_assignee_one_contact_or_one_priority(self, team: Team) -> None:
        contact, user = team.owner.contact(), str(team.member.account_id)
        task(team.owner, "Linked", contactId=contact["id"], priority="low")
        task(team.owner, "Given", assignedTo=user, priority="high")
        task(team.owner, "Neither")
        assert titles(team.owner, contactId=contact["id"]) == ["Linked"]
        assert titles(team.owner, assignedTo=user) == ["Given"]
        assert titles(team.owner, priority="low") == ["Linked"]
        assert titles(team.owner, assignedTo=user, contactId=contact["id"]) == []
        assert titles(team.owner, search="neith") == ["Neither"]

    def test_are_sorted_by_what_is_due_first_or_most_urgent(self, team: Team) -> None:
        task(team.owner, "B", dueDate=when(days=2), priority="high")
        task(team.owner, "A", dueDate=when(days=1), priority="low")
        task(team.owner, "C")
        assert titles(team.owner, sort="dueDate") == ["A", "B", "C"]
        assert titles(team.owner, sort="-priority") == ["B", "C", "A"]
        assert titles(team.owner, sort="title") == ["A", "B", "C"]


class TestWhoseItIs:
    def test_a_limited_member_sees_what_is_theirs_and_what_is_about_a_contact_of_theirs(self, team: Team) -> None:
        me = str(team.limited.account_id)
        mine, hidden = team.owner.contact(assignedTo=me), team.owner.contact()
        task(team.owner, "Mine", assignedTo=me)
        task(team.owner, "My contact's", contactId=mine["id"])
        task(team.owner, "Mine about another's", assignedTo=me, contactId=hidden["id"])
        unseen = [task(team.owner, "Another's", contactId=hidden["id"]), task(team.owner, "Nobody's")]
        assert titles(team.limited) == ["Mine about another's", "My contact's", "Mine"]
        assert ok(team.limited.get("/tasks", params={"limit": 1}))["meta"]["total"] == 3
        for found in unseen:
            refused(team.limited.get(path(found)), 404, says="task")
            refused(team.limited.patch(path(found), {"title": "Taken"}), 404)
            refused(team.limited.delete(path(found)), 404)
            assert team.owner.shown(path(found)) == found
        for found in team.limited.listed("/tasks"):
            assert team.limited.shown(path(found)) == found
            ok(team.limited.patch(path(found), {"priority": "low"}))

    def test_what_a_limited_member_makes_is_theirs_and_about_no_contact_that_they_do_not_see(self, team: Team) -> None:
        hidden = team.owner.contact()
        made = task(team.limited, "New")
        assert made["assignedTo"] == str(team.limited.account_id)
        refused(team.limited.post("/tasks", {"title": "A", "contactId": hidden["id"]}), 422, "contactId")
        refused(team.limited.patch(path(made), {"contactId": hidden["id"]}), 422, "contactId")

    def test_a_limited_member_sees_it_no_more_when_its_contact_is_given_to_another(self, team: Team) -> None:
        contact = team.owner.contact(assignedTo=str(team.limited.account_id))
        made = task(team.owner, contactId=contact["id"])
        ok(team.limited.get(path(made)))
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"assignedTo": None}))
        refused(team.limited.get(path(made)), 404)
        assert team.limited.listed("/activities", entityId=made["id"]) == []

    def test_a_viewer_reads_and_writes_nothing(self, team: Team) -> None:
        made = task(team.owner)
        assert team.viewer.listed("/tasks") == [made]
        refused(team.viewer.patch(path(made), {"status": "completed"}), 403)


def test_a_task_about_a_contact_is_deleted_with_it_and_others_are_not(team: Team) -> None:
    contact, other = team.owner.contact(), team.owner.contact()
    made = task(team.owner, contactId=contact["id"], assignedTo=str(team.limited.account_id))
    kept = [task(team.owner, contactId=other["id"]), task(team.owner)]
    gone(team.owner.delete(f"/contacts/{contact['id']}"))
    refused(team.owner.get(path(made)), 404)
    assert team.owner.listed("/tasks") == kept[::-1]
    deleted = team.owner.listed("/activities", action="deleted")
    assert {item["event"] for item in deleted} == {"task.deleted", "contact.deleted"}
