"""Smart lists over HTTP: saved views of the contacts, all at once."""

from __future__ import annotations

from typing import Any

from tests.api.asserting import ok, refused
from tests.api.team import Member, Team

LEADS = {"name": "Leads", "query": {"groups": [{"conditions": [{"field": "tags", "op": "contains", "value": "lead"}]}]}}
VIEWS = "/contacts/views"


def saved(member: Member, *views: dict[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ok(member.ask("PUT", VIEWS, json={"views": list(views)}))["data"]
    return found


def names(member: Member) -> list[str]:
    return [view["name"] for view in member.listed(VIEWS)]


def test_they_are_saved_as_a_whole_and_shared_by_the_workspace(team: Team) -> None:
    assert team.owner.listed(VIEWS) == []
    (leads, everyone) = saved(
        team.owner, {**LEADS, "sort": "-createdAt", "columns": ["name"]}, {"name": "All", "q": "kim"}
    )
    assert (leads["query"], leads["sort"], leads["columns"]) == (LEADS["query"], "-createdAt", ["name"])
    assert (everyone["query"], everyone["q"]) == ({"groups": []}, "kim")
    assert team.member.listed(VIEWS) == [leads, everyone]


def test_the_list_alone_is_taken_too(team: Team) -> None:
    (leads,) = ok(team.owner.ask("PUT", VIEWS, json=[LEADS]))["data"]
    assert team.owner.listed(VIEWS) == [leads]
    refused(team.owner.ask("PUT", VIEWS, json=[{"name": " "}]), 422, "views[0].name")


def test_those_with_an_id_are_changed_others_made_and_the_rest_deleted(team: Team) -> None:
    first, second = saved(team.owner, LEADS, {"name": "Gone"})
    again = saved(team.owner, {"name": "New"}, {**LEADS, "id": first["id"], "name": "Hot leads"})
    assert [view["name"] for view in again] == names(team.owner) == ["New", "Hot leads"]
    assert (again[1]["id"], again[1]["version"]) == (first["id"], 2)
    refused(team.owner.ask("PUT", VIEWS, json={"views": [{"name": "A", "id": second["id"]}]}), 422, "views[0].id")
    assert names(team.owner) == ["New", "Hot leads"]
    assert saved(team.owner) == []


def test_those_that_were_read_are_sent_back_as_they_are_with_another(team: Team) -> None:
    saved(team.owner, LEADS)
    read = team.owner.listed("/contacts/views")
    again = saved(team.owner, *read, {"name": "All"})
    assert again[0] == read[0]
    assert [view["name"] for view in again] == [LEADS["name"], "All"]


def test_a_name_given_up_is_free_for_another_at_once(team: Team) -> None:
    saved(team.owner, LEADS)
    (again,) = saved(team.owner, LEADS)
    assert again["name"] == "Leads"


def test_what_is_not_acceptable_is_named(team: Team) -> None:
    def put(*views: dict[str, Any]) -> Any:
        return team.owner.ask("PUT", VIEWS, json={"views": list(views)})

    planet = {"groups": [{"conditions": [{"field": "planet", "op": "eq", "value": 1}]}]}
    refused(put({"name": "A", "query": planet}), 422, "views[0].query.groups[0].conditions[0].field", says="planet")
    refused(put({"name": "A"}, {"name": "á"}), 422, "views", says="name")
    refused(put({"name": "A", "sort": "planet"}), 422, "views[0].sort")
    refused(put({"name": "A"}, {"name": " "}), 422, "views[1].name")
    refused(put(*({"name": f"A{number}"} for number in range(101))), 422, "views")
    assert team.owner.listed(VIEWS) == []


def test_viewers_see_them_and_do_not_save_them(team: Team) -> None:
    saved(team.member, LEADS)
    assert names(team.viewer) == ["Leads"]
    refused(team.viewer.ask("PUT", VIEWS, json={"views": []}), 403)
