"""Importing deals over HTTP: what rows may name, which deal they are about, and what is not taken."""

from __future__ import annotations

from typing import Any

import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Member, Team, created

Thing = dict[str, Any]
STAGES = [{"name": "Lead", "probability": 0.1}, {"name": "Proposal"}, {"name": "Closed Won", "type": "won"}]


@pytest.fixture
def sales(team: Team) -> Thing:
    return created(team.owner.post("/pipelines", {"name": "New Business", "stages": STAGES}))


def imported(who: Member, **body: Any) -> Thing:
    """What came of it; every row is accounted for."""
    done: Thing = ok(who.post("/deals/import", body))["data"]
    assert done["total"] == done["created"] + done["updated"] + done["skipped"] + done["errorCount"]
    return done


def counts(done: Thing) -> tuple[int, int, int, int]:
    return done["created"], done["updated"], done["skipped"], done["errorCount"]


def at_fault(done: Thing) -> list[tuple[int, str]]:
    return [(error["row"], error["field"]) for error in done["errors"]]


def test_rows_name_pipeline_stage_contact_company_and_owner(team: Team, sales: Thing) -> None:
    created(team.owner.post("/pipelines", {"name": "Renewals", "stages": STAGES}))
    contact, company = team.owner.contact(email="ann@example.com"), team.owner.company("Größe AG")
    header = (
        "Deal Name,Amount,Currency,Pipeline,Deal Stage,Contact Email,Company,Owner Email,Close Date,Probability,Seats"
    )
    row = f'Northwind,"€42,000.50",eur,new business,PROPOSAL,Ann@Example.com,grosse ag,{team.owner.email},15.5.2026,55%,120'
    answer = team.owner.ask("POST", "/deals/import", content=f"{header}\n{row}\n", headers={"content-type": "text/csv"})
    done = ok(answer)["data"]
    assert (counts(done), done["mapping"]["Seats"]) == ((1, 0, 0, 0), "custom.Seats")
    (deal,) = team.owner.listed("/deals")
    assert deal == {
        **deal,
        "name": "Northwind",
        "value": 42000.5,
        "currency": "EUR",
        "pipelineId": sales["id"],
        "stageId": sales["stages"][1]["id"],
        "contactId": contact["id"],
        "companyId": company["id"],
        "assignedTo": str(team.owner.account_id),
        "expectedCloseDate": "2026-05-15",
        "probability": 0.55,
        "customFields": {"Seats": "120"},
    }


def test_the_same_rows_again_make_nothing_new(team: Team, sales: Thing) -> None:
    contact = team.owner.contact(email="ann@example.com")
    deals = [
        {"name": "Northwind", "value": 1.5, "contactId": contact["id"]},
        {"name": "Northwind", "value": 2, "customFields": {"a": 1}},
        {"name": "NORTHWIND", "value": 3},
    ]
    assert counts(imported(team.owner, deals=deals)) == (2, 1, 0, 0)
    assert counts(imported(team.owner, deals=deals[:1])) == (0, 0, 1, 0)
    changed = [{"name": "Northwind", "contact": "ann@example.com", "stage": "Closed Won", "value": 9}]
    assert counts(imported(team.owner, deals=changed, skipDuplicates=True)) == (0, 0, 1, 0)
    assert counts(imported(team.owner, deals=changed)) == (0, 1, 0, 0)
    (deal,) = team.owner.listed("/deals", contactId=contact["id"])
    assert (deal["value"], deal["status"]) == (9, "won")
    assert {told["value"] for told in team.owner.listed("/deals")} == {9, 3}


def test_a_deal_goes_to_the_only_pipeline_and_its_first_stage_worth_nothing(team: Team, sales: Thing) -> None:
    assert counts(imported(team.owner, rows=[{"Name": "A"}])) == (1, 0, 0, 0)
    (deal,) = team.owner.listed("/deals")
    assert (deal["stageId"], deal["value"], deal["currency"]) == (sales["stages"][0]["id"], 0, "USD")
    created(team.owner.post("/pipelines", {"name": "Other"}))
    assert at_fault(imported(team.owner, rows=[{"Name": "A"}])) == [(1, "pipeline")]
    same = {"pipelineId": sales["id"], "stage": "Proposal"}
    assert counts(imported(team.owner, rows=[{"Name": "B"}], constantValues=same)) == (1, 0, 0, 0)
    assert [deal["name"] for deal in team.owner.listed("/deals", stageId=sales["stages"][1]["id"])] == ["B"]


def test_each_row_is_refused_by_itself_with_the_field_at_fault(team: Team, others: Team, sales: Thing) -> None:
    for _ in range(2):
        team.owner.company("Twice")
    others.owner.contact(email="theirs@example.com")
    deals = [
        {"name": " ", "value": 1},
        {"name": "A", "value": 1.005},
        {"name": "A", "value": -1, "currency": "XXX"},
        {"name": "A", "pipeline": "Nowhere"},
        {"name": "A", "stage": "Nowhere"},
        {"name": "A", "contact": "theirs@example.com"},
        {"name": "A", "company": "Twice"},
        {"name": "A", "owner": "nobody@example.com"},
        {"name": "A", "stageId": sales["id"]},
        {"name": "A", "stage": "Closed Won", "status": "lost"},
        {"name": "A", "planet": "Mars"},
        {"name": "Fine", "value": 1},
    ]
    done = imported(team.owner, deals=deals)
    assert counts(done) == (1, 0, 0, 11)
    names = [
        "name",
        "value",
        "value",
        "currency",
        "pipeline",
        "stage",
        "contact",
        "company",
        "owner",
        "stageId",
        "status",
    ]
    assert [field for _, field in at_fault(done)] == [*names, "planet"]
    assert [deal["name"] for deal in team.owner.listed("/deals")] == ["Fine"]


def test_a_limited_member_finds_and_makes_only_what_is_theirs(team: Team, sales: Thing) -> None:
    team.owner.contact(email="hidden@example.com")
    imported(team.owner, deals=[{"name": "Northwind", "value": 1}])
    assert at_fault(imported(team.limited, deals=[{"name": "A", "contact": "hidden@example.com"}])) == [(1, "contact")]
    assert counts(imported(team.limited, deals=[{"name": "Northwind", "value": 2}])) == (1, 0, 0, 0)
    (deal,) = team.limited.listed("/deals")
    assert (deal["value"], deal["assignedTo"]) == (2, str(team.limited.account_id))


def test_a_larger_import_is_a_job(team: Team, sales: Thing) -> None:
    answer = team.owner.post("/deals/import", {"deals": [{"name": "A", "value": 1}]}, params={"async": "true"})
    done = ok(answer, 202)["data"]
    job = team.owner.shown(f"/jobs/{done['jobId']}")
    assert (job["kind"], job["status"], job["total"]) == ("deal_import", "processing", 1)
    assert answer.headers["location"] == f"/api/v1/jobs/{done['jobId']}"


def test_what_is_no_import_of_deals_is_refused(team: Team) -> None:
    refused(team.owner.post("/deals/import", {}), 422, "deals")
    refused(team.owner.post("/deals/import", {"deals": [], "tags": ["a"]}), 422, "tags")
    refused(team.owner.post("/deals/import", {"rows": [{"Amount": "1"}]}), 422, "mapping", says="name")
    refused(
        team.owner.post("/deals/import", {"deals": [], "constantValues": {"value": "much"}}),
        422,
        "constantValues.value",
    )
    refused(team.viewer.post("/deals/import", {"deals": []}), 403)
    refused(team.key("deals:read").post("/deals/import", {"deals": []}), 403)
