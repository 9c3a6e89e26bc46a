"""Contacts over HTTP: created, read, changed and deleted."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from functools import partial
from typing import Any
from uuid import UUID, uuid4

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created

FULL: dict[str, Any] = {
    "type": "organization",
    "firstName": "Joëlle",
    "lastName": "Van der Meer",
    "email": "joelle@example.be",
    "phone": "+32 2 555 01 47",
    "phoneExtension": "12",
    "company": "Brouwerij De Zwaan",
    "jobTitle": "Head of purchasing",
    "website": "https://zwaan.example.be",
    "source": "Trade fair",
    "status": "INACTIVE",
    "language": "nl-BE",
    "globallyUnsubscribed": True,
    "dnc": True,
    "communicationPreferences": {"email": "weekly"},
    "notes": "Met at stand 14.\nAsked for prices.",
    "birthday": "1984-11-02",
    "address": "Havenstraat 3",
    "city": "Mechelen",
    "state": "Antwerpen",
    "zipcode": "2800",
    "country": "Belgium",
    "customFields": {"employees": 38, "share": 0.5, "organic": True, "interests": ["hops", "malt"]},
}


class TestCreating:
    def test_every_documented_field_is_kept_and_answered(self, team: Team) -> None:
        fields = {**FULL, "assignedTo": str(team.member.account_id), "tags": ["VIP", "Fair 2026"]}
        contact = created(team.owner.post("/contacts", fields))
        assert {name: contact[name] for name in fields} == {**fields, "phone": "+3225550147"}
        assert contact["name"] == "Joëlle Van der Meer"
        assert [tag["name"] for tag in contact["tagDetails"]] == ["VIP", "Fair 2026"]
        assert contact["version"] == 1
        assert contact["createdAt"] == contact["updatedAt"]
        assert team.owner.shown(f"/contacts/{contact['id']}") == contact

    def test_the_answer_says_where_it_is_and_at_which_version(self, team: Team) -> None:
        answer = team.owner.post("/contacts", {"firstName": "Ann"})
        contact = created(answer)
        assert answer.headers["location"] == f"/api/v1/contacts/{contact['id']}"
        assert answer.headers["etag"] == '"1"'
        assert int(answer.headers["daybook-seq"]) == ok(team.owner.get("/log"))["meta"]["head"]
        assert UUID(contact["id"]).version == 7
        assert datetime.fromisoformat(contact["createdAt"]).tzinfo == UTC

    @pytest.mark.parametrize("field", ["firstName", "lastName", "email", "phone", "company"])
    def test_one_thing_that_says_who_it_is_is_enough(self, team: Team, field: str) -> None:
        value = {"email": "a@example.com", "phone": "+14155552671"}.get(field, "Somebody")
        assert created(team.owner.post("/contacts", {field: value}))["name"] == value

    def test_somebody_must_be_meant(self, team: Team) -> None:
        refused(team.owner.post("/contacts", {"city": "Berlin", "firstName": "  "}), 422, says="at least one of")

    def test_a_single_name_is_split_at_its_last_space(self, team: Team) -> None:
        contact = team.owner.contact(name=" Anna Maria Huber ")
        assert (contact["firstName"], contact["lastName"]) == ("Anna Maria", "Huber")
        assert team.owner.contact(name="Cher")["firstName"] == "Cher"

    def test_an_e_mail_address_is_optional_and_may_be_null(self, team: Team) -> None:
        assert team.owner.contact(firstName="A", email=None)["email"] is None
        assert team.owner.contact(firstName="B", email="")["email"] is None

    def test_an_e_mail_address_is_kept_in_lower_case(self, team: Team) -> None:
        assert team.owner.contact(email=" Sarah.Kim@Example.COM ")["email"] == "sarah.kim@example.com"

    def test_a_phone_number_is_kept_in_e164(self, team: Team) -> None:
        assert team.owner.contact(phone="(415) 555-2671")["phone"] == "+14155552671"
        assert team.owner.contact(phone="0049 30 901820")["phone"] == "+4930901820"
        contact = team.owner.contact(phone="+1 415 555 2672 ext. 9")
        assert (contact["phone"], contact["phoneExtension"]) == ("+14155552672", "9")

    def test_a_phone_number_without_a_country_is_of_the_workspaces_region(self, team: Team) -> None:
        ok(team.owner.patch("/workspace", {"phoneRegion": "DE"}))
        assert team.owner.contact(phone="030 901820")["phone"] == "+4930901820"

    def test_everything_wrong_is_said_at_once(self, team: Team) -> None:
        wrong = {"email": "nobody", "phone": "none", "website": "zwaan", "birthday": "2.11.1984", "language": "Dutch!"}
        refused(team.owner.post("/contacts", wrong), 422, "email", "website", "language", "birthday", "phone")

    @pytest.mark.parametrize(
        ("field", "value"),
        [
            ("type", "robot"),
            ("status", "active"),
            ("dnc", "yes"),
            ("firstName", 7),
            ("customFields", ["a"]),
            ("customFields", None),
            ("tags", "VIP"),
            ("assignedTo", "Olga"),
            ("globallyUnsubscribed", None),
        ],
    )
    def test_a_value_of_the_wrong_type_names_its_field(self, team: Team, field: str, value: Any) -> None:
        refused(team.owner.post("/contacts", {"firstName": "A", field: value}), 422, field)

    def test_an_unknown_field_is_refused_by_name(self, team: Team) -> None:
        refused(team.owner.post("/contacts", {"first_name": "A"}), 422, "first_name", says="not a known field")

    def test_it_is_assigned_to_members_only(self, team: Team, others: Team) -> None:
        stranger = str(others.owner.account_id)
        refused(team.owner.post("/contacts", {"firstName": "A", "assignedTo": stranger}), 422, "assignedTo")
        assert team.owner.contact(firstName="A", assignedTo=str(team.viewer.account_id))

    def test_nothing_of_a_refused_contact_is_written(self, team: Team) -> None:
        before = ok(team.owner.get("/log"))["meta"]["head"]
        refused(team.owner.post("/contacts", {"email": "nobody", "tags": ["New"]}), 422, "email")
        assert ok(team.owner.get("/log"))["meta"]["head"] == before
        assert team.owner.listed("/tags") == []


class TestAKnownEMailAddress:
    def test_is_a_conflict_that_names_the_contact(self, team: Team) -> None:
        known = team.owner.contact(email="sarah@example.com")
        error = refused(team.owner.post("/contacts", {"email": "SARAH@example.com"}), 409)
        assert error["existingId"] == known["id"]

    def test_is_an_update_where_that_is_asked_for(self, team: Team) -> None:
        known = team.owner.contact(email="sarah@example.com", company="Acme", customFields={"a": 1}, tags=["Old"])
        answer = team.owner.post(
            "/contacts?onConflict=update",
            {"email": "Sarah@Example.com", "phone": "+14155552671", "customFields": {"b": 2}, "tags": ["New"]},
        )
        contact = ok(answer)["data"]
        assert contact["id"] == known["id"]
        assert (contact["company"], contact["phone"]) == ("Acme", "+14155552671")
        assert contact["customFields"] == {"a": 1, "b": 2}
        assert contact["tags"] == ["Old", "New"]
        assert answer.headers["location"] == f"/api/v1/contacts/{known['id']}"
        assert answer.headers["etag"] == f'"{contact["version"]}"'

    def test_creates_where_it_is_not_known_yet(self, team: Team) -> None:
        assert team.owner.post("/contacts?onConflict=update", {"email": "new@example.com"}).status_code == 201
        assert team.owner.post("/contacts?onConflict=update", {"firstName": "No address"}).status_code == 201

    def test_made_by_many_at_once_is_one_that_all_others_update(self, team: Team) -> None:
        bodies = [{"email": "same@example.com", "firstName": f"Caller {number}"} for number in range(8)]
        with ThreadPoolExecutor(len(bodies)) as callers:
            answers = list(callers.map(partial(team.owner.post, "/contacts?onConflict=update"), bodies))
        assert sorted(answer.status_code for answer in answers) == [200] * 7 + [201]
        assert len(team.owner.listed("/contacts")) == 1

    def test_may_be_the_same_in_another_workspace(self, team: Team, others: Team) -> None:
        team.owner.contact(email="sarah@example.com")
        assert others.owner.contact(email="sarah@example.com")["email"] == "sarah@example.com"

    def test_is_free_again_when_its_contact_is_deleted_or_changes_it(self, team: Team) -> None:
        first = team.owner.contact(email="sarah@example.com")
        gone(team.owner.delete(f"/contacts/{first['id']}"))
        second = team.owner.contact(email="sarah@example.com")
        ok(team.owner.patch(f"/contacts/{second['id']}", {"email": "kim@example.com"}))
        assert team.owner.contact(email="sarah@example.com")

    def test_cannot_be_taken_by_a_change_either(self, team: Team) -> None:
        known = team.owner.contact(email="sarah@example.com")
        other = team.owner.contact(email="kim@example.com")
        answer = team.owner.patch(f"/contacts/{other['id']}", {"email": "sarah@example.com"})
        assert refused(answer, 409)["existingId"] == known["id"]
        assert team.owner.shown(f"/contacts/{other['id']}")["email"] == "kim@example.com"


class TestReading:
    def test_it_is_answered_with_its_version(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann")
        answer = team.owner.get(f"/contacts/{contact['id']}")
        assert ok(answer) == {"data": contact}
        assert answer.headers["etag"] == '"1"'

    @pytest.mark.parametrize("known", ['"1"', 'W/"1"', '"7", "1"', "*"])
    def test_who_has_this_version_is_not_sent_it_again(self, team: Team, known: str) -> None:
        contact = team.owner.contact(firstName="Ann")
        answer = team.owner.get(f"/contacts/{contact['id']}", headers={"if-none-match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == '"1"'

    def test_who_has_another_version_is(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann")
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"lastName": "Lee"}))
        answer = team.owner.get(f"/contacts/{contact['id']}", headers={"if-none-match": '"1"'})
        assert ok(answer)["data"]["lastName"] == "Lee"

    def test_a_tag_that_was_renamed_meanwhile_is_not_missed(self, team: Team) -> None:
        """A tag's name is shown on the contact, but changing it changes no contact: its version stays."""
        contact = team.owner.contact(firstName="Ann", tags=["Lead"])
        ok(team.owner.patch(f"/tags/{contact['tagDetails'][0]['id']}", {"name": "Customer"}))
        answer = team.owner.get(f"/contacts/{contact['id']}", headers={"if-none-match": '"1"'})
        assert ok(answer)["data"]["tags"] == ["Customer"]

    def test_what_is_not_there_is_not_found(self, team: Team) -> None:
        refused(team.owner.get(f"/contacts/{uuid4()}"), 404, says="contact")
        refused(team.owner.get("/contacts/nobody"), 404)


