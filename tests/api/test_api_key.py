"""API keys over HTTP: what they may do, for how long, and that nothing but their maker ever sees one."""

from __future__ import annotations

import time
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.membership import MEMBERSHIP, ChangeMembership, RevokeMembership
from eventstore.append import Origin
from eventstore.database import Db
from projections.api_key import API_KEYS
from projections.membership import MEMBERSHIPS
from schemas.log import Actor
from tests.api.asserting import gone, ok, refused
from tests.api.team import PASSWORD, Member, Team, created


def with_key(made: dict[str, Any], member: Member) -> Member:
    return replace(member, token=made["rawKey"])


class TestCreating:
    def test_answers_the_key_this_once(self, team: Team) -> None:
        answer = team.admin.post("/api-keys", {"name": "Web shop", "scopes": ["tags:read", "contacts:write"]})
        made = created(answer)
        raw = made.pop("rawKey")
        assert raw.startswith("dbk_")
        assert raw.startswith(made["keyPrefix"])
        assert len(raw) > 40
        assert made["scopes"] == ["contacts:write", "tags:read"]
        assert made["creatorEmail"] == team.admin.email
        assert answer.headers["cache-control"] == "no-store"
        assert [key for key in team.admin.listed("/api-keys") if key["id"] == made["id"]] == [made]
        for path in ("/api-keys", "/log", "/activities"):
            assert raw not in team.admin.get(path).text

    def test_it_acts_in_its_workspace_with_its_creators_role(self, team: Team) -> None:
        made = created(team.admin.post("/api-keys", {"name": "k"}))
        me = ok(with_key(made, team.admin).get("/auth/me"))
        assert (me["user"]["role"], me["workspace"]["id"]) == ("admin", str(team.workspace_id))

    def test_it_is_kept_as_a_hash_and_never_in_the_log(self, team: Team, owner: Db) -> None:
        raw = created(team.owner.post("/api-keys", {"name": "k"}))["rawKey"]
        found = owner.execute(
            "SELECT count(*) FROM api_key_secrets WHERE key_hash = sha256(%s::bytea)", (raw.encode(),)
        ).fetchone()
        assert found == (1,)
        digest = owner.execute("SELECT encode(sha256(%s::bytea), 'hex')", (raw.encode(),)).fetchone()
        assert digest is not None
        log = team.owner.get("/log?limit=1000").text
        assert raw[12:] not in log
        assert digest[0] not in log

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"name": ""}, "name"),
            ({"name": "k", "scopes": []}, "scopes"),
            ({"name": "k", "scopes": ["contacts"]}, "scopes"),
            ({"name": "k", "scopes": ["contacts:delete"]}, "scopes"),
            ({"name": "k", "scopes": ["a:b:c"]}, "scopes"),
            ({"name": "k", "scopes": "*"}, "scopes"),
            ({"name": "k", "expiresAt": "2001-01-01T00:00:00Z"}, "expiresAt"),
            ({"name": "k", "expiresAt": "0001-01-01T00:00:00+14:00"}, "expiresAt"),
            ({"name": "k", "expiresAt": "2199-01-01T00:00:00"}, "expiresAt"),
            ({"name": "k", "expiresAt": "tomorrow"}, "expiresAt"),
            ({"name": "k", "rawKey": "dbk_mine"}, "rawKey"),
        ],
    )
    def test_what_is_not_acceptable_names_its_field(self, team: Team, body: dict[str, Any], field: str) -> None:
        refused(team.owner.post("/api-keys", body), 422, field)

    def test_who_may_not_do_a_thing_cannot_make_a_key_that_may(self, team: Team) -> None:
        key = team.key("api-keys:write", "contacts:read")
        made = created(key.post("/api-keys", {"name": "k", "scopes": ["contacts:read", "api-keys:read"]}))
        ok(with_key(made, key).get("/contacts"))
        for scope in ("*", "admin", "contacts:write", "tags:read", "a:b:c", "contacts"):
            refused(key.post("/api-keys", {"name": "k", "scopes": [scope]}), 422, "scopes")

    def test_only_admins_see_make_and_revoke_them(self, team: Team) -> None:
        made = created(team.owner.post("/api-keys", {"name": "k"}))
        for somebody in (team.member, team.limited, team.viewer):
            refused(somebody.get("/api-keys"), 403)
            refused(somebody.post("/api-keys", {"name": "k"}), 403)
            refused(somebody.delete(f"/api-keys/{made['id']}"), 403)


