"""Attributes of object types over HTTP: defined, changed as far as values allow, and deleted with their values."""

from __future__ import annotations

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from typing import Any, get_args
from uuid import UUID

import pytest

from application import object_attribute as attributes
from domain.object_attribute import AttributeType
from domain.object_record import OBJECT_RECORD, CreateObjectRecord
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections.catalogue import ROWS
from schemas.log import Actor
from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created
from tests.api.test_object_record import record
from tests.api.test_object_type import defined

PATH = "/objects/projects/attributes"


def attribute(team: Team, **more: Any) -> dict[str, Any]:
    return created(team.owner.post(PATH, {"name": "Stage", "type": "text", **more}))


@pytest.fixture(autouse=True)
def projects(team: Team) -> dict[str, Any]:
    return defined(team, "projects")


class TestAnAttribute:
    def test_is_made_shown_changed_and_deleted(self, team: Team, projects: dict[str, Any]) -> None:
        made = attribute(team, type="select", options=["Planned", "Done"])
        assert (made["name"], made["key"], made["options"], made["maxLength"]) == (
            "Stage",
            "Stage",
            ["Planned", "Done"],
            None,
        )
        path = f"{PATH}/{made['id']}"
        assert team.owner.shown(path) == made
        assert team.owner.listed(PATH) == [made] == team.owner.shown("/objects/projects")["attributes"]
        changes = {"name": "Phase", "options": ["Done"]}
        changed = ok(team.owner.patch(path, changes, headers={"if-match": '"1"'}))["data"]
        assert changed == {**made, **changes, "version": 2, "updatedAt": changed["updatedAt"]}
        refused(team.owner.patch(path, {"name": "P"}, headers={"if-match": '"1"'}), 412)
        gone(team.owner.delete(path))
        refused(team.owner.get(path), 404, says="attribute")
        assert team.owner.shown(f"/objects/{projects['id']}")["attributes"] == []

    @pytest.mark.parametrize("kind", get_args(AttributeType))
    def test_can_be_of_every_type(self, team: Team, kind: str) -> None:
        made = attribute(team, type=kind, options=["a"], relatedTo="deal", currency="jpy", maxLength=9)
        of_type: dict[str, Any] = {
            "options": ["a"] if "select" in kind else None,
            "relatedTo": "deal" if kind == "relation" else None,
        }
        of_type |= {"currency": "JPY" if kind == "currency" else None, "maxLength": 9 if kind == "text" else None}
        assert {name: made[name] for name in of_type} == of_type

    def test_that_is_not_acceptable_is_named(self, team: Team) -> None:
        def post_refused(body: dict[str, Any], *names: str) -> None:
            refused(team.owner.post(PATH, body), 422, *names)

        post_refused({"type": "text"}, "name")
        post_refused({"name": "A"}, "type")
        post_refused({"name": "A", "type": "colour"}, "type")
        post_refused({"name": "A", "type": "select"}, "options")
        post_refused({"name": "A", "type": "relation"}, "relatedTo")
        post_refused({"name": "A", "type": "relation", "relatedTo": "tag"}, "relatedTo")
        post_refused({"name": "A", "type": "currency", "currency": "XYZ"}, "currency")
        post_refused({"name": "A?", "type": "text"}, "key")
        post_refused({"name": "A", "type": "text", "sortOrder": -1}, "sortOrder")

    def test_has_a_key_of_its_own_in_its_type(self, team: Team) -> None:
        made = attribute(team)
        error = refused(team.owner.post(PATH, {"name": "Other", "key": "Stage", "type": "url"}), 422, "key")
        assert error["existingId"] == made["id"]
        defined(team, "leases", attributes=[{"name": "Stage", "type": "text"}])
        body = {"name": "B", "slug": "b", "attributes": [{"name": "A", "type": "text"}, {"name": "A", "type": "url"}]}
        refused(team.owner.post("/objects", body), 422, "attributes[1].key")
        refused(team.owner.get("/objects/b"), 404)

    def test_is_made_once_by_two_at_once(self, team: Team) -> None:
        with ThreadPoolExecutor(6) as threads:
            answers = list(threads.map(lambda _: team.owner.post(PATH, {"name": "A", "type": "text"}), range(6)))
        assert sorted(answer.status_code for answer in answers) == [201, 422, 422, 422, 422, 422]

    def test_stands_behind_those_before_it_or_where_it_is_put(self, team: Team) -> None:
        first, second = attribute(team, name="B"), attribute(team, name="A")
        assert [first["sortOrder"], second["sortOrder"]] == [0, 1]
        ok(team.owner.patch(f"{PATH}/{first['id']}", {"sortOrder": 7}))
        assert [one["name"] for one in team.owner.listed(PATH)] == ["A", "B"]

    def test_is_one_of_a_limited_number(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(attributes, "MAX_ATTRIBUTES", 1)
        attribute(team)
        refused(team.owner.post(PATH, {"name": "B", "type": "text"}), 422, says="at most 1")
        body = {"name": "B", "slug": "b", "attributes": [{"name": name, "type": "text"} for name in "ab"]}
        refused(team.owner.post("/objects", body), 422, "attributes")

    def test_of_one_type_is_none_of_another(self, team: Team) -> None:
        defined(team, "leases")
        path = f"/objects/leases/attributes/{attribute(team)['id']}"
        refused(team.owner.get(path), 404, says="attribute")
        refused(team.owner.patch(path, {"name": "B"}), 404, says="attribute")
        refused(team.owner.delete(path), 404, says="attribute")
        refused(team.owner.post(f"/objects/{new_id()}/attributes", {"name": "A", "type": "text"}), 404)

    def test_is_for_owners_and_admins_to_define(self, team: Team) -> None:
        refused(team.member.post(PATH, {"name": "A", "type": "text"}), 403)
        assert team.member.listed(PATH) == []


class TestWithValues:
    @pytest.mark.parametrize(
        ("made", "value", "changes", "named"),
        [
            ({"type": "text"}, "38", {"type": "number"}, "type"),
            ({"type": "currency"}, 42.5, {"currency": "JPY"}, "currency"),
            ({"type": "select", "options": ["a"]}, "a", {"type": "multi_select"}, "type"),
        ],
    )
    def test_it_stays_what_it_is(
        self, team: Team, made: dict[str, Any], value: Any, changes: dict[str, Any], named: str
    ) -> None:
        path = f"{PATH}/{attribute(team, **made)['id']}"
        there = f"/objects/projects/records/{record(team, Stage=value)['id']}"
        refused(team.owner.patch(path, changes), 422, named, says="while records have values of it")
        ok(team.owner.patch(path, {"name": "Phase", "required": True}))
        assert team.owner.shown(there)["attributes"] == {"Stage": value}
        ok(team.owner.patch(path, {"required": False}))
        ok(team.owner.patch(there, {"attributes": {"Stage": None}}))
        ok(team.owner.patch(path, changes))

    def test_that_relates_to_something_else_it_stays_what_it_is(self, team: Team) -> None:
        path = f"{PATH}/{attribute(team, type='relation', relatedTo='contact')['id']}"
        record(team, Stage=team.owner.contact()["id"])
        refused(team.owner.patch(path, {"relatedTo": "deal"}), 422, "relatedTo")

    def test_that_were_free_before_a_key_is_not_defined(self, team: Team) -> None:
        made = record(team, Stage=42000.5)
        refused(team.owner.post(PATH, {"name": "Stage", "type": "currency"}), 422, "key", says="have already")
        ok(team.owner.patch(f"/objects/projects/records/{made['id']}", {"attributes": {"Stage": None}}))
        attribute(team, type="currency")

    def test_an_amount_that_is_the_first_since_it_was_a_number_is_kept_as_one(self, team: Team) -> None:
        path = f"{PATH}/{attribute(team, type='number')['id']}"
        there = f"/objects/projects/records/{record(team, Stage=1.5)['id']}"
        ok(team.owner.patch(there, {"attributes": {"Stage": None}}))
        ok(team.owner.patch(path, {"type": "currency"}))
        assert ok(team.owner.patch(there, {"attributes": {"Stage": 4200.05}}))["data"]["attributes"] == {
            "Stage": 4200.05
        }

    def test_it_is_deleted_with_them_in_its_type_alone(self, team: Team) -> None:
        defined(team, "leases", attributes=[{"name": "Stage", "type": "text"}])
        other = record(team, "Flat", "leases", Stage="x")
        path = f"{PATH}/{attribute(team)['id']}"
        made = [record(team, Stage="x", free=1) for _ in range(3)]
        gone(team.owner.delete(path))
        for one in made:
            assert team.owner.shown(f"/objects/projects/records/{one['id']}")["attributes"] == {"free": 1}
        assert team.owner.shown(f"/objects/leases/records/{other['id']}") == other


def several(team: Team, type_id: str, count: int, **values: Any) -> None:
    def work(unit: Work) -> None:
        for number in range(count):
            command = CreateObjectRecord(object_type_id=UUID(type_id), title=f"p{number}", attributes=values)
            unit.begin(OBJECT_RECORD, new_id(), command)

    team.services.store.run(Origin(team.workspace_id, Actor(type="system")), work, bulk=True)


class TestVeryMany:
    def test_values_go_by_a_job_and_none_is_taken_meanwhile(self, team: Team, projects: dict[str, Any]) -> None:
        made = attribute(team)
        several(team, projects["id"], 1_001, Stage="x")
        job = ok(team.owner.delete(f"{PATH}/{made['id']}"), 202)["data"]
        assert job["total"] == 1_001
        body = {"title": "B", "attributes": {"Stage": "x"}}
        refused(team.owner.post("/objects/projects/records", body), 422, "attributes.Stage", says="about to be deleted")

    def test_records_go_by_a_job_and_none_is_made_meanwhile(self, team: Team, projects: dict[str, Any]) -> None:
        attribute(team)
        several(team, projects["id"], 1_001, Stage="x")
        job = ok(team.owner.delete("/objects/projects"), 202)["data"]
        assert job["total"] == 1_002, "with its attribute"
        refused(team.owner.post("/objects/projects/records", {"title": "B"}), 422, says="being deleted")


def test_what_is_of_a_type_that_ends_goes_with_it_untouched(team: Team, projects: dict[str, Any]) -> None:
    attribute(team)
    several(team, projects["id"], 150, Stage="x")
    gone(team.owner.delete("/objects/projects"))
    happened = Counter(entry["type"] for entry in ok(team.owner.get("/log", params={"limit": 1000}))["data"])
    assert (happened["object_record.created"], happened["object_record.deleted"]) == (150, 150)
    assert (happened["object_attribute.deleted"], happened["object_type.deleted"]) == (1, 1)
    assert happened["object_record.updated"] == 0, "nobody is rid of values first"


def test_what_another_process_defines_holds_at_once(team: Team, projects: dict[str, Any]) -> None:
    elsewhere, origin = EventStore(team.services.pool, ROWS), Origin(team.workspace_id, Actor(type="system"))

    def create(**values: Any) -> Any:
        command = CreateObjectRecord(object_type_id=UUID(projects["id"]), title="A", attributes=values)
        return elsewhere.run(origin, lambda unit: unit.begin(OBJECT_RECORD, new_id(), command)).value.state.attributes

    assert create(Other="38") == {"Other": "38"}
    attribute(team, type="number")
    assert create(Stage="38") == {"Stage": 38}
