"""The history of one thing over HTTP, and what differs in it between two moments."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from tests.api.asserting import gone, ok, refused
from tests.api.sweeps.operations import OPERATIONS
from tests.api.team import Member, Team, created

NO_STREAMS = {"/audit/exports/{exportId}", "/jobs/{jobId}", "/webhooks/{webhookId}/deliveries/{deliveryId}"}
"""What is done, made or sent is kept beside the log."""


def test_whatever_is_read_by_a_path_of_its_own_has_a_past() -> None:
    asked = {op.path for op in OPERATIONS if op.method == "GET"}
    things = {path for path in asked if path.endswith("}")} - NO_STREAMS
    assert len(things) > 15
    assert {f"{path}/{past}" for path in things for past in ("history", "diff", "explain")} <= asked


def events(member: Member, path: str, **params: Any) -> list[str]:
    return [entry["event"] for entry in member.listed(f"{path}/history", **params)]


def latest(member: Member, path: str) -> dict[str, Any]:
    return member.listed(f"{path}/history", limit=1)[0]


def seq_of(answer: Any) -> str:
    return str(answer.headers["daybook-seq"])


def name_of(member: Member) -> str:
    return str(ok(member.get("/auth/me"))["user"]["name"])


def diff(member: Member, path: str, **moments: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(member.get(f"{path}/diff", params=moments))["data"]
    return found


class TestWhatIsTold:
    def test_each_change_newest_first_with_from_and_to_as_in_the_audit_trail(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact(firstName='Ann', company='Acme', customFields={'a': 1})['id']}"
        body = {"company": None, "lastName": "Lee", "customFields": {"a": 2, "b": 3}}
        ok(team.owner.patch(path, body))
        changed, made = team.owner.listed(f"{path}/history")
        assert (changed["event"], changed["action"], changed["version"]) == ("contact.updated", "updated", 2)
        assert changed["changes"] == team.owner.listed("/activities", limit=1)[0]["changes"]
        assert changed["changes"] == {
            "company": {"from": "Acme", "to": None},
            "lastName": {"from": None, "to": "Lee"},
            "customFields": {"from": {"a": 1, "b": None}, "to": {"a": 2, "b": 3}},
        }
        assert (made["event"], made["action"], made["version"]) == ("contact.created", "created", 1)
        assert made["changes"]["firstName"] == {"from": None, "to": "Ann"}
        assert made["changes"]["customFields"] == {"from": {"a": None}, "to": {"a": 1}}
        assert not made["changes"].keys() & {"lastName", "tags", "communicationPreferences"}

    def test_when_by_whom_and_for_which_request(self, team: Team) -> None:
        tag = team.owner.tag()
        path = f"/tags/{tag['id']}"
        answer = team.admin.patch(path, {"color": "#112233"}, headers={"x-request-id": "paint-1"})
        told = latest(team.owner, path)
        (logged,) = ok(team.owner.get("/log", params={"after": told["seq"] - 1, "limit": 1}))["data"]
        assert str(told["seq"]) == seq_of(answer)
        assert (told["id"], told["recordedAt"]) == (logged["id"], logged["recordedAt"])
        meta = logged["meta"]
        assert told["occurredAt"] == meta["occurredAt"] <= told["recordedAt"]
        assert told["actor"] == meta["actor"] == {"type": "user", "id": str(team.admin.account_id)}
        assert (told["userId"], told["userName"]) == (str(team.admin.account_id), name_of(team.admin))
        assert told["requestId"] == meta["requestId"] == "paint-1"
        assert (told["correlationId"], told["causationId"]) == (meta["correlationId"], None)

    def test_of_a_key_the_user_behind_it(self, team: Team) -> None:
        tag = team.key("tags:write", of=team.admin).tag("A")
        told = latest(team.owner, f"/tags/{tag['id']}")
        assert told["actor"]["type"] == "api_key"
        assert (told["userId"], told["userName"]) == (str(team.admin.account_id), name_of(team.admin))

    def test_the_fields_that_an_event_changes_and_the_names_that_it_has_beside_them(self, team: Team) -> None:
        contact, tag = team.owner.contact(), team.owner.tag("VIP")
        path = f"/contacts/{contact['id']}"
        ok(team.owner.post(f"{path}/tags", {"tags": "VIP"}))
        ok(team.owner.patch(f"/tags/{tag['id']}", {"name": "Very important"}))
        told = latest(team.owner, path)
        assert told["changes"] == {
            "tags": {"from": [], "to": [tag["id"]]},
            "tagId": {"from": None, "to": tag["id"]},
            "tagName": {"from": None, "to": "VIP"},
        }

    def test_what_a_thing_was_when_it_ended(self, team: Team) -> None:
        tag = team.owner.tag("VIP", color="#112233")
        gone(team.owner.delete(f"/tags/{tag['id']}"))
        told = latest(team.owner, f"/tags/{tag['id']}")
        assert (told["event"], told["action"]) == ("tag.deleted", "deleted")
        assert told["changes"]["name"] == {"from": "VIP", "to": None}
        assert told["changes"]["color"] == {"from": "#112233", "to": None}

    def test_no_secret_is_in_it(self, team: Team) -> None:
        key = created(team.owner.post("/api-keys", {"name": "Web shop"}))
        hook = created(team.owner.post("/webhooks", {"url": "https://example.com/in", "events": ["*"]}))
        ok(team.owner.post(f"/webhooks/{hook['id']}/rotate-secret"))
        for path, secret in ((f"/api-keys/{key['id']}", key["rawKey"]), (f"/webhooks/{hook['id']}", hook["secret"])):
            for asked in ("history", "diff?from=0"):
                text = team.owner.get(f"{path}/{asked}").text
                assert secret.split("_")[-1] not in text
                assert "hash" not in text
                assert "secret" not in text.replace("webhook.secret_rotated", "")

    def test_of_a_job_what_began_it(self, team: Team) -> None:
        rows = {"rows": [{"First Name": "Ann"}]}
        answer = ok(team.owner.post("/contacts/import", rows))["data"]
        (contact,) = team.owner.listed("/contacts")
        told = latest(team.owner, f"/contacts/{contact['id']}")
        (begun,) = team.owner.listed("/activities", entityType="contact_import", action="created")
        assert (told["correlationId"], told["causationId"]) == (answer["importId"], begun["id"])


class TestWhoMayReadIt:
    def test_what_has_ended_keeps_its_history_for_those_who_see_everything(self, team: Team) -> None:
        contact = team.owner.contact(assignedTo=str(team.limited.account_id))
        path = f"/contacts/{contact['id']}"
        assert events(team.limited, path) == ["contact.created"]
        gone(team.owner.delete(path))
        for member in (team.owner, team.admin, team.member, team.viewer, team.key("contacts:read")):
            assert events(member, path) == ["contact.deleted", "contact.created"]
            assert diff(member, path, **{"from": "0"})["to"]["existed"] is False
        for asked in ("history", "diff?from=0"):
            refused(team.limited.get(f"{path}/{asked}"), 404, says="No such contact")

    def test_a_limited_member_has_that_of_what_they_see_now(self, team: Team) -> None:
        path = f"/contacts/{team.owner.contact()['id']}"
        for asked in ("history", "diff?from=0"):
            refused(team.limited.get(f"{path}/{asked}"), 404, says="No such contact")
        ok(team.owner.patch(path, {"assignedTo": str(team.limited.account_id)}))
        assert events(team.limited, path) == ["contact.updated", "contact.created"]
        ok(team.owner.patch(path, {"assignedTo": None}))
        refused(team.limited.get(f"{path}/history"), 404)

    def test_a_limited_member_has_none_of_a_note_on_what_is_others(self, team: Team) -> None:
        mine, theirs = team.owner.contact(assignedTo=str(team.limited.account_id)), team.owner.contact()
        note = created(team.owner.post("/notes", {"content": "A", "contactId": mine["id"]}))
        assert events(team.limited, f"/notes/{note['id']}") == ["note.created"]
        ok(team.owner.patch(f"/notes/{note['id']}", {"contactId": theirs["id"]}))
        refused(team.limited.get(f"/notes/{note['id']}/history"), 404)

    def test_a_limited_member_has_none_of_a_user_who_is_no_member_any_more(self, team: Team) -> None:
        former = team.join("member")
        path = f"/users/{former.account_id}"
        assert events(team.limited, path)[-1] == "user.registered"
        assert team.owner.delete(path).is_success
        refused(team.limited.get(f"{path}/history"), 404, says="user")
        assert events(team.owner, path)[-1] == "user.registered"

    def test_what_never_was_is_not_found_nor_what_is_of_another_kind(self, team: Team) -> None:
        tag = team.owner.tag()
        for nothing in (tag["id"], uuid4()):
            for asked in ("history", "diff?from=0"):
                for kind in ("contacts", "users", "api-keys", "custom-fields"):
                    refused(team.owner.get(f"/{kind}/{nothing}/{asked}"), 404, says="No such")


class TestBelowOthers:
    def test_a_stage_is_found_below_its_own_pipeline_even_when_it_has_ended(self, team: Team) -> None:
        stages = [{"name": "Lead"}, {"name": "Talk"}]
        pipeline, other = (created(team.owner.post("/pipelines", {"name": name, "stages": stages})) for name in "AB")
        stage = pipeline["stages"][1]["id"]
        for _ in range(2):
            assert events(team.owner, f"/pipelines/{pipeline['id']}/stages/{stage}")[-1] == "stage.created"
            refused(team.owner.get(f"/pipelines/{other['id']}/stages/{stage}/history"), 404, says="stage")
            team.owner.delete(f"/pipelines/{pipeline['id']}/stages/{stage}")

    def test_a_record_is_found_by_the_slug_of_its_type_and_later_by_its_id(self, team: Team) -> None:
        kind = created(team.owner.post("/objects", {"name": "Projects", "slug": "projects"}))
        record = created(team.owner.post("/objects/projects/records", {"title": "Brewery"}))
        assert events(team.owner, f"/objects/projects/records/{record['id']}") == ["object_record.created"]
        gone(team.owner.delete("/objects/projects"))
        refused(team.owner.get("/objects/projects/history"), 404, says="object type")
        assert events(team.owner, f"/objects/{kind['id']}") == ["object_type.deleted", "object_type.created"]
        ended = f"/objects/{kind['id']}/records/{record['id']}"
        assert events(team.owner, ended) == ["object_record.deleted", "object_record.created"]

    def test_a_custom_value_is_found_by_its_key_and_later_by_its_id(self, team: Team) -> None:
        value = ok(team.owner.ask("PUT", "/custom-values/sender", json={"value": "Olga"}))["data"]
        ok(team.owner.ask("PUT", "/custom-values/sender", json={"value": "Olga of Acme"}))
        wanted = ["custom_value.updated", "custom_value.created"]
        assert events(team.owner, "/custom-values/sender") == wanted
        gone(team.owner.delete("/custom-values/sender"))
        refused(team.owner.get("/custom-values/sender/history"), 404, says="custom value")
        assert events(team.owner, f"/custom-values/{value['id']}") == ["custom_value.deleted", *wanted]

    def test_what_has_no_operation_of_its_own_to_be_read_by_has_one_to_read_its_past_by(self, team: Team) -> None:
        assert events(team.owner, "/workspace") == ["workspace.created"]
        (view,) = ok(team.owner.ask("PUT", "/contacts/views", json={"views": [{"name": "All"}]}))["data"]
        assert events(team.owner, f"/contacts/views/{view['id']}") == ["smart_list.created"]
        matching = {"match": "all", "conditions": [{"field": "city", "operator": "eq", "value": "Bonn"}]}
        segment = created(team.owner.post("/segments", {"name": "In Bonn", "filter": matching}))
        assert events(team.owner, f"/segments/{segment['id']}") == ["segment.created"]


class TestPages:
    def test_by_page_and_by_cursor_while_others_write(self, team: Team) -> None:
        path = f"/tags/{team.owner.tag()['id']}"
        for number in range(6):
            ok(team.owner.patch(path, {"name": f"Tag {number}"}))
        answer = ok(team.owner.get(f"{path}/history"))
        versions = [entry["version"] for entry in answer["data"]]
        assert versions == [7, 6, 5, 4, 3, 2, 1]
        assert answer["meta"] == {"page": 1, "limit": 50, "total": 7, "totalPages": 1, "nextCursor": None}
        by_page = [e["version"] for page in (1, 2, 3) for e in team.owner.listed(f"{path}/history", page=page, limit=3)]
        assert by_page == versions
        by_cursor: list[int] = []
        params: dict[str, Any] = {"limit": 3}
        while True:
            page = ok(team.owner.get(f"{path}/history", params=params))
            by_cursor += [entry["version"] for entry in page["data"]]
            ok(team.owner.patch(path, {"name": f"Tag of {len(by_cursor)}"}))
            if (cursor := page["meta"]["nextCursor"]) is None:
                break
            params["cursor"] = cursor
        assert by_cursor == versions
        assert page["meta"]["total"] == 9

    @pytest.mark.parametrize("cursor", ["x", "WyItc2VxIiwieCJd"])
    def test_a_cursor_of_anything_else_is_refused(self, team: Team, cursor: str) -> None:
        refused(team.owner.get(f"/tags/{team.owner.tag()['id']}/history", params={"cursor": cursor}), 400, "cursor")


class TestDifferences:
    def test_field_by_field_and_custom_fields_by_key_between_two_moments(self, team: Team) -> None:
        answer = team.owner.post("/contacts", {"firstName": "Ann", "company": "Acme", "customFields": {"a": 1, "b": 2}})
        path = f"/contacts/{created(answer)['id']}"
        ok(team.owner.patch(path, {"city": "Bonn", "customFields": {"a": None, "c": "Bonn"}}))
        last = team.owner.patch(path, {"city": "Köln", "customFields": {"c": "Köln"}})
        ok(team.owner.patch(path, {"company": "Other"}))
        assert diff(team.owner, path, **{"from": seq_of(answer), "to": seq_of(last)}) == {
            "from": {"seq": int(seq_of(answer)), "existed": True, "version": 1},
            "to": {"seq": int(seq_of(last)), "existed": True, "version": 3},
            "changes": {
                "city": {"from": None, "to": "Köln"},
                "customFields.a": {"from": 1, "to": None},
                "customFields.c": {"from": None, "to": "Köln"},
            },
        }

    def test_without_to_until_now(self, team: Team) -> None:
        answer = team.owner.post("/tags", {"name": "A"})
        path = f"/tags/{created(answer)['id']}"
        ok(team.owner.patch(path, {"color": "#112233"}))
        found = diff(team.owner, path, **{"from": seq_of(answer)})
        assert found["changes"] == {"color": {"from": None, "to": "#112233"}}
        assert found["to"]["seq"] == ok(team.owner.get("/log", params={"limit": 1}))["meta"]["head"]

    def test_at_times(self, team: Team) -> None:
        tag = team.owner.tag("A")
        path = f"/tags/{tag['id']}"
        ok(team.owner.patch(path, {"name": "B"}))
        second, first = (entry["recordedAt"] for entry in team.owner.listed(f"{path}/history"))
        found = diff(team.owner, path, **{"from": first, "to": second})
        assert found["changes"]["name"] == {"from": "A", "to": "B"}
        assert [found[side]["version"] for side in ("from", "to")] == [1, 2]

    def test_before_it_began_and_once_it_had_ended_it_did_not_exist(self, team: Team) -> None:
        before = team.owner.post("/tags", {"name": "B"})
        answer = team.owner.post("/tags", {"name": "A"})
        path = f"/tags/{created(answer)['id']}"
        gone(team.owner.delete(path))
        nowhere = {"existed": False, "version": None}
        made = diff(team.owner, path, **{"from": seq_of(before), "to": seq_of(answer)})
        assert made["from"] == {"seq": int(seq_of(before)), **nowhere}
        assert made["changes"]["name"] == {"from": None, "to": "A"}
        ended = diff(team.owner, path, **{"from": seq_of(answer)})
        assert {**ended["to"], **nowhere} == ended["to"]
        assert ended["changes"]["name"] == {"from": "A", "to": None}
        neither = diff(team.owner, path, **{"from": "0", "to": seq_of(before)})
        assert (neither["from"], neither["changes"]) == ({"seq": 0, **nowhere}, {})

    @pytest.mark.parametrize(
        ("moments", "field", "says"),
        [
            ({"from": "yesterday"}, "from", "must be an RFC 3339 time"),
            ({"from": "2026-03-15"}, "from", "must be an RFC 3339 time"),
            ({"from": "2126-03-15T00:00:00Z"}, "from", "future"),
            ({"from": "999999"}, "from", "ahead of the log"),
            ({"from": "0", "to": "now"}, "to", "must be an RFC 3339 time"),
            ({"from": "0", "to": "2126-03-15T00:00:00Z"}, "to", "future"),
            ({"from": "2", "to": "1"}, "from", "must not be after to"),
        ],
    )
    def test_what_is_no_moment_of_the_past_is_refused_by_name(
        self, team: Team, moments: dict[str, str], field: str, says: str
    ) -> None:
        answer = team.owner.get(f"/tags/{team.owner.tag()['id']}/diff", params=moments)
        refused(answer, 422, field, says=says)

    def test_from_must_be_given(self, team: Team) -> None:
        refused(team.owner.get(f"/tags/{team.owner.tag()['id']}/diff"), 400, "from")
