"""The id of a contact that was merged into another: wherever it is given, that other is meant."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Done, Keep
from tests.api.team import Team, created
from tests.api.test_custom_field import define
from tests.api.test_object_type import defined

Merged = tuple[dict[str, Any], dict[str, Any]]
"""The contact that goes on, and the one that was merged into it."""
OPENAPI = json.loads((Path(__file__).parents[2] / "schemas" / "openapi.json").read_text())
PATHS = [path for path in OPENAPI["paths"] if path.startswith("/api/v1/contacts/{contactId}")]
ITS_OWN = {"history", "diff", "explain"}
"""What happened to the one that is gone, up to its end."""


@pytest.fixture
def merged(team: Team) -> Merged:
    """A contact, with something of everything, and the one that was merged into it."""
    winner, loser = team.owner.contact(firstName="Ann", tags=["VIP"]), team.owner.contact(lastName="Kim")
    team.owner.deal(contactId=loser["id"])
    created(team.owner.post("/notes", {"content": "x", "contactId": loser["id"]}))
    created(team.owner.post(f"/contacts/{winner['id']}/interactions", {"type": "meeting"}))
    ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
    return winner, loser


def reading() -> list[str]:
    return [path for path in PATHS if "get" in OPENAPI["paths"][path] and path.rpartition("/")[2] not in ITS_OWN]


class TestInAPath:
    @pytest.mark.parametrize("path", reading())
    def test_is_read_what_the_other_has(self, team: Team, keep: Keep, merged: Merged, path: str) -> None:
        winner, loser = merged
        keep(team)
        under = path.removeprefix("/api/v1").replace("{contactId}", "{}")
        theirs, answer = (team.owner.get(under.format(contact["id"])) for contact in (winner, loser))
        assert (answer.status_code, answer.content) == (200, theirs.content)
        assert (answer.headers["daybook-merged-into"], answer.headers.get("etag")) == (
            winner["id"],
            theirs.headers.get("etag"),
        )
        assert "daybook-merged-into" not in theirs.headers
        refused(team.limited.get(under.format(loser["id"])), 404, says="contact")

    def test_of_what_is_there_nothing_is_looked_up(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        contact = team.owner.contact()
        monkeypatch.setattr("api.http.following._LEADING", {})
        ok(team.owner.patch(f"/contacts/{contact['id']}", {"city": "Ghent"}))
        ok(team.owner.get(f"/contacts/{contact['id']}/tags"))

    def test_is_written_to_the_other(self, team: Team, merged: Merged) -> None:
        winner, loser = merged
        old = f"/contacts/{loser['id']}"
        changed = team.owner.patch(old, {"city": "Ghent"})
        assert (ok(changed)["data"]["id"], changed.headers["daybook-merged-into"]) == (winner["id"], winner["id"])
        ok(team.owner.ask("PUT", f"{old}/custom/plan", json={"value": "pro"}))
        ok(team.owner.post(f"{old}/tags", {"tags": ["Lead"]}))
        gone(team.owner.delete(f"{old}/tags/VIP"))
        met = created(team.owner.post(f"{old}/interactions", {"type": "call"}))
        shown = team.owner.shown(f"/contacts/{winner['id']}")
        assert (shown["city"], shown["customFields"], shown["tags"]) == ("Ghent", {"plan": "pro"}, ["Lead"])
        assert met["contactId"] == winner["id"]

    def test_a_version_is_the_others(self, team: Team, merged: Merged) -> None:
        winner, loser = merged
        version = team.owner.shown(f"/contacts/{winner['id']}")["version"]
        old = f"/contacts/{loser['id']}"
        refused(team.owner.patch(old, {"city": "Ghent"}, headers={"if-match": f'"{version - 1}"'}), 412)
        ok(team.owner.patch(old, {"city": "Ghent"}, headers={"if-match": f'"{version}"'}))

    def test_a_repeated_request_is_done_once(self, team: Team, merged: Merged) -> None:
        path, headers = f"/contacts/{merged[1]['id']}/interactions", {"idempotency-key": "once"}
        first, again = (team.owner.post(path, {"type": "call"}, headers=headers) for _ in range(2))
        assert (created(first), again.headers["idempotency-replayed"]) == (created(again), "true")
        assert {answer.headers["daybook-merged-into"] for answer in (first, again)} == {merged[0]["id"]}

    def test_is_followed_as_often_as_there_were_merges(self, team: Team, merged: Merged) -> None:
        winner, loser = merged
        last = team.owner.contact()
        ok(team.owner.post(f"/contacts/{last['id']}/merge", {"loserId": winner["id"]}))
        assert ok(team.owner.patch(f"/contacts/{loser['id']}", {"city": "Ghent"}))["data"]["id"] == last["id"]

    def test_deletes_nothing_and_undoes_nothing(self, team: Team, merged: Merged) -> None:
        winner, loser = merged
        refused(team.owner.delete(f"/contacts/{loser['id']}"), 404, says="contact")
        refused(team.owner.post(f"/contacts/{loser['id']}/merge/undo", {}), 404, says="contact")
        assert team.owner.shown(f"/contacts/{loser['id']}")["id"] == winner["id"]

    def test_after_an_undo_is_its_own_again(self, team: Team, merged: Merged) -> None:
        winner, loser = merged
        ok(team.owner.post(f"/contacts/{winner['id']}/merge/undo", {}))
        answer = team.owner.patch(f"/contacts/{loser['id']}", {"city": "Ghent"})
        assert (ok(answer)["data"]["id"], "daybook-merged-into" in answer.headers) == (loser["id"], False)
        assert team.owner.shown(f"/contacts/{winner['id']}")["city"] is None

    def test_has_its_own_past(self, team: Team, merged: Merged) -> None:
        told = [entry["event"] for entry in team.owner.listed(f"/contacts/{merged[1]['id']}/history")]
        assert told == ["contact.deleted", "contact.created"]

    def test_of_nothing_and_of_another_workspaces_is_still_not_found(self, team: Team, others: Team) -> None:
        foreign = others.owner.contact()
        ok(others.owner.post(f"/contacts/{others.owner.contact()['id']}/merge", {"loserId": foreign["id"]}))
        for missing in (str(uuid4()), foreign["id"]):
            refused(team.owner.get(f"/contacts/{missing}/tags"), 404, says="contact")
            refused(team.owner.post("/notes", {"content": "x", "contactId": missing}), 422, "contactId")


LISTS = [
    path.removeprefix("/api/v1")
    for path, operations in OPENAPI["paths"].items()
    if any(
        one.get("name") == "contactId" and one["in"] == "query"
        for one in operations.get("get", {}).get("parameters", ())
    )
]


ITS_OWN_LISTS = {"/access-log", "/contacts/duplicates/dismissals"}
"""What was said of the one that is gone, and who read it."""


class TestInAFilter:
    @pytest.mark.parametrize("path", sorted({*LISTS} - ITS_OWN_LISTS - {"/deals/export"}))
    def test_finds_what_the_other_has(self, team: Team, path: str) -> None:
        winner, loser = team.owner.contact(), team.owner.contact()
        their = {"contactId": loser["id"]}
        team.owner.deal(**their)
        created(team.owner.post("/notes", {"content": "x", **their}))
        created(team.owner.post("/tasks", {"title": "Call back", **their}))
        created(team.owner.post("/calls", {"direction": "inbound", "status": "missed", **their}))
        ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
        found = ok(team.owner.get(path, params={"contactId": loser["id"]}))
        assert [one["contactId"] for one in found["data"]] == [winner["id"]]
        assert found == ok(team.owner.get(path, params={"contactId": winner["id"]}))
        assert team.owner.listed(path, contactId=str(uuid4())) == []
        assert team.limited.listed(path, contactId=loser["id"]) == []

    def test_exports_what_the_other_has(self, team: Team, merged: Merged) -> None:
        winner, loser = merged
        team.owner.deal()
        lines = team.owner.get("/deals/export", params={"contactId": loser["id"], "format": "ndjson"}).text.splitlines()
        assert [json.loads(line)["contactId"] for line in lines] == [winner["id"]]


class TestInABody:
    @pytest.mark.parametrize(
        ("path", "body"),
        [
            ("/notes", {"content": "x"}),
            ("/tasks", {"title": "Call back"}),
            ("/calls", {"direction": "inbound", "status": "missed"}),
        ],
    )
    def test_what_is_about_it_is_about_the_other(
        self, team: Team, merged: Merged, path: str, body: dict[str, Any]
    ) -> None:
        winner, loser = merged
        made = created(team.owner.post(path, {**body, "contactId": loser["id"]}))
        assert made["contactId"] == winner["id"]
        refused(team.limited.post(path, {**body, "contactId": loser["id"]}), 422, "contactId")

    def test_a_deal_is_with_the_other_and_goes_over_to_it(self, team: Team, merged: Merged) -> None:
        winner, loser = merged
        assert team.owner.deal(contactId=loser["id"])["contactId"] == winner["id"]
        deal = team.owner.deal()
        changed = ok(team.owner.patch(f"/deals/{deal['id']}", {"contactId": loser["id"]}))["data"]
        assert changed["contactId"] == winner["id"]

    def test_of_what_else_is_wrong_it_is_told_as_ever(self, team: Team, merged: Merged) -> None:
        body = {"content": "x", "contactId": merged[1]["id"], "dealId": str(uuid4())}
        refused(team.owner.post("/notes", body), 422, "dealId")

    @pytest.mark.parametrize("entity", ["contact", "company", "deal"])
    def test_a_custom_field_refers_to_the_other(self, team: Team, merged: Merged, entity: str) -> None:
        winner, loser = merged
        define(team, key="agent", type="related", entity=entity)
        make, given = getattr(team.owner, entity), {"customFields": {"agent": loser["id"].upper()}}
        assert make(**given)["customFields"] == {"agent": winner["id"]}
        path = f"/{entity.replace('y', 'ie')}s/{make()['id']}"
        assert ok(team.owner.patch(path, given))["data"]["customFields"] == {"agent": winner["id"]}

    def test_a_custom_field_refers_to_no_other_that_the_caller_does_not_see(self, team: Team, merged: Merged) -> None:
        define(team, key="agent", type="related")
        old = merged[1]["id"]
        theirs, given = team.limited.contact(), {"customFields": {"agent": old}}
        refused(team.limited.patch(f"/contacts/{theirs['id']}", given), 422, "customFields.agent", says=old)

    def test_a_record_is_related_to_the_other_and_found_by_either(self, team: Team, merged: Merged) -> None:
        defined(team, "projects", attributes=[{"name": "Client", "type": "relation", "relatedTo": "contact"}])
        path = "/objects/projects/records"
        made = created(team.owner.post(path, {"title": "Brewery", "attributes": {"Client": merged[1]["id"]}}))
        assert made["attributes"]["Client"] == merged[0]["id"]
        for contact in merged:
            condition = {"field": "attributes.Client", "operator": "eq", "value": contact["id"]}
            wanted = {"filter": {"match": "all", "conditions": [condition]}}
            assert [one["id"] for one in ok(team.owner.post(f"{path}/search", wanted))["data"]] == [made["id"]]


def test_its_tags_are_those_of_the_other(team: Team, merged: Merged) -> None:
    winner, loser = merged
    nobody = str(uuid4())
    asked_for = {"ids": f"{loser['id']},{winner['id']},{nobody}"}
    found = ok(team.owner.get("/contacts/tags", params=asked_for))["data"]
    assert found.keys() == {winner["id"], loser["id"]}
    assert found[loser["id"]] == found[winner["id"]] != []
    assert ok(team.owner.get("/contacts/tags", params={"ids": loser["id"]}))["data"].keys() == {loser["id"]}
    assert ok(team.limited.get("/contacts/tags", params={"ids": loser["id"]}))["data"] == {}


class TestOfMany:
    def test_the_other_is_changed_and_tagged_and_not_deleted(self, team: Team, merged: Merged, done: Done) -> None:
        winner, loser = merged
        asked = {"ids": [loser["id"]]}
        jobs = [
            done(team.owner.post("/bulk/contacts/update", {**asked, "updates": {"city": "Ghent"}})),
            done(team.owner.post("/bulk/contacts/tag", {**asked, "tags": ["Lead"]})),
            done(team.owner.post("/bulk/contacts/delete", asked)),
        ]
        assert [job["errors"] for job in jobs] == [0, 0, 1]
        shown = team.owner.shown(f"/contacts/{winner['id']}")
        assert (shown["city"], shown["tags"]) == ("Ghent", ["VIP", "Lead"])

    def test_deals_that_are_changed_or_imported_are_with_the_other(
        self, team: Team, merged: Merged, done: Done
    ) -> None:
        winner, loser = merged
        deal = team.owner.deal()
        body = {"ids": [deal["id"]], "updates": {"contactId": loser["id"]}}
        done(team.owner.post("/bulk/deals/update", body))
        assert team.owner.shown(f"/deals/{deal['id']}")["contactId"] == winner["id"]
        row = {"name": "Fabrikam", "value": 1, "pipelineId": deal["pipelineId"], "contactId": loser["id"]}
        for made in (1, 0):
            answer = ok(team.owner.post("/deals/import", {"deals": [row]}))["data"]
            assert (answer["created"], answer["errorCount"]) == (made, 0)
        (found,) = team.owner.listed("/deals", search="Fabrikam")
        assert found["contactId"] == winner["id"]
