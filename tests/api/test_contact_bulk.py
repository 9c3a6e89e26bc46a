"""Bulk operations over HTTP, carried out by a worker: each thing by itself."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx

from tests.api.asserting import refused
from tests.api.conftest import Done
from tests.api.team import Member, Team, created


def ids(*things: dict[str, Any]) -> list[str]:
    return [thing["id"] for thing in things]


def the(member: Member, *contacts: dict[str, Any]) -> list[dict[str, Any]]:
    return [member.shown(f"/contacts/{contact['id']}") for contact in contacts]


def test_the_same_changes_are_made_to_all(team: Team, done: Done) -> None:
    some = [team.owner.contact() for _ in range(3)]
    other = team.owner.contact()
    updates = {"source": "fair", "customFields": {"hall": 4}, "tags": ["met"]}
    job = done(team.owner.post("/bulk/contacts/update", {"ids": [*ids(*some), some[0]["id"]], "updates": updates}))
    assert (job["kind"], job["total"], job["updated"], job["errors"]) == ("contact_update", 3, 3, 0)
    for contact in the(team.owner, *some):
        assert (contact["source"], contact["customFields"], contact["tags"]) == ("fair", {"hall": 4}, ["met"])
    assert the(team.owner, other) == [other]
    again = done(team.owner.post("/bulk/contacts/update", {"ids": ids(*some), "updates": updates}))
    assert (again["updated"], again["skipped"]) == (0, 3)


def test_what_cannot_be_done_to_one_is_told_of_it_and_keeps_no_other(team: Team, done: Done) -> None:
    first, second = team.owner.contact(firstName="A"), team.owner.contact(firstName="B")
    missing = str(uuid4())
    body = {"ids": [first["id"], missing, second["id"]], "updates": {"email": "one@example.com"}}
    job = done(team.owner.post("/bulk/contacts/update", body))
    assert (job["updated"], job["errors"]) == (1, 2)
    told = [(error["row"], error["field"]) for error in job["errorDetails"]]
    assert told[0] == (2, "id")
    assert told[1][0] == 3
    assert missing in job["errorDetails"][0]["message"]
    assert the(team.owner, first)[0]["email"] == "one@example.com"
    assert the(team.owner, second) == [second]


def test_many_are_deleted(team: Team, done: Done) -> None:
    some = [team.owner.contact() for _ in range(3)]
    kept = team.owner.contact()
    job = done(team.owner.post("/bulk/contacts/delete", {"ids": ids(*some)}))
    assert (job["kind"], job["deleted"]) == ("contact_deletion", 3)
    assert ids(*team.owner.listed("/contacts")) == [kept["id"]]


def test_all_tags_are_put_on_all(team: Team, done: Done) -> None:
    bearing, bare = team.owner.contact(tags=["VIP"]), team.owner.contact()
    body = {"ids": ids(bearing, bare), "tags": ["vip", "New one"]}
    job = done(team.owner.post("/bulk/contacts/tag", body))
    assert (job["kind"], job["updated"]) == ("contact_tagging", 2)
    assert [contact["tags"] for contact in the(team.owner, bearing, bare)] == [["VIP", "New one"]] * 2


def test_deals_change_stage_and_worth_with_events_of_their_own(team: Team, done: Done) -> None:
    pipeline = created(
        team.owner.post("/pipelines", {"name": "Sales", "stages": [{"name": "New"}, {"name": "Won over"}]})
    )
    new, won = team.owner.listed(f"/pipelines/{pipeline['id']}/stages")
    deal = {"name": "Hops", "value": 50, "pipelineId": pipeline["id"], "stageId": new["id"]}
    some = [created(team.owner.post("/deals", deal)) for _ in range(2)]
    job = done(
        team.owner.post("/bulk/deals/update", {"ids": ids(*some), "updates": {"value": 5000, "stageId": won["id"]}})
    )
    assert (job["kind"], job["updated"]) == ("deal_update", 2)
    for found in team.owner.listed("/deals"):
        assert (found["value"], found["stageId"]) == (5000, won["id"])


def test_a_filter_stands_for_all_of_which_it_holds_when_it_is_asked(team: Team, done: Done) -> None:
    leads = [team.owner.contact(tags=["lead"]) for _ in range(120)]
    team.owner.contact()
    wanted = {"match": "all", "conditions": [{"field": "tags", "operator": "has", "value": "lead"}]}
    answer = team.owner.post("/bulk/contacts/update", {"filter": wanted, "updates": {"tags": ["customer"]}})
    late = team.owner.contact(tags=["lead"])
    job = done(answer)
    assert (job["total"], job["updated"]) == (120, 120)
    assert len(team.owner.listed("/contacts", tag="customer", limit=100)) == 100
    assert ids(*team.owner.listed("/contacts", tag="lead")) == [late["id"]]
    assert len(leads) == 120


def test_what_holds_for_no_contact_at_all_is_refused_at_once(team: Team) -> None:
    some = ids(team.owner.contact())

    def update(**body: Any) -> httpx.Response:
        return team.owner.post("/bulk/contacts/update", body)

    for updates, field in (
        ({"email": "nobody"}, "updates.email"),
        ({"planet": "Mars"}, "updates.planet"),
        ({"assignedTo": str(uuid4())}, "updates.assignedTo"),
        ({"companyId": str(uuid4())}, "updates.companyId"),
        ({"addTagId": str(uuid4())}, "updates.addTagId"),
        ({"tags": [" "]}, "updates.tags"),
    ):
        refused(update(ids=some, updates=updates), 422, field)
    refused(update(ids=some, updates={}), 422, says="something to change")
    refused(update(updates={"source": "x"}), 422, "ids")
    refused(update(ids=[], updates={"source": "x"}), 422, "ids")
    refused(update(ids=[str(uuid4()) for _ in range(1001)], updates={"source": "x"}), 422, "ids")
    refused(update(ids=some, filter={"match": "all"}, updates={"source": "x"}), 422, "ids")
    wrong = {"match": "all", "conditions": [{"field": "planet", "operator": "is_set"}]}
    refused(update(filter=wrong, updates={"source": "x"}), 422, "filter.conditions[0].field")
    assert team.owner.listed("/jobs") == []


def test_who_sees_only_what_is_theirs_changes_only_that(team: Team, done: Done) -> None:
    mine = team.owner.contact(firstName="Mine", assignedTo=str(team.limited.account_id))
    hidden = team.owner.contact(firstName="Hidden")
    for body in ({"ids": ids(mine, hidden)}, {"filter": {"match": "all"}}):
        job = done(
            team.limited.post(
                "/bulk/contacts/update", {**body, "updates": {"source": f"fair {len(body)}{body.keys()}"}}
            )
        )
        assert job["updated"] == 1
    assert the(team.owner, hidden) == [hidden]
    job = done(team.limited.post("/bulk/contacts/delete", {"ids": ids(mine, hidden)}))
    assert (job["deleted"], job["errors"]) == (1, 1)
    assert ids(*team.owner.listed("/contacts")) == [hidden["id"]]
