"""Segments over HTTP: contacts of which a filter holds, counted, shown and listed."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created


def condition(field: str, operator: str, value: Any = None) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}


def matching(match: str, *conditions: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"match": match, "conditions": list(conditions), **more}


VIP = matching("all", condition("tags", "has", "VIP"))


@pytest.fixture
def people(team: Team) -> Team:
    acme = team.owner.company("Acme", industry="Brewing")
    team.owner.contact(firstName="Ada", tags=["VIP"], companyId=acme["id"], customFields={"size": 38})
    team.owner.contact(firstName="Ben", tags=["VIP", "lead"], customFields={"size": 5})
    team.owner.contact(firstName="Cleo", companyId=acme["id"], source="fair", dnc=True)
    return team


def previewed(member: Member, wanted: dict[str, Any]) -> list[str]:
    answer = ok(member.post("/segments/preview", {"filter": wanted}))["data"]
    assert answer["count"] == len(answer["contacts"])
    return sorted(contact["firstName"] for contact in answer["contacts"])


def test_one_is_created_shown_changed_and_deleted(people: Team) -> None:
    segment = created(people.owner.post("/segments", {"name": "VIPs", "filter": VIP, "crossWorkspace": True}))
    assert segment["filter"] == {**VIP, "groups": []}
    assert (segment["name"], segment["description"], segment["crossWorkspace"]) == ("VIPs", None, True)
    path = f"/segments/{segment['id']}"
    changed = ok(people.owner.patch(path, {"filter": matching("any", condition("dnc", "eq", value=True))}))["data"]
    assert changed["filter"]["match"] == "any"
    assert changed["name"] == "VIPs"
    assert [found["id"] for found in people.owner.listed("/segments")] == [segment["id"]]
    assert people.owner.shown(path) == changed
    gone(people.owner.delete(path))
    refused(people.owner.get(path), 404, says="segment")


def test_its_contacts_are_those_of_which_its_filter_holds_now(people: Team) -> None:
    segment = created(people.owner.post("/segments", {"name": "VIPs", "filter": VIP}))
    path = f"/segments/{segment['id']}/contacts"
    assert [contact["firstName"] for contact in people.owner.listed(path)] == ["Ben", "Ada"]
    people.owner.contact(firstName="Dora", tags=["vip"])
    answer = ok(people.owner.get(path, params={"limit": 2, "sort": "firstName"}))
    assert [contact["firstName"] for contact in answer["data"]] == ["Ada", "Ben"]
    assert (answer["meta"]["total"], answer["meta"]["totalPages"]) == (3, 2)
    rest = people.owner.listed(path, limit=2, sort="firstName", cursor=answer["meta"]["nextCursor"])
    assert [contact["firstName"] for contact in rest] == ["Dora"]
    assert [contact["firstName"] for contact in people.owner.listed(path, search="ben")] == ["Ben"]


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        (matching("all"), ["Ada", "Ben", "Cleo"]),
        (matching("any"), []),
        (matching("all", condition("tags", "has", "VIP"), condition("tags", "not_has", "lead")), ["Ada"]),
        (matching("any", condition("tags", "has", "lead"), condition("source", "eq", "FAIR")), ["Ben", "Cleo"]),
        (matching("all", condition("company.industry", "eq", "brewing")), ["Ada", "Cleo"]),
        (matching("all", condition("company.industry", "is_not_set")), ["Ben"]),
        (matching("all", condition("custom.size", "gt", 5)), ["Ada"]),
        (matching("all", condition("custom.size", "in", [5, 38])), ["Ada", "Ben"]),
        (matching("all", condition("custom.size", "is_empty")), ["Cleo"]),
        (matching("all", condition("first_name", "starts_with", "c")), ["Cleo"]),
        (matching("all", condition("createdAt", "after", "2020-01-01"), condition("dnc", "neq", value=True)), ["Ada", "Ben"]),
        (
            matching("all", condition("tags", "is_set"), groups=[matching("any", condition("name", "contains", "d"))]),
            ["Ada"],
        ),
    ],
)  # fmt: skip
def test_a_filter_is_tried_out_with_its_count_and_contacts(
    people: Team, wanted: dict[str, Any], found: list[str]
) -> None:
    assert previewed(people.owner, wanted) == found


@pytest.mark.parametrize("field", ["email", "source", "jobTitle", "phone", "birthday", "company.industry", "custom.x"])
@pytest.mark.parametrize("operator", ["lt", "lte"])
def test_what_is_not_set_is_before_nothing(team: Team, field: str, operator: str) -> None:
    team.owner.contact(firstName="Ada")
    assert previewed(team.owner, matching("all", condition(field, operator, "9999-01-01"))) == []


@pytest.mark.parametrize(
    ("field", "days", "found"),
    [
        ("birthday", ["1815-12-10", "1990-02-28"], ["Ada", "Ben"]),
        ("birthday", ["1815-12-10"], ["Ada"]),
        ("createdAt", ["2020-01-01"], []),
        ("createdAt", ["2020-01-01", "today"], ["Ada", "Ben", "Cleo"]),
    ],
)
def test_dates_and_times_are_asked_for_by_several(team: Team, field: str, days: list[str], found: list[str]) -> None:
    team.owner.contact(firstName="Ada", birthday="1815-12-10")
    team.owner.contact(firstName="Ben", birthday="1990-02-28")
    today = team.owner.contact(firstName="Cleo")["createdAt"][:10]
    asked = [today if day == "today" else day for day in days]
    assert previewed(team.owner, matching("all", condition(field, "in", asked))) == found


def test_who_has_no_deal_has_nothing_set_in_any(people: Team) -> None:
    """As who has no company has no industry."""
    ada, ben, _ = people.owner.listed("/contacts", sort="firstName")
    people.owner.deal(contactId=ada["id"], expectedCloseDate="2027-01-01")
    people.owner.deal(contactId=ben["id"])
    assert previewed(people.owner, matching("all", condition("deals.id", "is_not_set"))) == ["Cleo"]
    assert previewed(people.owner, matching("all", condition("deals.name", "is_empty"))) == ["Cleo"]
    assert previewed(people.owner, matching("all", condition("deals.expectedCloseDate", "is_not_set"))) == [
        "Ben",
        "Cleo",
    ]
    assert previewed(people.owner, matching("all", condition("deals.id", "is_set"))) == ["Ada", "Ben"]


def test_a_preview_shows_fifty_and_counts_all(team: Team) -> None:
    for _ in range(52):
        team.owner.contact()
    answer = ok(team.owner.post("/segments/preview", {"filter": matching("all")}))["data"]
    assert (answer["count"], len(answer["contacts"])) == (52, 50)
    assert answer["contacts"][0].keys() == {"id", "name", "email", "firstName", "lastName"}


@pytest.mark.parametrize(
    ("wanted", "field"),
    [
        (matching("all", condition("planet", "eq", "Mars")), "filter.conditions[0].field"),
        (matching("all", condition("company.planet", "eq", "Mars")), "filter.conditions[0].field"),
        (matching("all", condition("email", "has", "x")), "filter.conditions[0].operator"),
        (matching("all", condition("dnc", "eq", "yes")), "filter.conditions[0].value"),
        (matching("all", condition("createdAt", "after", "soon")), "filter.conditions[0].value"),
        (matching("all", condition("assignedTo", "eq", "me")), "filter.conditions[0].value"),
        (matching("all", condition("email", "is_set", "x")), "filter.conditions[0].value"),
        (matching("all", condition("email", "sounds_like", "x")), "filter.conditions[0].operator"),
        (matching("some", condition("email", "eq", "x")), "filter.match"),
        (matching("all", {"field": "email"}), "filter.conditions[0].operator"),
        (matching("all", {**condition("email", "eq", "x"), "planet": 1}), "filter.conditions[0].planet"),
    ],
)
def test_what_cannot_be_asked_is_refused_by_name(team: Team, wanted: dict[str, Any], field: str) -> None:
    for answer in (
        team.owner.post("/segments/preview", {"filter": wanted}),
        team.owner.post("/segments", {"name": "A", "filter": wanted}),
    ):
        assert field in str(refused(answer, 422)["details"])


def test_more_than_a_hundred_conditions_are_refused(team: Team) -> None:
    many = matching("all", *[condition("email", "is_set")] * 101)
    refused(team.owner.post("/segments", {"name": "A", "filter": many}), 422, says="100 conditions")


def test_members_read_them_and_admins_write_them(people: Team) -> None:
    body = {"name": "VIPs", "filter": VIP}
    refused(people.member.post("/segments", body), 403)
    segment = created(people.admin.post("/segments", body))
    assert people.member.shown(f"/segments/{segment['id']}") == segment
    assert previewed(people.member, VIP) == ["Ada", "Ben"]


def test_deals_are_asked_for_that_the_caller_sees(people: Team) -> None:
    (ada,) = people.owner.listed("/contacts", search="ada")
    people.owner.patch(f"/contacts/{ada['id']}", {"assignedTo": str(people.limited.account_id)})
    pipeline = created(people.owner.post("/pipelines", {"name": "Sales", "stages": [{"name": "New"}]}))
    (stage,) = people.owner.listed(f"/pipelines/{pipeline['id']}/stages")
    deal = {"name": "Hops", "value": 50, "pipelineId": pipeline["id"], "stageId": stage["id"], "contactId": ada["id"]}
    created(people.owner.post("/deals", deal))
    worth = matching("all", condition("deals.value", "gt", 40))
    assert previewed(people.owner, worth) == ["Ada"]
    assert previewed(people.limited, worth) == []
    created(people.owner.post("/deals", {**deal, "assignedTo": str(people.limited.account_id)}))
    assert previewed(people.limited, worth) == ["Ada"]


def test_a_key_asks_for_nothing_that_it_may_not_read(people: Team) -> None:
    key = people.key("contacts:read", "companies:read")
    assert previewed(key, matching("all", condition("company.industry", "eq", "brewing"))) == ["Ada", "Cleo"]
    answer = key.post("/segments/preview", {"filter": matching("all", condition("deals.value", "gt", 40))})
    refused(answer, 422, "filter.conditions[0].field")


def test_who_sees_only_what_is_theirs_is_counted_only_that(people: Team) -> None:
    people.owner.contact(firstName="Mine", tags=["VIP"], assignedTo=str(people.limited.account_id))
    segment = created(people.owner.post("/segments", {"name": "VIPs", "filter": VIP}))
    assert previewed(people.limited, VIP) == ["Mine"]
    theirs = people.limited.listed(f"/segments/{segment['id']}/contacts")
    assert [contact["firstName"] for contact in theirs] == ["Mine"]