class TestScopes:
    @pytest.mark.parametrize(
        ("scopes", "read", "write"),
        [
            (["*"], True, True),
            (["admin"], True, True),
            (["tags:write"], True, True),
            (["tags:read"], True, False),
            (["contacts:write", "log:read"], False, False),
        ],
    )
    def test_writing_includes_reading_and_nothing_else_is_included(
        self, team: Team, scopes: list[str], read: bool, write: bool
    ) -> None:
        key = team.key(*scopes)
        assert key.get("/tags").status_code == (200 if read else 403)
        assert key.post("/tags", {"name": "A"}).status_code == (201 if write else 403)

    def test_a_refusal_names_the_scope_that_is_missing(self, team: Team) -> None:
        refused(team.key("tags:read").get("/contacts"), 403, says="contacts:read")

    def test_a_key_may_not_do_what_its_user_may_not(self, team: Team) -> None:
        refused(team.key("*", of=team.viewer).post("/tags", {"name": "A"}), 403)
        refused(team.key("*", of=team.member).patch("/workspace", {"name": "Mine"}), 403)
        contact = team.owner.contact(firstName="Not theirs")
        refused(team.key("*", of=team.limited).get(f"/contacts/{contact['id']}"), 404)


class TestItsLife:
    def test_revoking_takes_effect_at_once_and_the_record_stays(self, team: Team) -> None:
        made = created(team.owner.post("/api-keys", {"name": "k"}))
        key = with_key(made, team.owner)
        ok(key.get("/contacts"))
        gone(team.owner.delete(f"/api-keys/{made['id']}"))
        refused(key.get("/contacts"), 401)
        (found,) = [found for found in team.owner.listed("/api-keys") if found["id"] == made["id"]]
        assert found["isActive"] is False
        gone(team.owner.delete(f"/api-keys/{made['id']}"))
        assert [entry["type"] for entry in ok(team.owner.get("/log"))["data"]][-1] == "api_key.revoked"

    def test_it_may_revoke_itself(self, team: Team) -> None:
        made = created(team.owner.post("/api-keys", {"name": "k"}))
        key = with_key(made, team.owner)
        gone(key.delete(f"/api-keys/{made['id']}"))
        refused(key.delete(f"/api-keys/{made['id']}"), 401)

    def test_it_expires(self, team: Team, owner: Db) -> None:
        soon = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
        made = created(team.owner.post("/api-keys", {"name": "k", "expiresAt": soon}))
        owner.execute(f"UPDATE {API_KEYS.table} SET expires_at = now() WHERE id = %s", (made["id"],))
        refused(with_key(made, team.owner).get("/contacts"), 401)

    def test_one_that_has_expired_is_listed_as_inactive(self, team: Team) -> None:
        soon = datetime.now(UTC) + timedelta(seconds=1)
        made = created(team.owner.post("/api-keys", {"name": "k", "expiresAt": soon.isoformat()}))
        assert made["isActive"] is True
        time.sleep(1.1)
        assert [key["isActive"] for key in team.owner.listed("/api-keys")] == [False]
        refused(with_key(made, team.owner).get("/contacts"), 401)

    def test_a_far_expiry_is_as_good_as_none(self, team: Team) -> None:
        made = created(team.owner.post("/api-keys", {"name": "k", "expiresAt": "9999-12-31T23:59:59Z"}))
        ok(with_key(made, team.owner).get("/contacts"))
        assert team.owner.listed("/api-keys")[0]["expiresAt"] == "9999-12-31T23:59:59Z"

    def test_when_it_was_last_used_is_kept(self, team: Team) -> None:
        made = created(team.owner.post("/api-keys", {"name": "k"}))
        assert made["lastUsedAt"] is None
        before = datetime.now(UTC)
        ok(with_key(made, team.owner).get("/contacts"))
        (found,) = [found for found in team.owner.listed("/api-keys") if found["id"] == made["id"]]
        assert abs(datetime.fromisoformat(found["lastUsedAt"]) - before) < timedelta(seconds=5)

    def test_it_ends_with_its_users_membership(self, team: Team, owner: Db) -> None:
        key = team.key("*", of=team.member)
        row = owner.execute(
            f"SELECT id FROM {MEMBERSHIPS.table} WHERE user_id = %s", (team.member.account_id,)
        ).fetchone()
        assert row is not None
        origin = Origin(team.workspace_id, Actor(type="system"))
        team.services.store.run(origin, lambda unit: unit.execute(MEMBERSHIP, row[0], ChangeMembership(role="viewer")))
        refused(key.post("/tags", {"name": "A"}), 403)
        team.services.store.run(origin, lambda unit: unit.execute(MEMBERSHIP, row[0], RevokeMembership()))
        refused(key.get("/tags"), 403, says="not a member")
        refused(team.member.get("/tags"), 403, says="not a member")


