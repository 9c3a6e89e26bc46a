"""Deals over HTTP: what the documents say of them, and what becomes of them with what they refer to."""

from __future__ import annotations

from typing import Any

import pytest

from eventstore.ids import new_id
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created

Thing = dict[str, Any]

STAGES = [
    {"name": "Lead", "probability": 0.1},
    {"name": "Proposal", "probability": 0.6},
    {"name": "Closed Won", "probability": 1, "type": "won"},
]


@pytest.fixture
def sales(team: Team) -> Thing:
    return created(team.owner.post("/pipelines", {"name": "New Business", "stages": STAGES}))


def place(pipeline: Thing, stage: int = 0) -> Thing:
    return {"pipelineId": pipeline["id"], "stageId": pipeline["stages"][stage]["id"]}


def add(who: Member, pipeline: Thing, stage: int = 0, **fields: Any) -> Thing:
    return created(who.post("/deals", {"name": "Northwind", "value": 42000, **place(pipeline, stage), **fields}))


def path(deal: Thing) -> str:
    return f"/deals/{deal['id']}"


def events(who: Member, thing: Thing) -> list[str]:
    """What happened to it, in order."""
    return [told["event"] for told in reversed(who.listed("/activities", entityId=thing["id"]))]


def test_one_is_created_in_a_stage_of_a_pipeline(team: Team, sales: Thing) -> None:
    contact, company = team.owner.contact(), team.owner.company()
    fields = {
        "contactId": contact["id"],
        "companyId": company["id"],
        "assignedTo": str(team.member.account_id),
        "expectedCloseDate": "2026-05-15",
        "customFields": {"seats": 120},
    }
    deal = add(team.owner, sales, 0, **fields)
    shown = {"name": "Northwind", "value": 42000, "currency": "USD", "status": "open", "probability": 0.1}
    assert deal == {
        **shown,
        **place(sales),
        **fields,
        "id": deal["id"],
        "createdAt": deal["createdAt"],
        "updatedAt": deal["createdAt"],
        "version": 1,
    }
    assert team.owner.listed("/deals") == [deal]


def test_name_value_pipeline_and_stage_are_needed(team: Team, sales: Thing) -> None:
    whole = {"name": "Northwind", "value": 42000, **place(sales)}
    for name in whole:
        body = {key: value for key, value in whole.items() if key != name}
        refused(team.owner.post("/deals", body), 422, name)
    refused(team.owner.post("/deals", {**whole, "amount": 1}), 422, "amount")
    refused(team.owner.post("/deals", {**whole, "value": "much"}), 422, "value")
    refused(team.owner.post("/deals", {**whole, "value": -1, "probability": 2}), 422, "probability", "value")
    refused(team.owner.post("/deals", {**whole, "expectedCloseDate": "May"}), 422, "expectedCloseDate")


def test_the_stage_must_be_one_of_the_pipeline(team: Team, others: Team, sales: Thing) -> None:
    renewals = created(team.owner.post("/pipelines", {"name": "Renewals", "stages": STAGES}))
    foreign = created(others.owner.post("/pipelines", {"name": "Theirs", "stages": STAGES}))
    body = {"name": "A", "value": 1}
    mixed = {"pipelineId": sales["id"], "stageId": renewals["stages"][0]["id"]}
    refused(team.owner.post("/deals", {**body, **mixed}), 422, "stageId")
    refused(team.owner.post("/deals", {**body, **place(foreign)}), 422, "pipelineId")
    refused(team.owner.post("/deals", {**body, **place(sales), "stageId": str(new_id())}), 422, "stageId")
    deal = add(team.owner, sales)
    refused(team.owner.patch(path(deal), {"stageId": renewals["stages"][0]["id"]}), 422, "stageId")
    refused(team.owner.patch(path(deal), {"pipelineId": renewals["id"]}), 422, "stageId")
    moved = ok(team.owner.patch(path(deal), place(renewals, 1)))["data"]
    assert {name: moved[name] for name in place(renewals, 1)} == place(renewals, 1)