class TestChanging:
    def test_only_the_fields_given_change(self, team: Team) -> None:
        contact = created(team.owner.post("/contacts", FULL))
        answer = team.owner.patch(f"/contacts/{contact['id']}", {"company": "De Gans", "source": "Web"})
        changed = ok(answer)["data"]
        assert changed == {
            **contact,
            "company": "De Gans",
            "source": "Web",
            "version": 2,
            "updatedAt": changed["updatedAt"],
        }
        assert changed["updatedAt"] > contact["updatedAt"]
        assert answer.headers["etag"] == '"2"'

    def test_every_field_can_be_changed(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann")
        fields = {**FULL, "assignedTo": str(team.member.account_id)}
        changed = ok(team.owner.patch(f"/contacts/{contact['id']}", fields))["data"]
        assert {name: changed[name] for name in fields} == {**fields, "phone": "+3225550147"}

    @pytest.mark.parametrize(
        "field",
        sorted(
            FULL.keys() - {"type", "status", "globallyUnsubscribed", "dnc", "customFields", "communicationPreferences"}
        ),
    )
    def test_null_takes_a_value_away(self, team: Team, field: str) -> None:
        contact = created(team.owner.post("/contacts", FULL))
        assert ok(team.owner.patch(f"/contacts/{contact['id']}", {field: None}))["data"][field] is None

    def test_custom_fields_are_merged_by_key_and_null_takes_one_away(self, team: Team) -> None:
        contact = team.owner.contact(firstName="A", customFields={"a": 1, "b": 2}, communicationPreferences={"x": "1"})
        body = {"customFields": {"b": None, "c": [1, "two"]}, "communicationPreferences": {"x": None, "y": "2"}}
        changed = ok(team.owner.patch(f"/contacts/{contact['id']}", body))["data"]
        assert changed["customFields"] == {"a": 1, "c": [1, "two"]}
        assert changed["communicationPreferences"] == {"y": "2"}

    def test_unsubscribing_is_an_event_of_its_own(self, team: Team) -> None:
        contact = team.owner.contact(firstName="A")
        changed = ok(team.owner.patch(f"/contacts/{contact['id']}", {"globallyUnsubscribed": True}))["data"]
        assert changed["globallyUnsubscribed"] is True
        last = ok(team.owner.get("/log"))["data"][-1]
        assert (last["type"], last["stream"]["id"]) == ("contact.unsubscribed", contact["id"])

    def test_what_is_so_already_changes_nothing(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann", tags=["VIP"])
        answer = team.owner.patch(f"/contacts/{contact['id']}", {"firstName": " Ann ", "tags": ["vip"]})
        assert ok(answer)["data"] == contact
        assert "daybook-seq" not in answer.headers

    def test_an_empty_change_is_one_that_changes_nothing(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann")
        assert ok(team.owner.patch(f"/contacts/{contact['id']}", {}))["data"] == contact

    def test_it_must_still_be_somebody(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann")
        refused(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": None}), 422, says="at least one of")

    def test_only_the_version_that_is_known_is_changed(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact(firstName='Ann')['id']}"
        ok(team.owner.patch(path, {"lastName": "Lee"}, headers={"if-match": '"1"'}))
        error = refused(team.owner.patch(path, {"lastName": "Kim"}, headers={"if-match": '"1"'}), 412)
        assert "its version is 2" in error["message"]
        assert team.owner.shown(path)["lastName"] == "Lee"
        ok(team.owner.patch(path, {"lastName": "Kim"}, headers={"if-match": "*"}))
        refused(team.owner.patch(path, {"lastName": "Lee"}, headers={"if-match": "3"}), 400, says="If-Match")

    def test_what_is_not_there_is_not_found(self, team: Team) -> None:
        refused(team.owner.patch(f"/contacts/{uuid4()}", {"firstName": "A"}), 404)


class TestDeleting:
    def test_it_is_gone_from_everywhere_but_the_log(self, team: Team) -> None:
        contact = team.owner.contact(firstName="Ann", tags=["VIP"])
        gone(team.owner.delete(f"/contacts/{contact['id']}"))
        refused(team.owner.get(f"/contacts/{contact['id']}"), 404)
        refused(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "B"}), 404)
        refused(team.owner.delete(f"/contacts/{contact['id']}"), 404)
        assert team.owner.listed("/contacts") == []
        assert team.owner.listed("/tags")[0]["contactCount"] == 0
        types = [
            entry["type"] for entry in ok(team.owner.get("/log"))["data"] if entry["stream"]["id"] == contact["id"]
        ]
        assert types == ["contact.created", "contact.deleted"]

    def test_only_the_version_that_is_known_is_deleted(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact(firstName='Ann')['id']}"
        refused(team.owner.delete(path, headers={"if-match": '"2"'}), 412)
        gone(team.owner.delete(path, headers={"if-match": '"1"'}))
