"""Duplicates among contacts: what makes them alike, and who is shown them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Member, Team


def groups(who: Member, **params: Any) -> list[dict[str, Any]]:
    return who.listed("/contacts/duplicates", **params)


def told(found: list[dict[str, Any]]) -> list[tuple[list[str], list[str]]]:
    return [(group["reasons"], [contact["id"] for contact in group["contacts"]]) for group in found]


PAIRS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "phone": ({"phone": "+14155552671"}, {"phone": "(415) 555-2671"}),
    "mailbox": ({"email": "sarah.kim@engine.org"}, {"email": "SarahKim+news@engine.org"}),
    "name_company": (
        {"firstName": "Zoë", "lastName": "Kim", "company": "Acme"},
        {"firstName": "ZOE", "lastName": "kim", "company": "ACME"},
    ),
    "name_domain": (
        {"firstName": "Sarah", "lastName": "Kim", "email": "sk@engine.org"},
        {"firstName": "Sarah", "lastName": "Kim", "email": "sarah@engine.org"},
    ),
}


class TestAlike:
    @pytest.mark.parametrize("reason", PAIRS)
    def test_is_who_has_that_in_common(self, team: Team, reason: str) -> None:
        one, two = (team.owner.contact(**fields) for fields in PAIRS[reason])
        team.owner.contact(firstName="Sarah", lastName="Other", company="Acme", email="other@engine.org")
        (group,) = groups(team.owner)
        assert told([group]) == [([reason], [one["id"], two["id"]])]
        assert group["count"] == 2
        assert group["contacts"][0] == {name: one[name] for name in group["contacts"][0]}

    @pytest.mark.parametrize(
        "pair",
        [
            ({"email": "sarah@engine.org"}, {"email": "sarah@other.org"}),
            ({"email": "a@engine.org"}, {"email": "b@engine.org"}),
            ({"firstName": "Sarah", "lastName": "Kim"}, {"firstName": "Sarah", "lastName": "Kim"}),
            ({"company": "Acme"}, {"company": "Acme"}),
            ({"firstName": "Sarah", "company": "Acme"}, {"firstName": "Sarah", "company": "Acme"}),
            ({"firstName": "A", "lastName": "B", "company": "C"}, {"firstName": "A", "lastName": "B", "company": "D"}),
        ],
    )
    def test_is_not_who_has_less(self, team: Team, pair: tuple[dict[str, Any], dict[str, Any]]) -> None:
        for fields in pair:
            team.owner.contact(**fields)
        assert groups(team.owner) == []

    def test_is_more_who_has_more_in_common(self, team: Team) -> None:
        name = {"firstName": "Sarah", "lastName": "Kim"}
        both = [team.owner.contact(**name, email=f"sarah.kim{tail}@engine.org")["id"] for tail in ("", "+a")]
        phone = [team.owner.contact(phone="+14155552671", lastName=last)["id"] for last in ("A", "B", "C")]
        found = groups(team.owner)
        assert told(found) == [(["mailbox", "name_domain"], both), (["phone"], phone)]
        assert [group["score"] for group in found] == [0.94, 0.8]

    def test_is_nobody_any_more_once_they_are_one(self, team: Team) -> None:
        one, two = (team.owner.contact(**fields) for fields in PAIRS["mailbox"])
        (group,) = groups(team.owner)
        winner, loser = (contact["id"] for contact in group["contacts"])
        dry = ok(team.owner.post(f"/contacts/{winner}/merge", {"loserId": loser, "dryRun": True}))["data"]
        assert (dry["contact"]["id"], dry["loserId"]) == (one["id"], two["id"])
        ok(team.owner.post(f"/contacts/{winner}/merge", {"loserId": loser}))
        assert groups(team.owner) == []

    def test_of_very_many_the_first_are_shown(self, team: Team) -> None:
        made = [team.owner.contact(phone="+14155552671", lastName=f"L{number}")["id"] for number in range(12)]
        (group,) = groups(team.owner)
        assert (group["count"], [contact["id"] for contact in group["contacts"]]) == (12, made[:10])


class TestTheList:
    def test_goes_on_behind_a_cursor(self, team: Team) -> None:
        for number in range(7):
            for tail in ("", "+a"):
                team.owner.contact(email=f"a{number}{tail}@engine.org")
        whole, found, cursor = groups(team.owner), [], None
        while True:
            params = {"limit": 2, **({} if cursor is None else {"cursor": cursor})}
            answer = ok(team.owner.get("/contacts/duplicates", params=params))
            found += answer["data"]
            assert answer["meta"]["total"] == 7
            if (cursor := answer["meta"]["nextCursor"]) is None:
                break
        assert found == whole
        assert len(found) == 7
        assert groups(team.owner, limit=3, page=2) == whole[3:6]
        assert ok(team.owner.get("/contacts/duplicates", params={"offset": 50}))["meta"]["total"] == 7

    def test_a_cursor_of_another_list_is_refused(self, team: Team) -> None:
        for number in range(2):
            team.owner.contact(email=f"a{number}@engine.org")
        cursor = ok(team.owner.get("/contacts", params={"limit": 1}))["meta"]["nextCursor"]
        refused(team.owner.get("/contacts/duplicates", params={"cursor": cursor}), 400, "cursor")

    def test_a_limited_member_sees_who_is_theirs_alone(self, team: Team) -> None:
        me = str(team.limited.account_id)
        mine = [team.owner.contact(email=f"a{tail}@engine.org", assignedTo=me)["id"] for tail in ("", "+b")]
        team.owner.contact(email="a+c@engine.org")
        assert told(groups(team.limited)) == [(["mailbox"], mine)]
        assert groups(team.viewer)[0]["count"] == 3

    def test_another_workspace_has_its_own(self, team: Team, others: Team) -> None:
        team.owner.contact(phone="+14155552671", lastName="A")
        others.owner.contact(phone="+14155552671", lastName="B")
        assert groups(team.owner) == groups(others.owner) == []