@pytest.mark.parametrize(
    ("sent", "currency", "told"),
    [("42000", "USD", "42000"), ("42000.50", "EUR", "42000.50"), ("1.125", "KWD", "1.125"), ("7", "JPY", "7")],
)
def test_value_is_in_whole_units_with_the_decimals_of_its_currency(
    team: Team, sales: Thing, sent: str, currency: str, told: str
) -> None:
    ids = "".join(f', "{name}": "{value}"' for name, value in place(sales).items())
    body = f'{{"name": "A", "currency": "{currency}", "value": {sent}{ids}}}'
    answer = team.owner.ask("POST", "/deals", content=body, headers={"content-type": "application/json"})
    assert f'"value":{told},' in answer.text


def test_more_decimals_than_the_currency_has_are_refused(team: Team, sales: Thing) -> None:
    for value, currency in ((1.005, "USD"), (1.5, "JPY"), (1.0005, "KWD"), (1e15, "USD")):
        body = {"name": "A", "value": value, "currency": currency, **place(sales)}
        refused(team.owner.post("/deals", body), 422, "value")
    refused(team.owner.post("/deals", {"name": "A", "value": 1, "currency": "XXX", **place(sales)}), 422, "currency")


def test_the_currency_is_the_pipelines_unless_given(team: Team) -> None:
    euros = created(team.owner.post("/pipelines", {"name": "EU", "currency": "EUR", "stages": STAGES}))
    assert add(team.owner, euros)["currency"] == "EUR"
    assert add(team.owner, euros, currency="chf")["currency"] == "CHF"


def test_one_is_got_with_its_pipeline_stage_contact_and_company(team: Team, sales: Thing) -> None:
    contact, company = team.owner.contact(tags=["VIP"]), team.owner.company()
    deal = add(team.owner, sales, 1, contactId=contact["id"], companyId=company["id"])
    stage = team.owner.listed(f"/pipelines/{sales['id']}/stages")[1]
    pipeline = {"id": sales["id"], "name": "New Business"}
    related = {"pipeline": pipeline, "stage": stage, "contact": contact, "company": company}
    answer = team.owner.get(path(deal))
    assert ok(answer)["data"] == {**deal, **related}
    assert answer.headers["etag"] == '"1"'
    bare = add(team.owner, sales)
    assert [team.owner.shown(path(bare))[name] for name in ("contact", "company")] == [None, None]
    refused(team.owner.get(f"/deals/{new_id()}"), 404, says="deal")


def test_it_is_got_without_what_the_caller_may_not_see(team: Team, sales: Thing) -> None:
    mine, company = str(team.limited.account_id), team.owner.company()
    deal = add(team.owner, sales, contactId=team.owner.contact()["id"], companyId=company["id"], assignedTo=mine)
    shown = team.limited.shown(path(deal))
    assert (shown["contact"], shown["company"]["id"]) == (None, company["id"])
    for scopes, seen in ((["contacts:read"], (True, False)), (["companies:read"], (False, True)), ([], (False, False))):
        shown = team.key("deals:read", *scopes).shown(path(deal))
        assert tuple(shown[name] is not None for name in ("contact", "company")) == seen


def test_they_come_with_the_one_changed_last_first_in_pages_of_fifty(team: Team, sales: Thing) -> None:
    first, second, third = (add(team.owner, sales, name=name) for name in "ABC")
    ok(team.owner.patch(path(first), {"value": 1}))
    answer = ok(team.owner.get("/deals"))
    assert [deal["id"] for deal in answer["data"]] == [first["id"], third["id"], second["id"]]
    assert answer["meta"] == {"page": 1, "limit": 50, "total": 3, "totalPages": 1, "nextCursor": None}
    refused(team.owner.get("/deals", params={"limit": 101}), 400, "limit")


@pytest.mark.parametrize(
    ("sort", "names"),
    [("name", "ABC"), ("-value", "CAB"), ("value", "BAC"), ("expectedCloseDate", "BCA"), ("createdAt", "CAB")],
)
def test_they_are_sorted_and_read_to_the_end_by_cursor(team: Team, sales: Thing, sort: str, names: str) -> None:
    add(team.owner, sales, name="C", value=9000, expectedCloseDate="2026-06-01")
    add(team.owner, sales, name="A", value=800.5)
    add(team.owner, sales, name="B", value=800.25, expectedCloseDate="2026-05-01")
    found, params = [], {"sort": sort, "limit": 1}
    while True:
        answer = ok(team.owner.get("/deals", params=params))
        found += [deal["name"] for deal in answer["data"]]
        if (cursor := answer["meta"]["nextCursor"]) is None:
            break
        params["cursor"] = cursor
    assert "".join(found) == names


