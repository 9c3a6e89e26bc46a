"""Contacts that are asked for by groups of conditions, or by any of their fields."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Member, Team

SEARCH = "/contacts/search"


@pytest.fixture
def people(team: Team) -> Team:
    team.owner.contact(
        firstName="Ada",
        lastName="Kim",
        tags=["VIP"],
        source="Fair",
        notes="Likes Malt",
        customFields={"size": "XL", "n": 38},
    )
    team.owner.contact(firstName="Ben", lastName="Lee", tags=["lead"], dnc=True, email="ben@example.com")
    team.owner.contact(
        firstName="Cleo", lastName="Kim", company="Acme", phone="+14155552671", customFields={"size": "s"}
    )
    return team


def asked(member: Member, *groups: list[tuple[Any, ...]], **more: Any) -> list[str]:
    query = {
        "groups": [
            {"conditions": [dict(zip(("field", "op", "value"), given, strict=False)) for given in group]}
            for group in groups
        ]
    }
    return [contact["firstName"] for contact in ok(member.post(SEARCH, {"query": query, **more}))["data"]]


class TestByConditions:
    def test_all_of_one_group_must_hold_whichever_group(self, people: Team) -> None:
        assert asked(people.owner, [("lastName", "eq", "Kim"), ("tags", "contains", "VIP")]) == ["Ada"]
        assert asked(people.owner, [("tags", "contains", "VIP")], [("dnc", "eq", True)]) == ["Ben", "Ada"]

    def test_without_conditions_all_are_meant(self, people: Team) -> None:
        assert asked(people.owner) == ["Cleo", "Ben", "Ada"]
        assert asked(people.owner, []) == ["Cleo", "Ben", "Ada"]
        assert len(ok(people.owner.post(SEARCH, {}))["data"]) == 3

    @pytest.mark.parametrize(
        ("given", "found"),
        [
            (("name", "contains", "ada k"), ["Ada"]),
            (("email", "eq", "BEN@example.com"), ["Ben"]),
            (("phone", "contains", "415"), ["Cleo"]),
            (("phone", "eq", "(415) 555-2671"), ["Cleo"]),
            (("company", "eq", "ACME"), ["Cleo"]),
            (("source", "eq", "fair"), ["Ada"]),
            (("notes", "contains", "malt"), ["Ada"]),
            (("tags", "contains", "lead"), ["Ben"]),
            (("dnc", "eq", True), ["Ben"]),
            (("created_at", "after", "2020-01-01"), ["Cleo", "Ben", "Ada"]),
            (("custom.size", "eq", "xl"), ["Ada"]),
        ],
    )
    def test_every_documented_field_can_be_asked_for(
        self, people: Team, given: tuple[Any, ...], found: list[str]
    ) -> None:
        assert asked(people.owner, [given]) == found

    def test_words_are_searched_for_within_the_conditions(self, people: Team) -> None:
        assert asked(people.owner, [("lastName", "eq", "Kim")], q="cleo") == ["Cleo"]

    def test_so_many_are_answered_from_an_offset(self, people: Team) -> None:
        answer = ok(people.owner.post(SEARCH, {"limit": 2, "offset": 1}))
        assert [contact["firstName"] for contact in answer["data"]] == ["Ben", "Ada"]
        assert (answer["meta"]["limit"], answer["meta"]["total"]) == (2, 3)
        assert asked(people.owner, sort="firstName") == ["Ada", "Ben", "Cleo"]

    def test_what_cannot_be_asked_is_refused_by_name(self, people: Team) -> None:
        def search(**body: Any) -> Any:
            return people.owner.post(SEARCH, body)

        wrong = {"groups": [{"conditions": [{"field": "planet", "op": "eq", "value": "Mars"}]}]}
        refused(search(query=wrong), 422, "query.groups[0].conditions[0].field", says="planet")
        refused(search(limit=101), 422, "limit")
        refused(search(offset=-1), 422, "offset")
        refused(search(sort="planet"), 422, "sort")
        refused(search(q="a\0b", sort="x" * 300), 422, "q", "sort")
        assert search(query={"groups": [{"conditions": [{"field": "email", "op": "like"}]}]}).status_code == 422

    def test_who_sees_only_what_is_theirs_finds_only_that(self, people: Team) -> None:
        people.owner.contact(firstName="Mine", assignedTo=str(people.limited.account_id))
        assert asked(people.limited) == ["Mine"]


class TestByAnyField:
    @pytest.mark.parametrize(
        ("params", "found"),
        [
            ({"firstName": "ada"}, ["Ada"]),
            ({"last_name": "KIM", "order_by": "first_name"}, ["Ada", "Cleo"]),
            ({"size": "xl"}, ["Ada"]),
            ({"n": "38"}, ["Ada"]),
            ({"custom.size": "S"}, ["Cleo"]),
            ({"dnc": "true"}, ["Ben"]),
            ({"tags": "VIP"}, ["Ada"]),
            ({"lastName": "Kim", "size": "s"}, ["Cleo"]),
            ({"email": "nobody@example.com"}, []),
            ({"planet": "Mars"}, []),
            ({"search": "kim", "order_by": "firstName", "page": 2, "per_page": 1}, ["Cleo"]),
        ],
    )
    def test_all_that_is_given_must_hold(self, people: Team, params: dict[str, Any], found: list[str]) -> None:
        assert [contact["firstName"] for contact in people.owner.listed(SEARCH, **params)] == found

    def test_what_a_field_cannot_be_is_refused(self, people: Team) -> None:
        refused(people.owner.get(SEARCH, params={"dnc": "perhaps"}), 400, "dnc")
        refused(people.owner.get(SEARCH, params={"assignedTo": "me"}), 422, "assignedTo")
        refused(people.owner.get(SEARCH, params={f"f{number}": "x" for number in range(21)}), 400)
        refused(people.owner.get(SEARCH, params={"order_by": "planet"}), 422, "sort")
