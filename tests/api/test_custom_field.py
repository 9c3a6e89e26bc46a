"""Custom fields over HTTP: definitions in the words of any of the documents."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from application import custom_field as fields
from domain.custom_field import CUSTOM_FIELD, CreateCustomField
from eventstore.append import Origin
from eventstore.ids import new_id
from schemas.log import Actor
from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created

LEVEL = {
    "name": "Membership Level",
    "key": "membership_level",
    "type": "select",
    "entity": "contact",
    "required": False,
    "options": ["gold", "silver", "bronze"],
}


def define(team: Team, **more: Any) -> dict[str, Any]:
    return created(team.owner.post("/custom-fields", {"name": "Plan", "type": "text", "entity": "contact", **more}))


def path(field: dict[str, Any]) -> str:
    return f"/custom-fields/{field['id']}"


def of_an_integration(team: Team) -> str:
    """A field as a connector makes it."""
    command = CreateCustomField(name="Tier", key="tier", type="text", entity="contact", integration_id="mailchimp")
    origin = Origin(team.workspace_id, Actor(type="system"))
    return str(team.services.store.run(origin, lambda unit: unit.begin(CUSTOM_FIELD, new_id(), command)).value.id)


class TestADefinition:
    def test_is_made_shown_changed_and_deleted(self, team: Team) -> None:
        field = created(team.owner.post("/custom-fields", LEVEL))
        assert {name: field[name] for name in LEVEL} == LEVEL
        assert (field["allowMultiple"], field["maxLength"], field["integrationId"]) == (False, None, None)
        assert (field["scope"], field["workspaceId"]) == ("workspace", str(team.workspace_id))
        assert team.owner.shown(path(field)) == field
        changed = ok(team.owner.patch(path(field), {"name": "Level"}, headers={"if-match": '"1"'}))["data"]
        assert changed == {**field, "name": "Level", "version": 2, "updatedAt": changed["updatedAt"]}
        refused(team.owner.patch(path(field), {"name": "Rank"}, headers={"if-match": '"1"'}), 412)
        gone(team.owner.delete(path(field)))
        refused(team.owner.get(path(field)), 404, says="custom field")
        refused(team.owner.patch(path(field), {"name": "Rank"}), 404)
        refused(team.owner.delete(path(field)), 404)

    def test_may_say_tag_and_contact_type(self, team: Team) -> None:
        body = {
            "name": "Membership Level",
            "tag": "membership_level",
            "type": "pick_list",
            "contactType": "person",
            "maxLength": 100,
            "options": ["gold", "silver"],
            "allowMultiple": True,
        }
        field = created(team.owner.post("/custom-fields", body))
        assert (field["key"], field["entity"], field["contactType"]) == ("membership_level", "contact", "person")
        assert (field["type"], field["options"], field["allowMultiple"]) == ("pick_list", ["gold", "silver"], True)
        assert field["maxLength"] is None, "which is for texts"
        changed = ok(team.owner.patch(path(field), {"tag": "level", "type": "text", "maxLength": 150}))["data"]
        assert (changed["key"], changed["options"], changed["allowMultiple"]) == ("level", None, False)
        assert changed["maxLength"] == 150

    def test_may_say_label_and_field_type(self, team: Team) -> None:
        body = {
            "name": "shirt_size",
            "label": "Size of shirt",
            "fieldType": "multiselect",
            "options": ["S", "M"],
            "sortOrder": 2,
            "scope": "core",
            "workspaceId": str(team.workspace_id),
        }
        field = created(team.owner.post("/custom-fields", body))
        assert (field["name"], field["key"], field["type"]) == ("Size of shirt", "shirt_size", "multi_select")
        assert (field["entity"], field["allowMultiple"], field["sortOrder"]) == ("contact", True, 2)
        assert (field["scope"], field["workspaceId"]) == ("core", None)
        changed = ok(team.owner.patch(path(field), {"label": "Shirt", "fieldType": "text", "sortOrder": 1}))["data"]
        assert (changed["name"], changed["type"], changed["sortOrder"]) == ("Shirt", "text", 1)

    def test_is_one_of_its_entity_by_its_key(self, team: Team) -> None:
        field = define(team, key="plan")
        error = refused(
            team.owner.post("/custom-fields", {"name": "B", "key": "plan", "type": "text", "entity": "contact"}),
            422,
            "key",
            says="has already been taken",
        )
        assert error["existingId"] == field["id"]
        other = define(team, key="plan", entity="company")
        third = define(team, key="third")
        error = refused(team.owner.patch(path(third), {"tag": "plan"}), 422, "key", says="has already been taken")
        assert error["existingId"] == field["id"]
        ok(team.owner.patch(path(other), {"key": "third"}))
        ok(team.owner.patch(path(field), {"key": "plan", "name": "The plan"}))

    def test_is_made_once_by_two_at_once(self, team: Team) -> None:
        body = {"name": "Plan", "key": "plan", "type": "text", "entity": "contact"}
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: team.owner.post("/custom-fields", body).status_code, range(6)))
        assert sorted(answers) == [201, 422, 422, 422, 422, 422]

    def test_that_is_not_acceptable_is_named(self, team: Team) -> None:
        def post_refused(body: dict[str, Any], *names: str) -> None:
            refused(team.owner.post("/custom-fields", body), 422, *names)

        post_refused({}, "name")
        post_refused({"name": "A"}, "entity", "key", "type")
        post_refused({"name": "A", "key": "a", "type": "text"}, "entity")
        post_refused({"name": "A", "key": "a", "type": "text", "entity": "task"}, "entity")
        post_refused({"name": "A", "key": "a", "type": "colour", "entity": "deal"}, "type")
        post_refused({"name": "A", "key": "A b", "type": "text", "entity": "deal"}, "key")
        post_refused({"name": "A", "key": "a", "type": "select", "entity": "deal"}, "options")
        post_refused(
            {"name": "A", "key": "a", "type": "text", "entity": "deal", "contactType": "person"}, "contactType"
        )
        post_refused({"name": "A", "key": "a", "type": "text", "entity": "deal", "integrationId": "x"}, "integrationId")
        post_refused(
            {"name": "A", "key": "a", "type": "text", "entity": "deal", "workspaceId": str(new_id())}, "workspaceId"
        )

    def test_stays_of_its_entity(self, team: Team) -> None:
        field = define(team, key="plan")
        refused(team.owner.patch(path(field), {"entity": "deal"}), 422, "entity")
        refused(team.owner.patch(path(field), {"contactType": "person"}), 422, "contactType")
        ok(team.owner.patch(path(field), {"entity": "contact", "contactType": None, "name": "Same"}))

    def test_of_an_integration_is_read_only(self, team: Team) -> None:
        field_id = of_an_integration(team)
        assert team.owner.shown(f"/custom-fields/{field_id}")["integrationId"] == "mailchimp"
        refused(team.owner.patch(f"/custom-fields/{field_id}", {"name": "Mine"}), 403, says="managed by an integration")
        refused(team.owner.delete(f"/custom-fields/{field_id}"), 403, says="managed by an integration")

    def test_is_of_a_limited_number(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(fields, "MAX_FIELDS", 1)
        define(team, key="a")
        body = {"name": "B", "key": "b", "type": "text", "entity": "contact"}
        refused(team.owner.post("/custom-fields", body), 422, says="at most 1")
        define(team, key="b", entity="company")


class TestTheList:
    def test_has_all_of_them_in_their_order(self, team: Team) -> None:
        define(team, key="last", sortOrder=2)
        define(team, key="first", sortOrder=1)
        define(team, key="industry", entity="company")
        define(team, key="size", entity="deal")
        answer = ok(team.owner.get("/custom-fields"))
        assert [field["key"] for field in answer["data"]] == ["industry", "first", "last", "size"]
        assert answer.keys() == {"data"}, "it is not paged"

    def test_is_of_an_entity(self, team: Team) -> None:
        for entity in ("contact", "company", "deal"):
            define(team, key=f"of_{entity}", entity=entity)
        for entity in ("contact", "company", "deal"):
            assert [field["key"] for field in team.owner.listed("/custom-fields", entity=entity)] == [f"of_{entity}"]
        refused(team.owner.get("/custom-fields", params={"entity": "task"}), 400, "entity")

    @pytest.mark.parametrize("name", ["contactType", "contact_type"])
    def test_is_of_persons_or_organizations(self, team: Team, name: str) -> None:
        define(team, key="both")
        define(team, key="person", contactType="person")
        define(team, key="organization", contactType="organization")
        define(team, key="industry", entity="company")
        found = [field["key"] for field in team.owner.listed("/custom-fields", **{name: "person"})]
        assert found == ["both", "person"]

    def test_is_of_a_folder(self, team: Team) -> None:
        define(team, key="a", folder="Membership")
        define(team, key="b")
        assert [field["key"] for field in team.owner.listed("/custom-fields", folder="membership")] == ["a"]


def test_types_come_with_the_names_that_people_are_shown(team: Team) -> None:
    found = {entry["value"]: entry["name"] for entry in team.owner.listed("/custom-fields/types")}
    assert found == {
        "text": "Text",
        "email": "Email",
        "phone": "Phone",
        "number": "Number",
        "date": "Date",
        "datetime": "Datetime",
        "boolean": "True / False",
        "url": "URL",
        "select": "Select",
        "multi_select": "Multi Select",
        "pick_list": "Pick List",
        "related": "Related Contact/Organization",
    }
