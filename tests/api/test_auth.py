"""Accounts and sessions over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest

from eventstore.database import Db
from tests.api.asserting import gone, ok, refused
from tests.api.team import PASSWORD, Member, Team


def form(**fields: Any) -> dict[str, Any]:
    return {
        "name": "Olga Owner",
        "email": f"olga-{uuid4()}@example.com",
        "password": PASSWORD,
        "workspaceName": "Acme Sales",
        **fields,
    }


class TestRegistering:
    def test_makes_an_account_with_a_workspace_and_a_session(self, team: Team) -> None:
        answer = team.anonymous.post("/auth/register", form(email="  New.Owner@Example.com "))
        session = ok(answer, 201)
        assert session["user"] == {
            "id": session["user"]["id"],
            "name": "Olga Owner",
            "email": "new.owner@example.com",
            "role": "owner",
        }
        workspace = session["workspace"]
        assert (workspace["name"], workspace["plan"], workspace["memberCount"]) == ("Acme Sales", "free", 1)
        assert answer.headers["cache-control"] == "no-store"
        me = ok(team.anonymous.get("/auth/me", headers=bearer(session["token"])))
        assert me == {"user": session["user"], "workspace": workspace}

    def test_is_told_in_the_log_without_the_password(self, team: Team) -> None:
        body = form(password="hunter2 hunter2")
        session = ok(team.anonymous.post("/auth/register", body), 201)
        log = team.anonymous.get("/log", headers=bearer(session["token"]))
        types = [entry["type"] for entry in ok(log)["data"]]
        assert types == ["workspace.created", "user.registered", "membership.granted", "user.logged_in"]
        for secret in ("hunter2", "argon2", session["token"]):
            assert secret not in log.text

    def test_is_of_a_new_workspace_whatever_one_is_chosen(self, team: Team) -> None:
        for chosen in (str(team.workspace_id), "nonsense"):
            session = ok(team.anonymous.post("/auth/register", form(), headers={"x-workspace-id": chosen}), 201)
            assert session["workspace"]["id"] != chosen

    def test_everything_wrong_is_said_at_once(self, team: Team) -> None:
        wrong = form(name=" ", email="nobody", password="1234567", workspaceName="")
        error = refused(team.anonymous.post("/auth/register", wrong), 422, "email", "password", "name", "workspaceName")
        assert "8 to 1024" in str(error["details"])

    @pytest.mark.parametrize("field", ["name", "email", "password", "workspaceName"])
    def test_every_field_is_required(self, team: Team, field: str) -> None:
        body = form()
        del body[field]
        refused(team.anonymous.post("/auth/register", body), 422, field, says="required")

    def test_one_address_has_one_account(self, team: Team) -> None:
        refused(team.anonymous.post("/auth/register", form(email=team.email.upper())), 422, "email")

    @pytest.mark.parametrize("password", ["x" * 1024, "        ", "\0" * 8, "pässwörd😀", '"; DROP TABLE'])
    def test_any_password_of_8_to_1024_characters_will_do(self, team: Team, password: str) -> None:
        body = form(password=password)
        ok(team.anonymous.post("/auth/register", body), 201)
        ok(team.anonymous.post("/auth/login", {"email": body["email"], "password": password}))
        refused(team.anonymous.post("/auth/login", {"email": body["email"], "password": password[:-1]}), 401)

    def test_a_longer_one_is_refused(self, team: Team) -> None:
        refused(team.anonymous.post("/auth/register", form(password="x" * 1025)), 422, "password")


class TestLoggingIn:
    def test_answers_a_session_without_an_envelope(self, team: Team) -> None:
        answer = team.anonymous.post("/auth/login", {"email": f" {team.email.upper()}", "password": PASSWORD})
        session = ok(answer)
        assert session.keys() == {"token", "expiresAt", "user", "workspace"}
        assert session["workspace"]["id"] == str(team.workspace_id)
        assert session["user"]["id"] == str(team.owner.account_id)
        assert answer.headers["cache-control"] == "no-store"
        assert ok(team.anonymous.get("/contacts", headers=bearer(session["token"])))["data"] == []

    def test_a_wrong_address_and_a_wrong_password_are_refused_in_the_same_words(self, team: Team) -> None:
        wrong = [
            {"email": team.email, "password": "wrong horse"},
            {"email": "nobody@example.com", "password": PASSWORD},
            {"email": "nobody", "password": PASSWORD},
            {"email": "a\0b", "password": "\0"},
            {"email": "", "password": ""},
        ]
        messages = {refused(team.anonymous.post("/auth/login", body), 401)["message"] for body in wrong}
        assert len(messages) == 1

    def test_an_address_with_other_letters_than_ascii_is_known_however_it_is_written(self, team: Team) -> None:
        body = form(email="Zoe\u0308@b\u00fccher.example")
        ok(team.anonymous.post("/auth/register", body), 201)
        ok(team.anonymous.post("/auth/login", {"email": "zo\u00eb@b\u00fccher.example", "password": PASSWORD}))

    def test_a_member_of_several_workspaces_chooses_one(self, team: Team, others: Team) -> None:
        others.let_in(team.owner, "viewer")
        body = {"email": team.email, "password": PASSWORD}
        chosen = {"x-workspace-id": str(others.workspace_id)}
        session = ok(team.anonymous.post("/auth/login", body, headers=chosen))
        assert (session["workspace"]["id"], session["user"]["role"]) == (str(others.workspace_id), "viewer")
        unchosen = ok(team.anonymous.post("/auth/login", body))
        assert unchosen["workspace"]["id"] == str(team.workspace_id)
        elsewhere = {"x-workspace-id": str(uuid4())}
        refused(team.anonymous.post("/auth/login", body, headers=elsewhere), 403)

    def test_is_told_in_the_log(self, team: Team) -> None:
        ok(team.anonymous.post("/auth/login", {"email": team.email, "password": PASSWORD}))
        last = ok(team.owner.get("/log"))["data"][-1]
        assert (last["type"], last["stream"]["id"]) == ("user.logged_in", str(team.owner.account_id))


class TestSessions:
    def test_logging_out_ends_this_one_and_no_other(self, team: Team) -> None:
        body = {"email": team.email, "password": PASSWORD}
        token = ok(team.anonymous.post("/auth/login", body))["token"]
        ok(team.anonymous.get("/auth/me", headers=bearer(token)))
        gone(team.anonymous.post("/auth/logout", headers=bearer(token)))
        refused(team.anonymous.get("/auth/me", headers=bearer(token)), 401)
        refused(team.anonymous.post("/auth/logout", headers=bearer(token)), 401)
        ok(team.owner.get("/auth/me"))
        assert ok(team.owner.get("/log"))["data"][-1]["type"] == "user.logged_out"

    def test_an_api_key_has_none_to_end(self, team: Team) -> None:
        refused(team.key().post("/auth/logout"), 400, says="revoke")

    def test_an_expired_one_is_refused(self, team: Team, owner: Db) -> None:
        token = ok(team.anonymous.post("/auth/login", {"email": team.email, "password": PASSWORD}))["token"]
        owner.execute(
            "UPDATE sessions SET expires_at = now() - interval '1 second' WHERE token_hash = sha256(%s::bytea)",
            (token.encode(),),
        )
        refused(team.anonymous.get("/auth/me", headers=bearer(token)), 401)

    @pytest.mark.parametrize(
        "header",
        ["", "Bearer", "Bearer x", "Basic b2xnYTpw", "dbs_x", "Bearer dbs_\xe4", "Bearer " + "x" * 5000],
    )
    def test_what_is_no_token_is_refused_with_how_to_authenticate(self, team: Team, header: str) -> None:
        answer = team.anonymous.get("/auth/me", headers={"authorization": header.encode("latin-1")})
        refused(answer, 401)
        assert answer.headers["www-authenticate"] == 'Bearer realm="Daybook"'

    def test_tokens_are_kept_as_hashes_only(self, team: Team, owner: Db) -> None:
        token = str(team.owner.token)
        for table in ("sessions", "api_key_secrets"):
            found = owner.execute(f"SELECT count(*) FROM {table} AS t WHERE t::text LIKE %s".encode(), (f"%{token}%",))
            assert found.fetchone() == (0,)


class TestMe:
    @pytest.mark.parametrize("role", ["owner", "admin", "member", "viewer"])
    def test_is_the_caller_and_the_workspace_it_acts_in(self, team: Team, role: str) -> None:
        caller: Member = getattr(team, role)
        me = ok(caller.get("/auth/me"))
        assert me["user"]["id"] == str(caller.account_id)
        assert me["user"]["role"] == role
        assert me["workspace"]["id"] == str(team.workspace_id)

    def test_of_a_key_is_the_user_behind_it(self, team: Team) -> None:
        assert ok(team.key("tags:read", of=team.member).get("/auth/me"))["user"]["id"] == str(team.member.account_id)

    def test_of_a_member_of_several_workspaces_is_as_in_the_one_chosen(self, team: Team, others: Team) -> None:
        others.let_in(team.owner, "viewer")
        for header in ("x-workspace-id", "x-org-id"):
            me = ok(team.owner.get("/auth/me", headers={header: str(others.workspace_id)}))
            assert me["workspace"]["id"] == str(others.workspace_id)
            assert me["user"]["role"] == "viewer"
        refused(team.owner.post("/tags", {"name": "A"}, headers={"x-org-id": str(others.workspace_id)}), 403)
        assert others.owner.listed("/tags") == []


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"bearer {token}"}