class TestListing:
    def test_newest_first_with_who_made_each(self, team: Team) -> None:
        for name in ("A", "B"):
            created(team.admin.post("/api-keys", {"name": name}))
        keys = team.owner.listed("/api-keys")
        assert [key["name"] for key in keys] == ["B", "A"]
        assert {key["creatorEmail"] for key in keys} == {team.admin.email}
        assert {key["workspaceId"] for key in keys} == {str(team.workspace_id)}
        assert all("rawKey" not in key for key in keys)

    def test_in_pages(self, team: Team) -> None:
        for name in ("A", "B", "C"):
            created(team.owner.post("/api-keys", {"name": name}))
        answer = ok(team.owner.get("/api-keys?limit=2"))
        assert (answer["meta"]["total"], answer["meta"]["totalPages"]) == (3, 2)
        rest = team.owner.listed("/api-keys", limit=2, cursor=answer["meta"]["nextCursor"])
        assert [key["name"] for key in rest] == ["A"]

    def test_what_is_not_there_is_not_found(self, team: Team, others: Team) -> None:
        refused(team.owner.delete(f"/api-keys/{uuid4()}"), 404)
        theirs = created(others.owner.post("/api-keys", {"name": "k"}))
        refused(team.owner.delete(f"/api-keys/{theirs['id']}"), 404)
        ok(with_key(theirs, others.owner).get("/contacts"))


def test_a_key_chooses_among_its_users_workspaces(team: Team, others: Team) -> None:
    others.let_in(team.owner, "admin")
    key = team.key()
    contact = created(key.post("/contacts", {"firstName": "A"}, headers={"x-workspace-id": str(others.workspace_id)}))
    assert [found["id"] for found in others.owner.listed("/contacts")] == [contact["id"]]
    assert team.owner.listed("/contacts") == []
    refused(key.get("/contacts", headers={"x-workspace-id": str(uuid4())}), 403)
    refused(key.get("/contacts", headers={"x-workspace-id": "theirs"}), 400, says="X-Workspace-Id")


class TestChoosingAWorkspace:
    @pytest.mark.parametrize("name", ["workspaceId", "workspace%49d", "%77orkspaceId"])
    def test_in_the_query_however_it_is_written(self, team: Team, others: Team, name: str) -> None:
        others.let_in(team.owner, "admin")
        contact = others.owner.contact()
        found = ok(team.owner.get(f"/contacts?{name}={others.workspace_id}"))["data"]
        assert [one["id"] for one in found] == [contact["id"]]
        refused(team.owner.get(f"/contacts?{name}=theirs"), 400, says="X-Workspace-Id")
        refused(team.owner.get(f"/contacts?{name}="), 400, says="X-Workspace-Id")

    def test_more_than_one_at_once_is_refused(self, team: Team, others: Team) -> None:
        others.let_in(team.owner, "admin")
        ours, theirs = str(team.workspace_id), str(others.workspace_id)
        for query, headers in (
            (f"workspaceId={ours}", {"x-workspace-id": theirs}),
            (f"workspace%49d={ours}&workspaceId={theirs}", {}),
            ("limit=1", {"x-workspace-id": ours, "x-org-id": theirs}),
        ):
            refused(team.owner.get(f"/contacts?{query}", headers=headers), 400, says="different workspaces")
        same = {"x-workspace-id": theirs.upper(), "x-org-id": theirs}
        answer = team.owner.get(f"/auth/me?workspaceId={theirs}", headers=same)
        assert ok(answer)["workspace"]["id"] == theirs

    def test_so_it_is_with_logging_in(self, team: Team, others: Team) -> None:
        others.let_in(team.owner, "viewer")
        body = {"email": team.email, "password": PASSWORD}
        theirs = str(others.workspace_id)
        session = ok(team.anonymous.post(f"/auth/login?workspaceId={theirs}", body))
        assert session["workspace"]["id"] == theirs
        headers = {"x-workspace-id": str(team.workspace_id)}
        refused(team.anonymous.post(f"/auth/login?workspaceId={theirs}", body, headers=headers), 400)