def test_they_are_filtered_by_pipeline_stage_assignee_status_contact_and_company(team: Team, sales: Thing) -> None:
    renewals = created(team.owner.post("/pipelines", {"name": "Renewals", "stages": STAGES}))
    contact, company, member = team.owner.contact(), team.owner.company(), str(team.member.account_id)
    one = add(team.owner, sales, 1, assignedTo=member, contactId=contact["id"], companyId=company["id"])
    won = add(team.owner, renewals, 2, name="Acme")
    for params in (
        {"pipelineId": sales["id"]},
        {"stageId": sales["stages"][1]["id"]},
        {"assignedTo": member},
        {"status": "open"},
        {"contactId": contact["id"]},
        {"companyId": company["id"]},
        {"search": "north"},
        {"pipelineId": sales["id"], "status": "open", "assignedTo": member},
    ):
        assert [deal["id"] for deal in team.owner.listed("/deals", **params)] == [one["id"]]
    assert [deal["id"] for deal in team.owner.listed("/deals", status="won")] == [won["id"]]
    assert team.owner.listed("/deals", status="lost") == []
    refused(team.owner.get("/deals", params={"status": "closed"}), 400, "status")
    refused(team.owner.get("/deals", params={"stage": "x"}), 400, "stage")


def test_changing_the_stage_moves_it(team: Team, sales: Thing) -> None:
    deal = add(team.owner, sales)
    moved = ok(team.owner.patch(path(deal), {"stageId": sales["stages"][1]["id"], "value": 48000}))["data"]
    assert (moved["stageId"], moved["value"], moved["version"]) == (sales["stages"][1]["id"], 48000, 3)
    assert events(team.owner, deal) == ["deal.created", "deal.updated", "deal.stage_changed"]
    told = team.owner.listed("/activities", entityType="deal", action="updated")[0]
    assert told["changes"] == {
        "stageId": {"from": sales["stages"][0]["id"], "to": sales["stages"][1]["id"]},
        "stageName": {"from": "Lead", "to": "Proposal"},
    }


@pytest.mark.parametrize("status", ["won", "lost"])
def test_changing_the_status_closes_it_and_opens_it_again(team: Team, sales: Thing, status: str) -> None:
    deal = add(team.owner, sales)
    closed = ok(team.owner.patch(path(deal), {"status": status}))["data"]
    assert (closed["status"], closed["stageId"]) == (status, deal["stageId"])
    assert ok(team.owner.patch(path(deal), {"status": "open"}))["data"]["status"] == "open"
    assert events(team.owner, deal) == ["deal.created", f"deal.{status}", "deal.reopened"]
    changes = [told["changes"] for told in team.owner.listed("/activities", entityId=deal["id"], action="updated")]
    assert changes == [{"status": {"from": status, "to": "open"}}, {"status": {"from": "open", "to": status}}]
    refused(team.owner.patch(path(deal), {"status": "closed"}), 422, "status")


def test_a_stage_for_won_deals_wins_what_enters_it(team: Team, sales: Thing) -> None:
    deal = add(team.owner, sales)
    won = sales["stages"][2]["id"]
    assert ok(team.owner.patch(path(deal), {"stageId": won}))["data"]["status"] == "won"
    refused(team.owner.patch(path(deal), {"status": "lost"}), 422, "status", says="Closed Won")
    assert ok(team.owner.patch(path(deal), {"stageId": deal["stageId"]}))["data"]["status"] == "open"
    assert events(team.owner, deal)[1:] == ["deal.stage_changed", "deal.won", "deal.stage_changed", "deal.reopened"]


def test_it_is_as_likely_as_its_stage_unless_it_says(team: Team, sales: Thing) -> None:
    deal = add(team.owner, sales)
    ok(team.owner.patch(f"/pipelines/{sales['id']}/stages/{deal['stageId']}", {"probability": 0.2}))
    assert team.owner.shown(path(deal))["probability"] == 0.2
    assert ok(team.owner.patch(path(deal), {"probability": 0.55}))["data"]["probability"] == 0.55
    moved = ok(team.owner.patch(path(deal), {"stageId": sales["stages"][1]["id"]}))["data"]
    assert moved["probability"] == 0.55
    assert ok(team.owner.patch(path(deal), {"probability": None}))["data"]["probability"] == 0.6


