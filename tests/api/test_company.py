"""Companies over HTTP: what the documents say of them, and the contacts that belong to them."""

from __future__ import annotations

from typing import Any

import pytest

from eventstore.ids import new_id
from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created

ACME = {
    "name": "Acme Corp",
    "domain": "acme.example",
    "industry": "Brewing",
    "size": "11-50",
    "address": {"street": "1 Market Street", "city": "San Francisco", "state": "CA", "zip": "94105", "country": "US"},
}


@pytest.fixture
def acme(team: Team) -> dict[str, Any]:
    return created(team.owner.post("/companies", ACME))


def path(company: dict[str, Any]) -> str:
    return f"/companies/{company['id']}"


def test_one_is_created_shown_changed_and_deleted(team: Team, acme: dict[str, Any]) -> None:
    assert {name: acme[name] for name in ACME} == ACME
    assert acme["contactCount"] == 0
    answer = team.owner.patch(path(acme), {"size": "51-200"}, headers={"if-match": '"1"'})
    assert ok(answer)["data"] == {
        **acme,
        "size": "51-200",
        "updatedAt": answer.json()["data"]["updatedAt"],
        "version": 2,
    }
    refused(team.owner.patch(path(acme), {"size": "1-10"}, headers={"if-match": '"1"'}), 412)
    gone(team.owner.delete(path(acme)))
    refused(team.owner.get(path(acme)), 404, says="company")


def test_one_has_custom_fields_as_they_are_defined(team: Team) -> None:
    field = {"name": "Since", "key": "customer_since", "type": "date", "entity": "company"}
    defined = created(team.owner.post("/custom-fields", field))
    acme = team.owner.company(customFields={"customer_since": " 2019-04-01", "free": 1, "nothing": None})
    assert acme["customFields"] == {"customer_since": "2019-04-01", "free": 1}
    refused(
        team.owner.patch(path(acme), {"customFields": {"customer_since": "soon"}}), 422, "customFields.customer_since"
    )
    changed = ok(team.owner.patch(path(acme), {"customFields": {"free": None, "more": ["a"]}}))["data"]
    assert changed["customFields"] == {"customer_since": "2019-04-01", "more": ["a"]}
    many = {f"field {number}": number for number in range(199)}
    refused(team.owner.patch(path(acme), {"customFields": many}), 422, "customFields", says="at most 200")
    gone(team.owner.delete(f"/custom-fields/{defined['id']}"))
    assert team.owner.shown(path(acme))["customFields"] == {"more": ["a"]}


def test_what_is_not_acceptable_is_named(team: Team) -> None:
    refused(team.owner.post("/companies", {"name": " ", "domain": "acme"}), 422, "name", "domain")
    refused(team.owner.post("/companies", {"name": "A", "size": "12"}), 422, "size")
    refused(team.owner.post("/companies", {"name": "A", "address": {"planet": "Mars"}}), 422, "address.planet")
    refused(team.owner.post("/companies", {"domain": "acme.example"}), 422, "name")


def test_they_come_newest_first_in_pages_of_fifty_with_their_contact_counts(team: Team, acme: dict[str, Any]) -> None:
    other = created(team.owner.post("/companies", {"name": "Zeta"}))
    for _ in range(2):
        team.owner.contact(companyId=acme["id"])
    answer = ok(team.owner.get("/companies"))
    assert [(company["id"], company["contactCount"]) for company in answer["data"]] == [
        (other["id"], 0),
        (acme["id"], 2),
    ]
    assert (answer["meta"]["limit"], answer["meta"]["total"]) == (50, 2)
    assert [company["name"] for company in team.owner.listed("/companies", sort="name")] == ["Acme Corp", "Zeta"]


def test_they_are_searched_by_name(team: Team, acme: dict[str, Any]) -> None:
    created(team.owner.post("/companies", {"name": "Größe & Söhne"}))
    assert [company["name"] for company in team.owner.listed("/companies", search="ACME")] == ["Acme Corp"]
    assert [company["name"] for company in team.owner.listed("/companies", search="sohne gross")] == ["Größe & Söhne"]
    assert team.owner.listed("/companies", search="nobody") == []


def test_one_is_shown_with_the_contacts_that_belong_to_it(team: Team, acme: dict[str, Any]) -> None:
    first, second = (team.owner.contact(firstName=name, companyId=acme["id"], tags=["VIP"]) for name in "AB")
    team.owner.contact(firstName="C")
    shown = team.owner.shown(path(acme))
    assert shown["contacts"] == [team.owner.shown(f"/contacts/{contact['id']}") for contact in (second, first)]
    assert shown["contactCount"] == 2
    assert team.owner.listed("/contacts", companyId=acme["id"]) == shown["contacts"]


