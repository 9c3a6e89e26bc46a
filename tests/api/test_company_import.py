"""Importing companies: by the same machinery as contacts, found again by name."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.api.asserting import ok, refused
from tests.api.team import Member, Team
from tests.logs import types, whole_log

DATA = Path(__file__).parent.parent / "data"
IMPORT = "/companies/import"


def by_csv(who: Member, content: bytes, **params: Any) -> httpx.Response:
    return who.ask("POST", IMPORT, content=content, params=params, headers={"content-type": "text/csv"})


def counts(answer: httpx.Response) -> tuple[int, int, int, int]:
    found = ok(answer)["data"]
    assert found["total"] == found["created"] + found["updated"] + found["skipped"] + found["errorCount"]
    return found["created"], found["updated"], found["skipped"], found["errorCount"]


def only(team: Team) -> dict[str, Any]:
    (found,) = team.owner.listed("/companies")
    return found


def test_a_real_file_becomes_companies_once(team: Team) -> None:
    content = (DATA / "organizations.csv").read_bytes()
    rows = content.count(b"\n") - 1
    assert counts(by_csv(team.owner, content)) == (rows, 0, 0, 0)
    (company,) = team.owner.listed("/companies", search="Guerra-Harmon")
    assert (company["domain"], company["industry"], company["size"]) == ("guzman.info", "Fundraising", "51-200")
    assert company["address"]["country"] == "Ghana"
    assert counts(by_csv(team.owner, content)) == (0, 0, rows, 0)


def test_objects_are_as_for_creating_one(team: Team) -> None:
    acme = {"name": "Acme", "domain": "https://acme.example/x", "address": {"city": "Paris"}}
    body = {"companies": [acme, {"name": ""}, {"nickname": "x"}, {"name": "Initech", "size": "big"}, 5]}
    answer = team.owner.post(IMPORT, body)
    assert counts(answer) == (1, 0, 0, 4)
    found = [(error["row"], error["field"]) for error in answer.json()["data"]["errors"]]
    assert found == [(2, "name"), (3, "nickname"), (4, "size"), (5, "row")]
    assert (only(team)["domain"], only(team)["address"]["city"]) == ("acme.example", "Paris")


def test_rows_are_text_by_column_with_a_mapping_and_constants(team: Team) -> None:
    body = {
        "rows": [{"Org": "Acme", "Town": "Paris", "Junk": 3}],
        "mapping": {"Org": "name", "Town": "address.city", "Junk": ""},
        "constantValues": {"industry": "Brewing", "address.country": "France"},
    }
    answer = team.owner.post(IMPORT, body)
    assert counts(answer) == (1, 0, 0, 0)
    assert answer.json()["data"]["mapping"] == {"Org": "name", "Town": "address.city", "Junk": None}
    found = only(team)
    assert (found["industry"], found["address"]["city"], found["address"]["country"]) == ("Brewing", "Paris", "France")


def test_columns_that_nothing_else_is_for_are_custom_fields(team: Team) -> None:
    team.owner.company("Acme", customFields={"Plan": "basic", "Region": "north"})
    assert counts(by_csv(team.owner, b"Name,Plan,Founded\nAcme,pro,1993\n")) == (0, 1, 0, 0)
    assert only(team)["customFields"] == {"Plan": "pro", "Region": "north", "Founded": "1993"}


def test_one_of_the_same_name_is_updated_or_left_as_it_is(team: Team) -> None:
    team.owner.company("Acme Corp", industry="Brewing", address={"street": "1 Market Street", "city": "Paris"})
    again = b"Name,City,Industry\n acme CORP ,London,\n"
    assert counts(by_csv(team.owner, again, skipDuplicates="true")) == (0, 0, 1, 0)
    assert only(team)["address"]["city"] == "Paris"
    assert counts(by_csv(team.owner, again)) == (0, 1, 0, 0)
    found = only(team)
    assert (found["name"], found["industry"]) == ("acme CORP", "Brewing")
    assert (found["address"]["street"], found["address"]["city"]) == ("1 Market Street", "London")


def test_rows_of_one_name_are_about_one_company(team: Team) -> None:
    assert counts(by_csv(team.owner, b"Name,Size\nAcme,\nacme,7\nACME,7\n")) == (1, 2, 0, 0)
    assert (only(team)["name"], only(team)["size"]) == ("ACME", "1-10")


def test_several_at_once_make_each_company_once(team: Team) -> None:
    content = b"Name\n" + b"".join(b"Company %d\n" % number for number in range(200))
    with ThreadPoolExecutor(3) as executor:
        found = list(executor.map(lambda _: counts(by_csv(team.owner, content)), range(3)))
    assert sorted(found) == [(0, 0, 200, 0), (0, 0, 200, 0), (200, 0, 0, 0)]


def test_a_row_that_cannot_be_read_or_accepted_is_no_refusal_of_the_others(team: Team) -> None:
    content = b'Name,Domain\nAcme,acme.example\n"In"itech,x\nHooli,no domain\nUmbrella,\n'
    answer = by_csv(team.owner, content)
    assert counts(answer) == (2, 0, 0, 2)
    found = [(error["row"], error["line"], error["field"]) for error in answer.json()["data"]["errors"]]
    assert found == [(2, 3, "row"), (3, 4, "domain")]


def test_a_table_without_names_is_refused_with_what_its_columns_were_taken_for(team: Team) -> None:
    refused(by_csv(team.owner, b"Town,Branch\nParis,Beer\n"), 422, "mapping", says="'Town' for address.city")
    assert team.owner.listed("/companies") == []


@pytest.mark.parametrize("option", ["tags", "tagIds", "source"])
def test_options_of_contacts_are_none_of_companies(team: Team, option: str) -> None:
    refused(team.owner.post(IMPORT, {"companies": [], option: []}), 422)
    files = {"file": ("companies.csv", b"Name\nAcme\n", "text/csv")}
    refused(team.owner.ask("POST", IMPORT, files=files, data={option: "x"}), 400, option)


def test_one_is_a_job_when_that_is_wanted(team: Team) -> None:
    answer = team.owner.post(IMPORT, {"companies": [{"name": "Acme"}]}, params={"async": "true"})
    found = ok(answer, 202)["data"]
    assert answer.headers["location"] == f"/api/v1/jobs/{found['jobId']}"
    job = team.owner.shown(f"/jobs/{found['jobId']}")
    assert (job["kind"], job["status"], job["total"]) == ("company_import", "processing", 1)
    assert team.owner.listed("/companies") == []


def test_what_follows_is_caused_by_it_in_the_log(team: Team) -> None:
    found = ok(team.owner.post(IMPORT, {"companies": [{"name": "Acme"}]}))["data"]
    pool = team.services.pool
    assert types(pool, team.workspace_id)[-3:] == [
        "company_import.started", "company.created", "company_import.completed"
    ]  # fmt: skip
    begun, made, _ = whole_log(pool, team.workspace_id)[-3:]
    assert str(begun.stream.id) == found["importId"]
    assert (made.meta.causation_id, str(made.meta.correlation_id)) == (begun.id, found["importId"])


def test_who_may_only_read_companies_imports_none(team: Team) -> None:
    refused(team.viewer.post(IMPORT, {"companies": [{"name": "Acme"}]}), 403)
    assert team.owner.listed("/companies") == []
