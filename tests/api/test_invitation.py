"""Inviting somebody by mail, and how they join: with a new account, or with theirs."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any
from uuid import UUID

import httpx
import pytest

from application import outbox
from application.calling.secretbox import SecretBox
from application.calling.services import Services
from eventstore.database import Db
from eventstore.ids import new_id
from projections.invitation import INVITATIONS
from tests.api.asserting import gone, ok, refused
from tests.api.serving import serving
from tests.api.team import PASSWORD, Member, Team, created
from tests.logs import types, whole_log

ACCEPT = "/auth/accept-invitation"


def address() -> str:
    return f"guest.{new_id()}@example.com"


def invited(team: Team, email: str | None = None, role: str = "member", **fields: Any) -> dict[str, Any]:
    return created(team.owner.post("/users/invite", {"email": email or address(), "role": role, **fields}))


def mail(team: Team) -> dict[str, Any]:
    """The newest in the outbox."""
    return team.owner.listed("/outbox")[0]


def token(team: Team) -> str:
    """Of the link in it."""
    found: list[str] = re.findall(r"http://127\.0\.0\.1:8000/accept-invitation#(\S+)", mail(team)["text"])
    return found[0]


def accept(team: Team, **fields: Any) -> httpx.Response:
    return team.anonymous.post(ACCEPT, {"token": token(team), **fields})


def as_member(team: Team, session: Any) -> Member:
    return replace(team.owner, account_id=UUID(session["user"]["id"]), token=session["token"])


def expire(owner: Db, invitation: dict[str, Any]) -> None:
    owner.execute(
        f"UPDATE {INVITATIONS.table} SET state = jsonb_set(state, '{{expiresAt}}', '\"2020-01-01T00:00:00Z\"') WHERE id = %s",
        (invitation["id"],),
    )


class TestInviting:
    def test_answers_the_invitation_and_where_it_is(self, team: Team) -> None:
        answer = team.admin.post("/users/invite", {"email": " Mara@Example.com", "role": "viewer", "name": "Mara"})
        made = created(answer)
        assert (made["email"], made["role"], made["name"]) == ("mara@example.com", "viewer", "Mara")
        assert (made["status"], made["assignedOnly"], made["version"]) == ("pending", False, 1)
        assert (made["invitedBy"], made["invitedByName"][:5]) == (str(team.admin.account_id), "Admin")
        assert answer.headers["location"] == f"/api/v1/users/invitations/{made['id']}"
        assert team.viewer.shown(f"/users/invitations/{made['id']}") == made
        assert team.viewer.listed("/users/invitations", search="mara@") == [made]

    def test_writes_a_mail_with_the_link(self, team: Team) -> None:
        ok(team.owner.patch("/workspace", {"name": "Acme & Söhne"}))
        made = invited(team, name="Mara", role="viewer")
        found = mail(team)
        assert (found["to"], found["status"], found["attempts"]) == (made["email"], "kept", 0)
        assert found["subject"] == "Olga Owner invites you to Acme & Söhne"
        assert 'Hello Mara,\n\nOlga Owner invites you to the workspace "Acme & Söhne", as viewer.' in found["text"]
        assert token(team).startswith("dbi_")

    def test_its_secret_is_in_no_answer_no_event_and_no_row(self, team: Team, owner: Db) -> None:
        made = invited(team)
        secret = token(team)
        logged = b"".join(bytes(entry.data) for entry in whole_log(team.services.pool, team.workspace_id))
        rows = "".join(
            str(owner.execute(query, (team.workspace_id,)).fetchall())
            for query in (
                "SELECT to_jsonb(o) FROM outbox o WHERE workspace_id = %s",
                f"SELECT to_jsonb(i) FROM {INVITATIONS.table} i WHERE workspace_id = %s",
                "SELECT to_jsonb(s) FROM invitation_secrets s WHERE workspace_id = %s",
            )
        )
        for kept in (str(made), logged.decode(), rows):
            assert made["email"] in kept or kept is rows
            assert secret not in kept
            assert secret[-40:] not in kept

    def test_who_is_a_member_or_invited_already_is_not_invited_again(self, team: Team) -> None:
        made = invited(team)
        again = team.owner.post("/users/invite", {"email": made["email"].upper(), "role": "admin"})
        assert refused(again, 409)["existingId"] == made["id"]
        known = team.owner.post("/users/invite", {"email": team.member.email, "role": "admin"})
        assert refused(known, 409)["existingId"] == str(team.member.account_id)

    def test_only_owners_invite_owners_and_see_their_mail(self, team: Team) -> None:
        body = {"email": address(), "role": "owner"}
        refused(team.admin.post("/users/invite", body), 403)
        made = invited(team, role="owner")
        refused(team.admin.post(f"/users/invitations/{made['id']}/resend"), 403)
        assert team.admin.listed("/outbox") == []
        assert [found["to"] for found in team.owner.listed("/outbox")] == [made["email"]]

    @pytest.mark.parametrize(
        "body",
        [{"role": "member"}, {"email": "nobody", "role": "member"}, {"email": "a@example.com"},
         {"email": "a@example.com", "role": "boss"}, {"email": "a@example.com", "role": "member", "name": "\u202e"},
         {"email": "a@example.com", "role": "member", "expiresAt": "2030-01-01T00:00:00Z"}],
    )  # fmt: skip
    def test_what_is_not_acceptable_is_refused(self, team: Team, body: dict[str, Any]) -> None:
        refused(team.owner.post("/users/invite", body), 422)
        assert team.owner.listed("/outbox") == []

    def test_it_takes_an_admin(self, team: Team) -> None:
        made = invited(team)
        for who in (team.member, team.limited, team.viewer, team.key("users:read")):
            refused(who.post("/users/invite", {"email": address(), "role": "viewer"}), 403)
            refused(who.delete(f"/users/invitations/{made['id']}"), 403)
        for who in (team.member, team.limited, team.viewer, team.key("users:write")):
            refused(who.get("/outbox"), 403)

    def test_a_workspace_does_not_flood_mailboxes(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(outbox, "MOST_A_DAY", 2)
        made = invited(team)
        ok(team.owner.post(f"/users/invitations/{made['id']}/resend"))
        answer = team.owner.post(f"/users/invitations/{made['id']}/resend")
        assert refused(answer, 429)
        assert answer.headers["retry-after"] == "3600"

    def test_where_there_is_a_mail_server_its_mail_waits_to_be_sent(self, services: Services, team: Team) -> None:
        with serving(replace(services, sends_mail=True)) as url, httpx.Client(base_url=url, timeout=60) as http:
            created(replace(team.owner, http=http).post("/users/invite", {"email": address(), "role": "viewer"}))
        assert mail(team)["status"] == "pending"
        assert team.owner.listed("/outbox", status="kept") == []

    def test_a_mail_that_another_key_has_sealed_is_listed_without_its_text(
        self, services: Services, team: Team
    ) -> None:
        invited(team)
        other = replace(services, box=SecretBox(b"o" * 32))
        with serving(other) as url, httpx.Client(base_url=url, timeout=60) as http:
            (found,) = replace(team.owner, http=http).listed("/outbox")
        assert found["text"] is None


class TestSendingAgainAndWithdrawing:
    def test_sending_again_leads_by_a_new_link_and_no_longer_by_the_old(self, team: Team, owner: Db) -> None:
        made = invited(team)
        old = token(team)
        expire(owner, made)
        assert team.owner.shown(f"/users/invitations/{made['id']}")["status"] == "expired"
        again = ok(team.owner.post(f"/users/invitations/{made['id']}/resend"))["data"]
        assert (again["status"], again["version"]) == ("pending", 2)
        assert token(team) != old
        refused(team.anonymous.post(ACCEPT, {"token": old, "password": PASSWORD, "name": "Mara"}), 422, "token")
        assert [found["status"] for found in team.owner.listed("/outbox")] == ["kept", "withdrawn"]
        assert team.owner.listed("/outbox")[1]["text"] is None
        ok(accept(team, password=PASSWORD, name="Mara"), 201)

    def test_one_that_is_withdrawn_leads_nowhere_and_can_be_made_anew(self, team: Team) -> None:
        made = invited(team)
        link = token(team)
        gone(team.owner.delete(f"/users/invitations/{made['id']}"))
        refused(team.anonymous.post(ACCEPT, {"token": link, "password": PASSWORD, "name": "Mara"}), 422, "token")
        assert mail(team)["text"] is None
        refused(team.owner.get(f"/users/invitations/{made['id']}"), 404)
        invited(team, made["email"])

    def test_another_workspaces_are_not_found(self, team: Team, others: Team) -> None:
        theirs = f"/users/invitations/{invited(others)['id']}"
        refused(team.owner.get(theirs), 404)
        refused(team.owner.post(f"{theirs}/resend"), 404)
        refused(team.owner.delete(theirs), 404)
        assert team.owner.listed("/outbox") == team.owner.listed("/users/invitations") == []


class TestAccepting:
    def test_makes_an_account_a_member_and_a_session(self, team: Team) -> None:
        made = invited(team, role="member", name="Mara", assignedOnly=True)
        session = ok(accept(team, password=PASSWORD), 201)
        assert (session["user"]["email"], session["user"]["name"]) == (made["email"], "Mara")
        assert (session["user"]["role"], session["workspace"]["id"]) == ("member", str(team.workspace_id))
        mara = as_member(team, session)
        team.owner.contact()
        assert mara.listed("/contacts") == []
        user = team.owner.shown(f"/users/{session['user']['id']}")
        assert (user["assignedOnly"], user["status"]) == (True, "active")
        ok(team.anonymous.post("/auth/login", {"email": made["email"], "password": PASSWORD}))
        last = types(team.services.pool, team.workspace_id)[4:]
        assert last[1:5] == ["user.registered", "membership.granted", "invitation.accepted", "user.logged_in"]

    def test_a_link_is_good_for_once(self, team: Team) -> None:
        invited(team)
        link = token(team)
        body = {"token": link, "password": PASSWORD, "name": "Mara"}
        ok(team.anonymous.post(ACCEPT, body), 201)
        refused(team.anonymous.post(ACCEPT, body), 422, "token")
        assert team.owner.listed("/users/invitations") == []
        assert mail(team)["text"] is None

    def test_who_has_an_account_joins_with_its_password(self, team: Team, others: Team) -> None:
        invited(team, others.owner.email, role="admin")
        refused(accept(team, password="another password"), 401, says="has an account")
        session = ok(accept(team, password=PASSWORD), 201)
        assert session["user"]["id"] == str(others.owner.account_id)
        assert (session["user"]["role"], session["workspace"]["id"]) == ("admin", str(team.workspace_id))
        ok(others.owner.get("/contacts", headers={"x-workspace-id": str(team.workspace_id)}))

    def test_or_with_a_session_of_theirs_and_nobody_elses(self, team: Team, others: Team) -> None:
        invited(team, others.owner.email, name="Olga")
        body = {"token": token(team)}
        refused(team.member.post(ACCEPT, body), 403)
        refused(others.key().post(ACCEPT, body), 403)
        refused(replace(others.owner, token="dbs_nobody").post(ACCEPT, body), 401)
        assert ok(others.owner.post(ACCEPT, body), 201)["user"]["id"] == str(others.owner.account_id)

    def test_who_was_removed_comes_back_by_invitation(self, team: Team) -> None:
        gone(team.owner.delete(f"/users/{team.member.account_id}"))
        invited(team, team.member.email, role="viewer")
        session = ok(accept(team, password=PASSWORD), 201)
        assert (session["user"]["id"], session["user"]["role"]) == (str(team.member.account_id), "viewer")
        refused(team.member.get("/contacts"), 401)

    def test_after_its_time_it_is_refused(self, team: Team, owner: Db) -> None:
        expire(owner, invited(team))
        refused(accept(team, password=PASSWORD, name="Mara"), 422, "token")

    @pytest.mark.parametrize(
        ("fields", "wrong"),
        [
            ({}, ["name", "password"]),
            ({"name": "Mara"}, ["password"]),
            ({"name": "Mara", "password": "short"}, ["password"]),
            ({"name": " ", "password": PASSWORD}, ["name"]),
            ({"password": PASSWORD}, ["name"]),
            ({"name": "Mara", "password": PASSWORD, "role": "owner"}, ["role"]),
        ],
    )
    def test_what_is_not_acceptable_names_its_field(self, team: Team, fields: dict[str, Any], wrong: list[str]) -> None:
        invited(team)
        refused(accept(team, **fields), 422, *wrong)

    @pytest.mark.parametrize(
        "given", ["", "dbi_", "dbi_" + "A" * 86, "dbi_" + "\u00e4" * 86, "dbi_" + "!" * 86, "x" * 100_000]
    )
    def test_what_is_no_token_is_refused(self, team: Team, given: str) -> None:
        body = {"token": given, "password": PASSWORD, "name": "Mara"}
        refused(team.anonymous.post(ACCEPT, body), 422, "token")

    def test_another_secret_does_not_open_it(self, team: Team) -> None:
        invited(team)
        link = token(team)
        changed = link[:-3] + ("AAA" if link[-3:] != "AAA" else "BBB")
        refused(team.anonymous.post(ACCEPT, {"token": changed, "password": PASSWORD, "name": "M"}), 422, "token")
        ok(accept(team, password=PASSWORD, name="Mara"), 201)


def test_guessing_the_password_of_an_account_by_an_invitation_is_slowed_down(services: Services, others: Team) -> None:
    with serving(services, rate_limits=True) as url, httpx.Client(base_url=url, timeout=60) as http:
        team = Team(services, http)
        invited(team, others.owner.email)
        body = {"token": token(team), "password": "wrong password", "name": "Olga"}
        statuses = [team.anonymous.post(ACCEPT, body).status_code for _ in range(11)]
    assert statuses == [401] * 10 + [429]


def test_the_link_leads_to_a_page_that_keeps_the_token_to_itself(http: httpx.Client) -> None:
    page = http.get("/accept-invitation")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert "form-action 'none'" in page.headers["content-security-policy"]
    assert '<meta name="referrer" content="no-referrer">' in page.text
    for path in re.findall(r'(?:src|href)="([^"]+)"', page.text):
        assert http.get(path).status_code == 200
    script = http.get("/docs/accept.js").text
    assert script.index("history.replaceState") < script.index("fetch(")
    assert f'fetch("/api/v1{ACCEPT}"' in script