def test_its_deletion_keeps_its_contacts_and_takes_away_the_link_alone(team: Team, acme: dict[str, Any]) -> None:
    contact = team.owner.contact(firstName="A", company="Acme", companyId=acme["id"])
    gone(team.owner.delete(path(acme)))
    after = team.owner.shown(f"/contacts/{contact['id']}")
    changed = {"companyId": None, "version": 2, "updatedAt": after["updatedAt"]}
    assert after == {**contact, **changed}
    (event,) = team.owner.listed("/activities", entityId=contact["id"], action="updated")
    assert event["changes"] == {"companyId": {"from": acme["id"], "to": None}}


def test_a_contact_moves_from_one_to_another_and_the_counts_with_it(team: Team, acme: dict[str, Any]) -> None:
    other = created(team.owner.post("/companies", {"name": "Other"}))
    contact = team.owner.contact(companyId=acme["id"])
    ok(team.owner.patch(f"/contacts/{contact['id']}", {"companyId": other["id"]}))
    assert [team.owner.shown(path(company))["contactCount"] for company in (acme, other)] == [0, 1]
    gone(team.owner.delete(f"/contacts/{contact['id']}"))
    assert team.owner.shown(path(other))["contactCount"] == 0


def test_a_contact_belongs_to_a_company_of_its_workspace_whichever_door_it_comes_by(
    team: Team, others: Team, acme: dict[str, Any]
) -> None:
    theirs = created(others.owner.post("/companies", {"name": "Theirs"}))
    contact = team.owner.contact(email="a@example.com")
    for company in (theirs["id"], str(new_id()), contact["id"]):
        refused(team.owner.post("/contacts", {"firstName": "A", "companyId": company}), 422, "companyId")
        refused(team.owner.patch(f"/contacts/{contact['id']}", {"companyId": company}), 422, "companyId")
        upsert = {"email": "a@example.com", "companyId": company}
        refused(team.owner.post("/contacts?onConflict=update", upsert), 422, "companyId")
        rows = [{"firstName": "B", "companyId": company}, {"firstName": "C", "companyId": acme["id"]}]
        for body in (
            {"contacts": rows},
            {"rows": rows, "mapping": {"firstName": "firstName", "companyId": "companyId"}},
        ):
            done = ok(team.owner.post("/contacts/import", {**body}))["data"]
            assert [(error["row"], error["field"]) for error in done["errors"]] == [(1, "companyId")]
    rows = [{"firstName": "B", "companyId": "not an id"}]
    mapping = {"firstName": "firstName", "companyId": "companyId"}
    done = ok(team.owner.post("/contacts/import", {"rows": rows, "mapping": mapping}))["data"]
    assert [(error["row"], error["field"]) for error in done["errors"]] == [(1, "companyId")]


def test_counts_tell_a_limited_member_of_nothing_but_theirs(team: Team, acme: dict[str, Any]) -> None:
    mine = team.owner.contact(companyId=acme["id"], assignedTo=str(team.limited.account_id), tags=["A", "B"])
    team.owner.contact(companyId=acme["id"], tags=["A"])
    assert team.owner.shown(path(acme))["contactCount"] == 2
    assert team.limited.shown(path(acme))["contactCount"] == 1
    assert [contact["id"] for contact in team.limited.shown(path(acme))["contacts"]] == [mine["id"]]
    assert [company["contactCount"] for company in team.limited.listed("/companies")] == [1]
    assert {tag["name"]: tag["contactCount"] for tag in team.owner.listed("/tags")} == {"A": 2, "B": 1}
    assert {tag["name"]: tag["contactCount"] for tag in team.limited.listed("/tags")} == {"A": 1, "B": 1}


def test_a_key_that_may_not_read_contacts_is_shown_none(team: Team, acme: dict[str, Any]) -> None:
    contact = team.owner.contact(companyId=acme["id"])
    without = team.key("companies:write").shown(path(acme))
    assert (without["contacts"], without["contactCount"]) == (None, 1)
    assert team.key("companies:read", "contacts:read").shown(path(acme))["contacts"] == [contact]


def test_a_webhook_may_ask_for_their_events(team: Team) -> None:
    webhook = {"url": "https://hooks.example.com", "events": ["company.created", "company.*"]}
    assert created(team.owner.post("/webhooks", webhook))["events"] == ["company.*", "company.created"]