def test_only_given_fields_change_and_custom_fields_are_merged(team: Team, sales: Thing) -> None:
    deal = add(team.owner, sales, customFields={"seats": 120, "tier": "gold"}, expectedCloseDate="2026-05-15")
    body = {"customFields": {"seats": None, "region": "EU"}, "expectedCloseDate": None}
    changed = ok(team.owner.patch(path(deal), body))["data"]
    fresh = {"updatedAt": changed["updatedAt"], "version": 2}
    assert changed == {**deal, "customFields": {"tier": "gold", "region": "EU"}, "expectedCloseDate": None, **fresh}
    assert ok(team.owner.patch(path(deal), {"name": "Northwind"}))["data"]["version"] == 2
    refused(team.owner.patch(path(deal), {"name": "A"}, headers={"if-match": '"1"'}), 412)
    refused(team.owner.patch(path(deal), {"name": None}), 422, "name")
    refused(team.owner.patch(f"/deals/{new_id()}", {"name": "A"}), 404)


def test_custom_fields_are_held_to_their_definitions(team: Team, sales: Thing) -> None:
    buyer = {"name": "Buyer", "key": "buyer", "type": "related", "entity": "deal"}
    seats = {"name": "Seats", "key": "seats", "type": "number", "entity": "deal", "required": True}
    defined = [created(team.owner.post("/custom-fields", field)) for field in (buyer, seats)]
    contact = team.owner.contact()
    deal = add(team.owner, sales, customFields={"seats": "120", "buyer": contact["id"], "free": "as it is"})
    assert deal["customFields"] == {"seats": 120, "buyer": contact["id"], "free": "as it is"}
    body = {"name": "Northwind", "value": 1, **place(sales)}
    refused(team.owner.post("/deals", body), 422, "customFields.seats", says="is required")
    refused(team.owner.patch(path(deal), {"customFields": {"seats": "many"}}), 422, "customFields.seats")
    gone(team.owner.delete(f"/contacts/{contact['id']}"))
    assert team.owner.shown(path(deal))["customFields"] == {"seats": 120, "free": "as it is"}
    gone(team.owner.delete(f"/custom-fields/{defined[1]['id']}"))
    assert team.owner.shown(path(deal))["customFields"] == {"free": "as it is"}


def test_one_is_deleted(team: Team, sales: Thing) -> None:
    deal = add(team.owner, sales)
    gone(team.owner.delete(path(deal)))
    refused(team.owner.get(path(deal)), 404)
    assert team.owner.listed("/deals") == []
    assert events(team.owner, deal) == ["deal.created", "deal.deleted"]


def test_it_stays_without_its_contact_and_company_when_these_are_deleted(team: Team, sales: Thing) -> None:
    contact, company = team.owner.contact(), team.owner.company()
    deal = add(team.owner, sales, contactId=contact["id"], companyId=company["id"])
    gone(team.owner.delete(f"/contacts/{contact['id']}"))
    gone(team.owner.delete(f"/companies/{company['id']}"))
    shown = team.owner.shown(path(deal))
    assert [shown[name] for name in ("contactId", "contact", "companyId", "company")] == [None] * 4


def test_what_it_refers_to_is_of_the_workspace(team: Team, others: Team, sales: Thing) -> None:
    deal = add(team.owner, sales)
    theirs = {
        "contactId": others.owner.contact()["id"],
        "companyId": others.owner.company()["id"],
        "assignedTo": str(others.owner.account_id),
    }
    for name, value in theirs.items():
        refused(team.owner.post("/deals", {"name": "A", "value": 1, **place(sales), name: value}), 422, name)
        refused(team.owner.patch(path(deal), {name: value}), 422, name)


