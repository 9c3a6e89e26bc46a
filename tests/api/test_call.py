"""Calls over HTTP: what the documents say of them, and who sees which."""

from __future__ import annotations

from typing import Any

import pytest

from domain.kernel import Refused
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.references import References
from projections.catalogue import ROWS
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created

FIELDS = {"direction": "outbound", "status": "completed"}


def call(member: Member, contact: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return created(member.post("/calls", {**FIELDS, "contactId": contact["id"], **fields}))


def path(thing: dict[str, Any]) -> str:
    return f"/calls/{thing['id']}"


@pytest.fixture
def sarah(team: Team) -> dict[str, Any]:
    return team.owner.contact(firstName="Sarah", lastName="Kim")


def test_one_is_logged_shown_changed_and_deleted(team: Team, sarah: dict[str, Any]) -> None:
    given = {**FIELDS, "contactId": sarah["id"], "duration": 342, "notes": "Demo", "startedAt": "2026-04-18T15:30:00Z"}
    made = created(team.owner.post("/calls", given))
    assert {name: made[name] for name in given} == given
    assert made["endedAt"] == "2026-04-18T15:35:42Z"
    assert made["contact"] == {"firstName": "Sarah", "lastName": "Kim"}
    assert made["user"] == {"name": "Olga Owner"}
    assert team.owner.shown(path(made)) == made
    changes = {"notes": "Sarah confirmed.", "status": "voicemail", "duration": 10}
    after = ok(team.owner.patch(path(made), changes, headers={"if-match": '"1"'}))["data"]
    more = {"endedAt": "2026-04-18T15:30:10Z", "updatedAt": after["updatedAt"], "version": 2}
    assert after == {**made, **changes, **more}
    gone(team.owner.delete(path(made)))
    refused(team.owner.get(path(made)), 404, says="call")
    refused(team.owner.patch(path(made), {"notes": "A"}), 404)


def test_it_is_of_who_logs_it_and_began_now_unless_something_else_is_said(team: Team, sarah: dict[str, Any]) -> None:
    made = call(team.member, sarah)
    assert made["userId"] == str(team.member.account_id)
    assert (made["startedAt"], made["duration"], made["endedAt"]) == (made["createdAt"], None, None)
    for null in ({"startedAt": None}, {"userId": None}):
        assert call(team.member, sarah, **null)["userId"] == str(team.member.account_id)
    assert call(team.owner, sarah, userId=str(team.member.account_id))["user"] == made["user"]


def test_what_is_not_acceptable_is_named(team: Team, others: Team, sarah: dict[str, Any]) -> None:
    for field in ("contactId", "direction", "status"):
        body = {**FIELDS, "contactId": sarah["id"]}
        del body[field]
        refused(team.owner.post("/calls", body), 422, field)
    made = call(team.owner, sarah)
    for field, value in (
        ("direction", "sideways"), ("status", "busy"), ("duration", -1), ("duration", 10**9), ("duration", 1.5),
        ("startedAt", "now"), ("startedAt", "9999-12-31T23:59:59Z"), ("notes", {"nested": ["wrong"]}),
        ("contactId", str(new_id())), ("contactId", others.owner.contact()["id"]),
        ("userId", str(others.owner.account_id)), ("endedAt", "2026-04-18T15:30:00Z"),
    ):  # fmt: skip
        refused(team.owner.post("/calls", {**FIELDS, "contactId": sarah["id"], field: value}), 422, field)
        refused(team.owner.patch(path(made), {field: value}), 422, field)
    for field in ("contactId", "userId", "direction", "status", "startedAt"):
        refused(team.owner.patch(path(made), {field: None}), 422, field)
    assert team.owner.shown(path(made)) == made


def test_the_last_that_began_comes_first_in_pages_of_fifty(team: Team, sarah: dict[str, Any]) -> None:
    days = ["2026-04-03", "2026-04-01", "2026-04-02"]
    calls = {day: call(team.owner, sarah, startedAt=f"{day}T12:00:00Z") for day in days}
    answer = ok(team.owner.get("/calls"))
    assert answer["data"] == [calls[day] for day in sorted(days, reverse=True)]
    assert (answer["meta"]["page"], answer["meta"]["limit"], answer["meta"]["total"]) == (1, 50, 3)
    assert team.owner.listed("/calls", sort="startedAt", limit=1) == [calls["2026-04-01"]]
    refused(team.owner.get("/calls", params={"limit": 101}), 400, "limit")


def test_they_are_filtered_by_contact_user_direction_status_and_date(team: Team, sarah: dict[str, Any]) -> None:
    call(team.owner, sarah, startedAt="2026-04-01T12:00:00Z", notes="first")
    call(team.member, team.owner.contact(), startedAt="2026-04-02T12:00:00Z", notes="second", direction="inbound")
    call(team.owner, sarah, startedAt="2026-04-03T12:00:00Z", notes="third", status="no_answer")

    def found(**params: Any) -> list[str]:
        return [item["notes"] for item in team.owner.listed("/calls", **params)]

    assert found(contactId=sarah["id"]) == ["third", "first"]
    assert found(userId=str(team.member.account_id)) == ["second"]
    assert found(direction="inbound") == ["second"]
    assert found(status="no_answer") == ["third"]
    assert found(after="2026-04-02") == ["third", "second"]
    assert found(before="2026-04-02T12:00:00Z") == ["first"]
    assert found(after="2026-04-01T12:00:00Z", before="2026-04-03", direction="outbound") == []
    for name, value in (("direction", "up"), ("status", "busy"), ("after", "then"), ("before", "13-13-2026")):
        refused(team.owner.get("/calls", params={name: value}), 400, name)


def test_it_is_deleted_with_its_contact(team: Team, sarah: dict[str, Any]) -> None:
    made, kept = call(team.owner, sarah), call(team.owner, team.owner.contact())
    gone(team.owner.delete(f"/contacts/{sarah['id']}"))
    refused(team.owner.get(path(made)), 404)
    assert team.owner.listed("/calls") == [kept]


def test_a_limited_member_sees_calls_with_contacts_of_theirs(team: Team, sarah: dict[str, Any]) -> None:
    mine = team.owner.contact(assignedTo=str(team.limited.account_id))
    seen, unseen = call(team.owner, mine), call(team.owner, sarah, userId=str(team.limited.account_id))
    assert team.limited.listed("/calls") == [seen]
    refused(team.limited.get(path(unseen)), 404)
    refused(team.limited.post("/calls", {**FIELDS, "contactId": sarah["id"]}), 422, "contactId")
    refused(team.limited.patch(path(seen), {"contactId": sarah["id"]}), 422, "contactId")
    assert call(team.limited, mine)["userId"] == str(team.limited.account_id)


def test_who_a_limited_member_is_stays_theirs_to_change_whatever_calls_they_no_more_see(
    team: Team, sarah: dict[str, Any]
) -> None:
    me, them = team.limited.account_id, team.member.account_id
    for user in (me, them):
        call(team.owner, sarah, userId=str(user))
    references = References(ROWS)
    with reading(team.services.pool, team.workspace_id, me) as conn:
        references.check_shared(conn, ROWS["user"], me, me)
        with pytest.raises(Refused) as refusal:
            references.check_shared(conn, ROWS["user"], them, me)
    assert refusal.value.code == "permission_denied"


def test_a_key_that_may_not_read_contacts_is_not_told_their_names(team: Team, sarah: dict[str, Any]) -> None:
    made = call(team.owner, sarah)
    key = team.key("calls:write")
    assert key.shown(path(made)) == key.listed("/calls")[0] == {**made, "contact": None}
    assert call(key, sarah)["contact"] is None
    assert ok(key.patch(path(made), {"notes": "A"}))["data"]["contact"] is None
    assert team.key("calls:read", "contacts:read").shown(path(made))["contact"] == made["contact"]
