"""Custom fields that are defined are asked for as what they are, wherever contacts and deals are asked for."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import ok, refused
from tests.api.conftest import Done
from tests.api.team import Member, Team, created
from tests.api.test_contact_search import SEARCH, asked
from tests.api.test_custom_field import define
from tests.api.test_segment import condition, matching

TYPES: dict[str, dict[str, Any]] = {
    "score": {"type": "number"},
    "since": {"type": "date"},
    "met": {"type": "datetime"},
    "vip": {"type": "boolean"},
    "mail": {"type": "email"},
    "mobile": {"type": "phone"},
    "motto": {"type": "text"},
    "level": {"type": "select", "options": ["Größe XL", "Gold"]},
    "likes": {"type": "multi_select", "options": ["hops", "malt", "malt beer"]},
    "friend": {"type": "related"},
}


@pytest.fixture
def people(team: Team) -> Team:
    for key, more in TYPES.items():
        define(team, key=key, **more)
    ada = team.owner.contact(
        firstName="Ada",
        customFields={
            "score": 100,
            "since": "2024-01-15",
            "met": "2026-03-15T00:30:00+02:00",
            "vip": True,
            "mail": "Ada@Acme.example",
            "mobile": "(415) 555-2671",
            "motto": "Per Aspera",
            "level": "gold",
            "likes": ["hops", "malt beer"],
        },
    )
    team.owner.contact(
        firstName="Ben",
        customFields={
            "score": 9,
            "since": "2024-02-01",
            "met": "2026-03-14T22:30:00.5Z",
            "vip": False,
            "level": "größe xl",
            "likes": ["malt"],
            "friend": ada["id"],
        },
    )
    team.owner.contact(firstName="Cleo")
    return team


ASKED = [
    (("score", "gt", 9), ["Ada"]),
    (("score", "lt", 10), ["Ben"]),
    (("score", "in", [9, 100]), ["Ben", "Ada"]),
    (("score", "neq", 9), ["Cleo", "Ada"]),
    (("score", "is_not_set", None), ["Cleo"]),
    (("since", "before", "2024-01-16"), ["Ada"]),
    (("since", "eq", "2024-01-15T23:00:00-03:00"), []),
    (("since", "gte", "2024-01-15T23:00:00-03:00"), ["Ben"]),
    (("met", "eq", "2026-03-14T22:30:00Z"), ["Ada"]),
    (("met", "eq", "2026-03-15T00:30:00.500+02:00"), ["Ben"]),
    (("met", "gt", "2026-03-14T22:30:00Z"), ["Ben"]),
    (("met", "eq", "2026-03-14"), ["Ben", "Ada"]),
    (("met", "after", "2026-03-15"), []),
    (("vip", "eq", False), ["Ben"]),
    (("vip", "neq", True), ["Cleo", "Ben"]),
    (("mail", "eq", "ADA@acme.EXAMPLE"), ["Ada"]),
    (("mobile", "eq", "+1 415-555-2671"), ["Ada"]),
    (("mobile", "contains", "555-26"), ["Ada"]),
    (("motto", "starts_with", "per a"), ["Ada"]),
    (("level", "eq", "GROSSE XL"), ["Ben"]),
    (("likes", "contains", "Malt"), ["Ben"]),
    (("likes", "not_has", "hops"), ["Cleo", "Ben"]),
    (("likes", "in", ["hops", "malt"]), ["Ben", "Ada"]),
]


@pytest.mark.parametrize(("given", "found"), ASKED)
def test_each_type_is_compared_as_what_it_is(people: Team, given: tuple[Any, ...], found: list[str]) -> None:
    key, operator, value = given
    assert asked(people.owner, [(f"custom.{key}", operator, value)]) == found


def test_a_related_contact_is_asked_for_by_its_id(people: Team) -> None:
    (ada,) = people.owner.listed(SEARCH, firstName="Ada")
    assert asked(people.owner, [("custom.friend", "eq", ada["id"].upper())]) == ["Ben"]


@pytest.mark.parametrize(
    ("params", "found"),
    [({"score": "100.0"}, ["Ada"]), ({"vip": "TRUE"}, ["Ada"]), ({"since": "2024-02-01"}, ["Ben"])],
)
def test_a_query_string_has_their_values_as_text(people: Team, params: dict[str, str], found: list[str]) -> None:
    assert [contact["firstName"] for contact in people.owner.listed(SEARCH, **params)] == found


WRONG = [
    ("score", "eq", "many", "value"),
    ("score", "contains", 1, "operator"),
    ("since", "before", "soon", "value"),
    ("since", "before", "0001-01-01T00:00:00+05:00", "value"),
    ("met", "after", 7, "value"),
    ("met", "after", "2026-03-15T00:30:00", "value"),
    ("vip", "eq", "yes", "value"),
    ("motto", "eq", 38, "value"),
    ("motto", "eq", "a\0b", "value"),
    ("mobile", "before", "+1", "operator"),
    ("likes", "gt", "hops", "operator"),
    ("friend", "eq", "Ada", "value"),
]


@pytest.mark.parametrize(("key", "operator", "value", "where"), WRONG)
def test_what_they_cannot_be_is_refused_by_its_place(
    people: Team, key: str, operator: str, value: Any, where: str
) -> None:
    def ask(member: Member, path: str, body: Any, at: str) -> None:
        refused(member.post(path, body), 422, f"{at}.{where}", says=f"custom.{key}")

    wanted = condition(f"custom.{key}", operator, value)
    search = {"field": wanted["field"], "op": operator, "value": value}
    ask(people.owner, SEARCH, {"query": {"groups": [{"conditions": [search]}]}}, "query.groups[0].conditions[0]")
    kept = matching("all", wanted)
    ask(people.owner, "/segments", {"name": "S", "filter": kept}, "filter.conditions[0]")
    ask(people.owner, "/segments/preview", {"filter": kept}, "filter.conditions[0]")
    ask(people.owner, "/bulk/contacts/update", {"filter": kept, "updates": {"city": "B"}}, "filter.conditions[0]")


def test_a_smart_list_is_saved_with_what_can_be_asked(people: Team) -> None:
    def save(value: Any) -> Any:
        query = {"groups": [{"conditions": [{"field": "custom.score", "op": "gt", "value": value}]}]}
        return people.owner.ask("PUT", "/contacts/views", json={"views": [{"name": "High", "query": query}]})

    ok(save(10))
    refused(save("ten"), 422, "views[0].query.groups[0].conditions[0].value")


def test_a_query_string_with_what_they_cannot_be_is_refused(people: Team) -> None:
    refused(people.owner.get(SEARCH, params={"score": "many"}), 400, "score")
    refused(people.owner.get(SEARCH, params={"since": "soon"}), 422, "custom.since")


def test_a_segment_and_what_is_done_to_many_go_by_the_types(people: Team, done: Done) -> None:
    high = matching("all", condition("custom.score", "gt", 9))
    segment = created(people.owner.post("/segments", {"name": "High", "filter": high}))
    listed = people.owner.listed(f"/segments/{segment['id']}/contacts")
    assert [contact["firstName"] for contact in listed] == ["Ada"]
    job = done(people.owner.post("/bulk/contacts/update", {"filter": high, "updates": {"city": "Bonn"}}))
    assert (job["total"], job["updated"]) == (1, 1)


def test_deals_are_asked_for_by_their_own_definitions(team: Team, done: Done) -> None:
    define(team, key="seats", type="number", entity="deal")
    pipeline = created(team.owner.post("/pipelines", {"name": "Sales", "stages": [{"name": "New"}]}))
    (stage,) = team.owner.listed(f"/pipelines/{pipeline['id']}/stages")
    for seats in (9, 100):
        deal = {"name": f"D{seats}", "pipelineId": pipeline["id"], "stageId": stage["id"], "value": 0}
        created(team.owner.post("/deals", {**deal, "customFields": {"seats": seats}}))

    def update(value: Any) -> Any:
        wanted = matching("all", condition("custom.seats", "gt", value))
        return team.owner.post("/bulk/deals/update", {"filter": wanted, "updates": {"value": 5}})

    assert done(update(9))["updated"] == 1
    assert {deal["name"]: deal["value"] for deal in team.owner.listed("/deals")} == {"D9": 0, "D100": 5}
    refused(update("ten"), 422, "filter.conditions[0].value", says="custom.seats")


def test_a_number_without_a_country_code_is_of_the_region(team: Team) -> None:
    ok(team.owner.patch("/workspace", {"phoneRegion": "DE"}))
    define(team, key="mobile", type="phone")
    team.owner.contact(firstName="Ada", customFields={"mobile": "+49 30 901820"})
    assert asked(team.owner, [("custom.mobile", "eq", "030 901820")]) == ["Ada"]


def test_what_is_not_defined_or_not_any_more_is_asked_for_as_it_comes(team: Team) -> None:
    team.owner.contact(firstName="Ada", customFields={"score": "38"})
    by_text = [("custom.score", "eq", "38")]
    assert asked(team.owner, by_text) == ["Ada"]
    field = define(team, key="score", type="number")
    assert asked(team.owner, [("custom.score", "eq", 38)]) == []
    query = {"groups": [{"conditions": [{"field": "custom.score", "op": "eq", "value": "38"}]}]}
    refused(team.owner.post(SEARCH, {"query": query}), 422, "query.groups[0].conditions[0].value")
    team.owner.delete(f"/custom-fields/{field['id']}")
    team.owner.contact(firstName="Ben", customFields={"score": "38"})
    assert asked(team.owner, by_text) == ["Ben"]


def test_the_first_and_the_last_of_days_can_be_asked_for(team: Team) -> None:
    team.owner.contact(firstName="Ada")
    assert asked(team.owner, [("createdAt", "eq", "9999-12-31")]) == []
    assert asked(team.owner, [("birthday", "after", "0001-01-01")]) == []
    early = {"field": "birthday", "op": "after", "value": "0001-01-01T00:00:00+05:00"}
    refused(
        team.owner.post(SEARCH, {"query": {"groups": [{"conditions": [early]}]}}),
        422,
        "query.groups[0].conditions[0].value",
    )
