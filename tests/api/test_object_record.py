"""Records of object types over HTTP: held to the attributes of their type, sorted, filtered and searched by them."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from eventstore.ids import new_id
from tests.api.asserting import gone, ok, refused
from tests.api.team import Team, created
from tests.api.test_object_type import defined

STAGES = ["Planned", "Running", "Done"]


@pytest.fixture
def projects(team: Team) -> dict[str, Any]:
    attributes = [
        {"name": "Stage", "type": "select", "options": STAGES},
        {"name": "Value", "type": "currency", "currency": "EUR"},
        {"name": "Begins", "key": "begins", "type": "date"},
        {"name": "Size", "type": "number"},
        {"name": "Tags", "type": "multi_select", "options": ["hops", "malt"]},
        {"name": "Client", "type": "relation", "relatedTo": "contact"},
    ]
    return defined(team, "projects", attributes=attributes)


def record(team: Team, title: str = "Brewery", slug: str = "projects", **attributes: Any) -> dict[str, Any]:
    return created(team.owner.post(f"/objects/{slug}/records", {"title": title, "attributes": attributes}))


def titles(team: Team, **params: Any) -> list[str]:
    return [found["title"] for found in team.owner.listed("/objects/projects/records", **params)]


def found(team: Team, *conditions: tuple[str, str, Any], **more: Any) -> list[str]:
    asked = [{"field": field, "operator": operator, "value": value} for field, operator, value in conditions]
    body = {"filter": {"match": "all", "conditions": asked}, "sort": "title", **more}
    answer = ok(team.owner.post("/objects/projects/records/search", body))
    return [one["title"] for one in answer["data"]]


@pytest.mark.usefixtures("projects")
class TestARecord:
    def test_is_made_shown_changed_and_deleted(self, team: Team, projects: dict[str, Any]) -> None:
        made = record(team, "Brewery", Stage="Planned", Value=42000.5)
        assert (made["title"], made["objectTypeId"]) == ("Brewery", projects["id"])
        assert made["attributes"] == {"Stage": "Planned", "Value": 42000.5}
        path = f"/objects/projects/records/{made['id']}"
        assert team.owner.shown(path) == made == team.owner.shown(f"/objects/{projects['id']}/records/{made['id']}")
        body = {"title": "Malthouse", "attributes": {"Stage": "running", "Value": None}}
        changed = ok(team.owner.patch(path, body, headers={"if-match": '"1"'}))["data"]
        assert (changed["title"], changed["attributes"], changed["version"]) == ("Malthouse", {"Stage": "Running"}, 2)
        refused(team.owner.patch(path, {"title": "B"}, headers={"if-match": '"1"'}), 412)
        gone(team.owner.delete(path))
        refused(team.owner.get(path), 404, says="record")

    def test_needs_a_title_alone(self, team: Team) -> None:
        assert created(team.owner.post("/objects/projects/records", {"title": "Brewery"}))["attributes"] == {}
        refused(team.owner.post("/objects/projects/records", {"attributes": {}}), 422, "title")
        refused(team.owner.post("/objects/projects/records", {"title": " "}), 422, "title")
        refused(team.owner.post("/objects/projects/records", {"title": "B", "stage": "x"}), 422, "stage")

    def test_is_of_a_type_that_there_is(self, team: Team, others: Team) -> None:
        theirs = defined(others, "elsewhere")
        for missing in ("elsewhere", theirs["id"], str(new_id())):
            refused(team.owner.post(f"/objects/{missing}/records", {"title": "B"}), 404, says="object type")
            refused(team.owner.get(f"/objects/{missing}/records"), 404, says="object type")

    def test_of_one_type_is_none_of_another(self, team: Team) -> None:
        defined(team, "leases")
        made = record(team)
        path = f"/objects/leases/records/{made['id']}"
        refused(team.owner.get(path), 404, says="record")
        refused(team.owner.patch(path, {"title": "B"}), 404, says="record")
        refused(team.owner.delete(path), 404, says="record")
        assert team.owner.listed("/objects/leases/records") == []

    def test_may_have_values_of_keys_that_are_no_attributes(self, team: Team) -> None:
        defined(team, "leases")
        made = record(team, "Flat", "leases", Floor=3, Keys=["a", 1, True], Note="top")
        assert made["attributes"] == {"Floor": 3, "Keys": ["a", 1, True], "Note": "top"}
        refused(team.owner.post("/objects/leases/records", {"title": "B", "attributes": {"-": 1}}), 422, "attributes")
        refused(
            team.owner.post("/objects/leases/records", {"title": "B", "attributes": {"a": {}}}), 422, "attributes[...]"
        )

    def test_is_counted_with_its_type(self, team: Team) -> None:
        made = [record(team), record(team)]
        assert team.owner.shown("/objects/projects")["recordCount"] == 2
        gone(team.owner.delete(f"/objects/projects/records/{made[0]['id']}"))
        assert team.owner.shown("/objects/projects")["recordCount"] == 1

    def test_is_written_by_members_and_read_by_viewers(self, team: Team) -> None:
        for member in (team.member, team.limited):
            created(member.post("/objects/projects/records", {"title": "B"}))
        assert len(team.viewer.listed("/objects/projects/records")) == 2
        refused(team.viewer.post("/objects/projects/records", {"title": "B"}), 403)

    def test_is_told_of_in_the_audit_trail(self, team: Team) -> None:
        made = record(team)
        ok(team.owner.patch(f"/objects/projects/records/{made['id']}", {"attributes": {"Stage": "Done"}}))
        trail = team.owner.listed("/activities", entityId=made["id"])
        assert [entry["action"] for entry in trail] == ["updated", "created"]

    def test_deleted_by_slug_is_deleted_once_however_often_that_is_asked(self, team: Team) -> None:
        made = record(team)
        for path in (f"/objects/projects/records/{made['id']}", "/objects/projects"):
            for _ in range(2):
                gone(team.owner.delete(path, headers={"idempotency-key": path}))


@pytest.mark.usefixtures("projects")
class TestValues:
    @pytest.mark.parametrize(
        ("given", "kept"),
        [
            ({"Stage": " DONE "}, {"Stage": "Done"}),
            ({"Value": 0.1}, {"Value": 0.1}),
            ({"Value": 9999999999999.99}, {"Value": 9999999999999.99}),
            ({"begins": "2026-03-15"}, {"begins": "2026-03-15"}),
            ({"Size": "38"}, {"Size": 38}),
            ({"Tags": ["Malt", "hops"]}, {"Tags": ["malt", "hops"]}),
            ({"Stage": "", "Value": None, "Tags": []}, {}),
        ],
    )
    def test_are_kept_as_their_attributes_say(self, team: Team, given: dict[str, Any], kept: dict[str, Any]) -> None:
        made = record(team, **given)
        assert made["attributes"] == kept
        assert team.owner.listed("/objects/projects/records")[0]["attributes"] == kept

    @pytest.mark.parametrize(
        ("key", "value"),
        [
            ("Stage", "Unknown"), ("Stage", ["Done"]), ("Value", 1.005), ("Value", "much"), ("Value", True),
            ("begins", "soon"), ("Size", "many"), ("Tags", ["hops", "x"]), ("Client", "Ada"), ("Client", 7),
            ("Client", "01980000-0000-7000-8000-000000000001"),
        ],
    )  # fmt: skip
    def test_that_are_not_acceptable_are_named_at_every_door(self, team: Team, key: str, value: Any) -> None:
        body = {"title": "B", "attributes": {key: value}}
        refused(team.owner.post("/objects/projects/records", body), 422, f"attributes.{key}")
        path = f"/objects/projects/records/{record(team)['id']}"
        refused(team.owner.patch(path, body), 422, f"attributes.{key}")

    def test_that_are_required_must_be_there(self, team: Team) -> None:
        path = "/objects/projects/attributes"
        created(team.owner.post(path, {"name": "Owner", "type": "text", "required": True}))
        refused(team.owner.post("/objects/projects/records", {"title": "B"}), 422, "attributes.Owner", says="required")
        made = record(team, Owner="Olga")
        body = {"attributes": {"Owner": None}}
        refused(team.owner.patch(f"/objects/projects/records/{made['id']}", body), 422, "attributes.Owner")

    def test_of_a_key_mean_in_each_type_what_that_says(self, team: Team) -> None:
        defined(team, "leases", attributes=[{"name": "Stage", "type": "number"}])
        assert record(team, "Flat", "leases", Stage="3")["attributes"] == {"Stage": 3}
        assert record(team, Stage="done")["attributes"] == {"Stage": "Done"}
        refused(team.owner.post("/objects/leases/records", {"title": "B", "attributes": {"Stage": "Done"}}), 422)


class TestRelations:
    @pytest.mark.parametrize("kind", ["contact", "company", "deal"])
    def test_lead_to_what_there_is_and_go_with_it(self, team: Team, kind: str) -> None:
        defined(team, attributes=[{"name": "About", "type": "relation", "relatedTo": kind}])
        thing = getattr(team.owner, kind)()
        made = record(team, About=thing["id"], free=thing["id"])
        assert made["attributes"] == {"About": thing["id"], "free": thing["id"]}
        gone(team.owner.delete(f"/{'companies' if kind == 'company' else kind + 's'}/{thing['id']}"))
        assert team.owner.shown(f"/objects/projects/records/{made['id']}")["attributes"] == {"free": thing["id"]}
        refused(
            team.owner.post("/objects/projects/records", {"title": "B", "attributes": {"About": thing["id"]}}),
            422,
            "attributes.About",
        )

    def test_lead_to_other_records(self, team: Team) -> None:
        defined(team, attributes=[{"name": "Parent", "type": "relation", "relatedTo": "object_record"}])
        parent = record(team, "Parent")
        child = record(team, "Child", Parent=parent["id"].upper())
        assert child["attributes"] == {"Parent": parent["id"]}
        assert found(team, ("attributes.Parent", "eq", parent["id"])) == ["Child"]
        gone(team.owner.delete(f"/objects/projects/records/{parent['id']}"))
        assert team.owner.shown(f"/objects/projects/records/{child['id']}")["attributes"] == {}

    def test_may_lead_to_the_record_itself_which_ends_all_the_same(self, team: Team) -> None:
        defined(team, attributes=[{"name": "Parent", "type": "relation", "relatedTo": "object_record"}])
        path = f"/objects/projects/records/{record(team, 'Root')['id']}"
        ok(team.owner.patch(path, {"attributes": {"Parent": path.rpartition("/")[2]}}))
        gone(team.owner.delete(path))
        refused(team.owner.get(path), 404)

    def test_of_a_limited_member_lead_to_what_they_see(self, team: Team, projects: dict[str, Any]) -> None:
        hidden = team.owner.contact()
        body = {"title": "B", "attributes": {"Client": hidden["id"]}}
        refused(team.limited.post(f"/objects/{projects['id']}/records", body), 422, "attributes.Client")

    def test_of_one_type_leave_alone_what_another_has_under_their_key(self, team: Team) -> None:
        defined(team, attributes=[{"name": "About", "type": "relation", "relatedTo": "contact"}])
        defined(team, "leases")
        contact = team.owner.contact()
        text = record(team, "Flat", "leases", About=contact["id"])
        gone(team.owner.delete(f"/contacts/{contact['id']}"))
        assert team.owner.shown(f"/objects/leases/records/{text['id']}")["version"] == 1


@pytest.mark.usefixtures("projects")
class TestAList:
    def test_is_newest_first_by_page_with_its_total(self, team: Team) -> None:
        defined(team, "leases")
        for title in "abc":
            record(team, title)
            record(team, f"other {title}", "leases")
        assert titles(team) == ["c", "b", "a"]
        answer = ok(team.owner.get("/objects/projects/records", params={"page": 2, "pageSize": 2}))
        assert [one["title"] for one in answer["data"]] == ["a"]
        assert (answer["meta"]["total"], answer["meta"]["totalPages"]) == (3, 2)

    @pytest.mark.parametrize(
        ("key", "values"),
        [
            ("Value", [9, 10.5, 200]),
            ("Size", [-3, 2, 10]),
            ("begins", ["2025-12-31", "2026-01-01", "2026-01-02"]),
            ("Stage", ["Done", "Planned", "Running"]),
            ("free", ["Apple", "banana", "Cherry"]),
        ],
    )
    def test_is_sorted_by_any_attribute(self, team: Team, key: str, values: list[Any]) -> None:
        for value in (values[1], values[2], values[0]):
            record(team, str(value), **{key: value})
        record(team, "none")
        expected = [*map(str, values), "none"]
        assert titles(team, sortBy=key, sortDir="asc") == expected
        assert titles(team, sortBy=key, sortDir="desc") == expected[::-1]
        assert titles(team, sort=f"-attributes.{key}") == expected[::-1]

    @pytest.mark.parametrize("sort", ["Size", "-Size", "title", "-createdAt", "Stage", "Tags"])
    def test_is_walked_by_cursors_in_any_order(self, team: Team, sort: str) -> None:
        for number in range(7):
            some: dict[str, Any] = {
                "Size": number % 3,
                "Stage": STAGES[number % 2],
                "Tags": ["hops", "malt"][: number % 3],
            }
            record(team, f"p{number}", **(some if number else {}))
        whole = titles(team, sort=sort)
        walked: list[str] = []
        cursor: dict[str, str] = {}
        while True:
            answer = ok(team.owner.get("/objects/projects/records", params={"sort": sort, "limit": 2, **cursor}))
            walked += [one["title"] for one in answer["data"]]
            if answer["meta"]["nextCursor"] is None:
                break
            cursor = {"cursor": answer["meta"]["nextCursor"]}
        assert walked == whole
        assert len(set(walked)) == 7

    def test_refuses_an_order_that_no_attribute_can_have_and_a_cursor_of_another(self, team: Team) -> None:
        refused(team.owner.get("/objects/projects/records", params={"sort": "a'b"}), 422, "sort")
        refused(team.owner.get("/objects/projects/records", params={"sort": "custom.x"}), 422, "sort")
        for _ in range(2):
            record(team)
        answer = ok(team.owner.get("/objects/projects/records", params={"sort": "Size", "limit": 1}))
        given = {"sort": "Stage", "cursor": answer["meta"]["nextCursor"]}
        refused(team.owner.get("/objects/projects/records", params=given), 400, "cursor")

    def test_is_searched_in_titles_and_all_text(self, team: Team) -> None:
        record(team, "Brauerei Köln", Stage="Planned", Tags=["hops"], note="Fässer")
        record(team, "Malthouse", Stage="Done")
        assert titles(team, search="koln") == ["Brauerei Köln"]
        assert titles(team, search="fasser hops") == ["Brauerei Köln"]
        assert titles(team, search="done") == ["Malthouse"]
        assert titles(team, search="fasser done") == []


@pytest.mark.usefixtures("projects")
class TestAFilter:
    def test_asks_for_values_as_people_give_them(self, team: Team) -> None:
        record(team, "a", Stage="Planned", Value=42000.5, begins="2026-01-01", Size=3)
        record(team, "b", Stage="Done", Value=10, begins="2026-02-01", Tags=["hops"])
        record(team, "c")
        assert found(team, ("attributes.Stage", "eq", "planned")) == ["a"]
        assert found(team, ("attributes.Stage", "neq", "Planned")) == ["b", "c"]
        assert found(team, ("attributes.Value", "eq", 42000.5)) == ["a"]
        assert found(team, ("attributes.Value", "gt", 10)) == ["a"]
        assert found(team, ("attributes.Value", "in", [10, 11])) == ["b"]
        assert found(team, ("attributes.Value", "is_not_set", None)) == ["c"]
        assert found(team, ("attributes.begins", "after", "2026-01-15")) == ["b"]
        assert found(team, ("attributes.Tags", "has", "hops")) == ["b"]
        assert found(team, ("title", "in", ["a", "c"]), ("attributes.Size", "is_set", None)) == ["a"]
        assert found(team, search="hops") == ["b"]
        assert found(team, sort="-attributes.Value", limit=2) == ["c", "a"]

    def test_that_cannot_be_asked_is_named(self, team: Team) -> None:
        def search_refused(condition: dict[str, Any], name: str) -> None:
            body = {"filter": {"match": "all", "conditions": [condition]}}
            refused(team.owner.post("/objects/projects/records/search", body), 422, f"filter.conditions[0].{name}")

        search_refused({"field": "colour", "operator": "eq", "value": "x"}, "field")
        search_refused({"field": "title", "operator": "has", "value": "x"}, "operator")
        search_refused({"field": "attributes.Value", "operator": "eq", "value": 1.005}, "value")

    def test_finds_nothing_of_other_types(self, team: Team) -> None:
        defined(team, "leases")
        record(team, "Flat", "leases", Stage="Planned")
        assert found(team, ("attributes.Stage", "eq", "Planned")) == []


class TestTwoAtOnce:
    def test_a_value_is_held_to_an_attribute_that_is_defined_meanwhile(self, team: Team) -> None:
        defined(team)
        with ThreadPoolExecutor(8) as threads:
            writing = [
                threads.submit(
                    team.owner.post, "/objects/projects/records", {"title": "B", "attributes": {"Size": f"no {number}"}}
                )
                for number in range(24)
            ]
            defining = threads.submit(
                team.owner.post, "/objects/projects/attributes", {"name": "Size", "type": "number"}
            )
            written = sum(answer.result().status_code == 201 for answer in writing)
        if defining.result().status_code == 201:
            assert written == 0
        else:
            refused(defining.result(), 422, "key")
        assert team.owner.shown("/objects/projects")["recordCount"] == written
