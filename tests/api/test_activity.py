"""The audit trail over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import uuid4

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team


def latest(member: Member, **params: Any) -> dict[str, Any]:
    return member.listed("/activities", **params)[0]


class TestWhatIsTold:
    def test_a_creation_and_what_was_set(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann", customFields={"a": 1})
        told = latest(team.owner)
        assert (told["entityType"], told["entityId"], told["action"]) == ("contact", contact["id"], "created")
        assert told["event"] == "contact.created"
        assert told["changes"]["firstName"] == {"from": None, "to": "Ann"}
        assert told["changes"]["customFields"] == {"from": None, "to": {"a": 1}}
        assert "lastName" not in told["changes"]

    def test_a_change_from_what_to_what(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann", company="Acme", customFields={"a": 1})
        body = {"company": None, "lastName": "Lee", "customFields": {"a": 2, "b": 3}}
        ok(team.owner.patch(f"/contacts/{contact['id']}", body))
        told = latest(team.owner)
        assert told["action"] == "updated"
        assert told["changes"] == {
            "company": {"from": "Acme", "to": None},
            "lastName": {"from": None, "to": "Lee"},
            "customFields": {"from": {"a": 1, "b": None}, "to": {"a": 2, "b": 3}},
        }

    def test_money_in_whole_units_and_its_currency_by_itself(self, team: Team) -> None:
        path = f"/deals/{team.owner.deal(value=42000.5)['id']}"
        created = latest(team.owner, entityType="deal")["changes"]
        assert (created["value"], created["currency"]) == ({"from": None, "to": 42000.5}, {"from": None, "to": "USD"})
        for body in ({"value": 50000}, {"currency": "JPY"}, {"value": 12.25, "currency": "EUR"}):
            ok(team.owner.patch(path, body))
        told = [each["changes"] for each in team.owner.listed("/activities", entityType="deal", limit=3)]
        assert told == [
            {"value": {"from": 50000, "to": 12.25}, "currency": {"from": "JPY", "to": "EUR"}},
            {"currency": {"from": "USD", "to": "JPY"}},
            {"value": {"from": 42000.5, "to": 50000}},
        ]
        assert [each["changes"] for each in team.owner.listed(f"{path}/history", limit=3)] == told

    def test_tags_put_on_and_taken_off(self, team: Team) -> None:
        contact, tag = team.owner.contact(), team.owner.tag("VIP")
        ok(team.owner.post(f"/contacts/{contact['id']}/tags", {"tags": "VIP"}))
        put_on = {"tagId": {"from": None, "to": tag["id"]}, "tagName": {"from": None, "to": "VIP"}}
        assert latest(team.owner)["changes"] == put_on
        gone(team.owner.delete(f"/contacts/{contact['id']}/tags/VIP"))
        taken_off = {"tagId": {"from": tag["id"], "to": None}, "tagName": {"from": "VIP", "to": None}}
        assert latest(team.owner)["changes"] == taken_off

    def test_unsubscribing_and_its_taking_back(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact()['id']}"
        for value in (True, False):
            ok(team.owner.patch(path, {"globallyUnsubscribed": value}))
            assert latest(team.owner)["changes"] == {"globallyUnsubscribed": {"from": not value, "to": value}}

    def test_a_deletion(self, team: Team) -> None:
        contact = team.owner.contact()
        gone(team.owner.delete(f"/contacts/{contact['id']}"))
        told = latest(team.owner)
        assert (told["entityId"], told["action"], told["changes"]) == (contact["id"], "deleted", {})

    def test_a_login(self, team: Team) -> None:
        told = latest(team.admin)
        assert (told["entityType"], told["action"]) == ("user", "login")
        assert told["entityId"] == told["userId"] == str(team.admin.account_id)

    def test_what_a_user_may_do_as_that_user(self, team: Team) -> None:
        user_id = str(team.member.account_id)
        ok(team.owner.patch(f"/users/{user_id}", {"role": "viewer"}))
        gone(team.owner.delete(f"/users/{user_id}"))
        told = team.owner.listed("/activities", entityId=user_id, entityType="user")
        assert [entry["event"] for entry in told[:2]] == ["membership.revoked", "membership.changed"]
        assert {(entry["entityType"], entry["entityId"]) for entry in told} == {("user", user_id)}
        assert told[1]["changes"] == {"role": {"from": "member", "to": "viewer"}}
        assert told == team.owner.listed("/activities", entityId=user_id)
        for action, event in (("updated", "membership.changed"), ("deleted", "membership.revoked")):
            (found,) = team.owner.listed("/activities", entityType="user", action=action)
            assert (found["event"], found["entityId"]) == (event, user_id)
        assert team.owner.listed("/activities", entityType="membership") == []

    def test_who_did_it_when_and_for_which_request(self, team: Team) -> None:
        answer = team.admin.post("/tags", {"name": "A"}, headers={"x-request-id": "tag-1"})
        told = latest(team.owner)
        assert told["requestId"] == answer.headers["x-request-id"] == "tag-1"
        assert told["actor"] == {"type": "user", "id": str(team.admin.account_id)}
        assert told["userId"] == str(team.admin.account_id)
        assert told["userName"] == ok(team.admin.get("/auth/me"))["user"]["name"]
        assert told["timestamp"] >= ok(answer, 201)["data"]["createdAt"]
        assert str(told["seq"]) == answer.headers["daybook-seq"]
        assert datetime.fromisoformat(told["timestamp"]).tzinfo is not None

    def test_of_a_key_the_user_behind_it(self, team: Team) -> None:
        team.key("tags:write", of=team.admin).tag("A")
        told = latest(team.owner)
        assert told["actor"]["type"] == "api_key"
        assert told["actor"]["id"] != told["userId"]
        assert told["userId"] == str(team.admin.account_id)
        assert told["userName"] == ok(team.admin.get("/auth/me"))["user"]["name"]


class TestFilters:
    @pytest.fixture
    def busy(self, team: Team) -> Team:
        team.owner.tag("A")
        contact = team.admin.contact(firstName="Ann")
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"lastName": "Lee"}))
        gone(team.owner.delete(f"/contacts/{contact['id']}"))
        return team

    def test_the_kind_of_thing(self, busy: Team) -> None:
        events = [told["event"] for told in busy.owner.listed("/activities", entityType="contact")]
        assert events == ["contact.deleted", "contact.updated", "contact.created"]
        assert busy.owner.listed("/activities", entityType="deal") == []

    def test_one_thing(self, busy: Team) -> None:
        contact = latest(busy.owner)["entityId"]
        assert len(busy.owner.listed("/activities", entityId=contact)) == 3
        assert busy.owner.listed("/activities", entityId=str(uuid4())) == []

    @pytest.mark.parametrize("action", ["created", "updated", "deleted", "login"])
    def test_what_was_done(self, busy: Team, action: str) -> None:
        told = busy.owner.listed("/activities", action=action)
        assert told
        assert {entry["action"] for entry in told} == {action}

    def test_every_event_is_one_of_the_four(self, busy: Team) -> None:
        counted = [
            ok(busy.owner.get("/activities", params={"action": action}))["meta"]["total"]
            for action in ("created", "updated", "deleted", "login")
        ]
        assert sum(counted) == ok(busy.owner.get("/activities"))["meta"]["total"]

    def test_who_did_it_themselves_or_by_a_key(self, busy: Team) -> None:
        busy.key("tags:write", of=busy.admin).tag("B")
        told = busy.owner.listed("/activities", userId=str(busy.admin.account_id))
        assert [entry["event"] for entry in told][:3] == ["tag.created", "api_key.created", "contact.created"]

    def test_all_that_are_given_must_hold(self, busy: Team) -> None:
        params = {"entityType": "contact", "action": "created", "userId": str(busy.owner.account_id)}
        assert busy.owner.listed("/activities", **params) == []
        answer = ok(busy.owner.get("/activities", params={**params, "userId": str(busy.admin.account_id)}))
        assert (len(answer["data"]), answer["meta"]["total"]) == (1, 1)

    @pytest.mark.parametrize(
        ("parameter", "value"), [("entityId", "1"), ("userId", "Olga"), ("action", "changed"), ("limit", "0")]
    )
    def test_a_value_of_the_wrong_type_is_refused_by_name(self, team: Team, parameter: str, value: str) -> None:
        refused(team.owner.get("/activities", params={parameter: value}), 400, parameter)


class TestPages:
    def test_newest_first_by_page_and_by_cursor(self, team: Team) -> None:
        for number in range(7):
            team.owner.tag(f"Tag {number}")
        answer = ok(team.owner.get("/activities?limit=100"))
        seqs = [told["seq"] for told in answer["data"]]
        assert seqs == list(range(answer["meta"]["total"], 0, -1))
        by_page = [
            told["seq"] for page in (1, 2, 3, 4) for told in team.owner.listed("/activities", page=page, limit=3)
        ]
        assert by_page == seqs
        by_cursor: list[int] = []
        cursor: dict[str, str] = {}
        while True:
            found = ok(team.owner.get("/activities", params={"limit": 3, **cursor}))
            by_cursor += [told["seq"] for told in found["data"]]
            team.owner.tag()
            if found["meta"]["nextCursor"] is None:
                break
            cursor = {"cursor": found["meta"]["nextCursor"]}
        assert by_cursor == seqs

    @pytest.mark.parametrize("cursor", ["", "x", "-1", "1.5", "\u00b2", "\u0661", "9" * 19, "1 OR 1=1"])
    def test_a_made_up_cursor_is_refused(self, team: Team, cursor: str) -> None:
        refused(team.owner.get("/activities", params={"cursor": cursor}), 400, "cursor")

    def test_no_other_order_is_pretended(self, team: Team) -> None:
        for order in ("sort=timestamp", "sort=-timestamp", "sortDirection=asc"):
            refused(team.owner.get(f"/activities?{order}"), 400, order.partition("=")[0])