class TestOpportunities:
    def test_are_the_deals_with_a_contact_the_one_changed_last_first(self, team: Team, sales: Thing) -> None:
        contact, other = team.owner.contact(), team.owner.contact()
        first, second = (add(team.owner, sales, contactId=contact["id"]) for _ in range(2))
        add(team.owner, sales, contactId=other["id"])
        first = ok(team.owner.patch(path(first), {"status": "lost"}))["data"]
        answer = ok(team.owner.get(f"/contacts/{contact['id']}/opportunities"))
        assert answer["data"] == [first, second]
        assert answer["meta"] == {"page": 1, "limit": 50, "total": 2, "totalPages": 1, "nextCursor": None}
        assert len(team.owner.listed(f"/contacts/{contact['id']}/opportunities", limit=1, page=2)) == 1

    def test_of_a_contact_that_is_not_there_are_not_found(self, team: Team, others: Team) -> None:
        refused(team.owner.get(f"/contacts/{new_id()}/opportunities"), 404, says="contact")
        refused(team.owner.get(f"/contacts/{others.owner.contact()['id']}/opportunities"), 404, says="contact")

    def test_are_for_a_limited_member_theirs_of_contacts_that_are_theirs(self, team: Team, sales: Thing) -> None:
        mine = str(team.limited.account_id)
        contact, hidden = team.owner.contact(assignedTo=mine), team.owner.contact()
        deal = add(team.owner, sales, contactId=contact["id"], assignedTo=mine)
        add(team.owner, sales, contactId=contact["id"])
        add(team.owner, sales, contactId=hidden["id"], assignedTo=mine)
        assert team.limited.listed(f"/contacts/{contact['id']}/opportunities") == [deal]
        refused(team.limited.get(f"/contacts/{hidden['id']}/opportunities"), 404, says="contact")


class TestLimitedMembers:
    def test_see_change_and_make_only_theirs(self, team: Team, sales: Thing) -> None:
        mine = add(team.owner, sales, assignedTo=str(team.limited.account_id))
        hidden = add(team.owner, sales)
        assert [deal["id"] for deal in team.limited.listed("/deals")] == [mine["id"]]
        for method, body in (("GET", None), ("PATCH", {"status": "won"}), ("DELETE", None)):
            refused(team.limited.ask(method, path(hidden), json=body), 404, says="deal")
        ok(team.limited.patch(path(mine), {"stageId": sales["stages"][1]["id"], "status": "lost"}))
        assert add(team.limited, sales)["assignedTo"] == str(team.limited.account_id)

    def test_end_no_contact_that_a_deal_of_others_is_with(self, team: Team, sales: Thing) -> None:
        """It would change that deal; what the contact itself is called is theirs to say."""
        contact = team.owner.contact(assignedTo=str(team.limited.account_id))
        hidden = add(team.owner, sales, contactId=contact["id"])
        ok(team.limited.patch(f"/contacts/{contact['id']}", {"firstName": "Ada"}))
        before = team.owner.shown(path(hidden))
        refused(team.limited.delete(f"/contacts/{contact['id']}"), 403, says="deal that you may not see")
        assert team.owner.shown(path(hidden)) == before
        ok(team.owner.patch(path(hidden), {"assignedTo": str(team.limited.account_id)}))
        gone(team.limited.delete(f"/contacts/{contact['id']}"))

    def test_may_give_one_away_and_move_it_in_one_go(self, team: Team, sales: Thing) -> None:
        mine = add(team.limited, sales)
        body = {"assignedTo": str(team.owner.account_id), "stageId": sales["stages"][1]["id"]}
        assert ok(team.limited.patch(path(mine), body))["data"]["stageId"] == body["stageId"]
        refused(team.limited.get(path(mine)), 404)


def test_a_viewer_reads_and_writes_nothing(team: Team, sales: Thing) -> None:
    deal = add(team.owner, sales)
    assert team.viewer.listed("/deals") == [deal]
    for method, body in (("PATCH", {"name": "A"}), ("DELETE", None)):
        refused(team.viewer.ask(method, path(deal), json=body), 403)


def test_a_key_needs_its_scope(team: Team, sales: Thing) -> None:
    refused(team.key("contacts:write").get("/deals"), 403)
    assert team.key("deals:read").listed("/deals") == []
    refused(team.key("deals:read").post("/deals", {"name": "A", "value": 1, **place(sales)}), 403)
    add(team.key("deals:write"), sales)


def test_a_webhook_may_ask_for_their_events(team: Team) -> None:
    wanted = ["contact.created", "deal.created", "deal.stage_changed"]
    assert (
        created(team.owner.post("/webhooks", {"url": "https://hooks.example.com", "events": wanted}))["events"]
        == wanted
    )
