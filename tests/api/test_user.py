"""The members of a workspace over HTTP: who they are, what they may do, and how they go."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any
from uuid import uuid4

import httpx
import pytest

from api.http.admission import REMEMBERED_SECONDS
from application.calling.services import Services
from application.identity import ACCESS_EVENTS
from domain.contact import CONTACT, CreateContact
from eventstore.append import Origin
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.letting_go import MANY
from eventstore.work import Work
from schemas.log import Actor
from tests.api.asserting import gone, ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import PASSWORD, Member, Team, created
from tests.logs import types


def path(member: Member) -> str:
    return f"/users/{member.account_id}"


class TestListing:
    def test_each_with_role_status_and_when_they_were_last_active(self, team: Team) -> None:
        viewer = team.viewer
        ok(team.owner.patch(path(team.owner), {"image": "https://images.example.com/olga.png"}))
        (olga,) = viewer.listed("/users", role="owner")
        assert (olga["id"], olga["name"], olga["email"]) == (str(team.owner.account_id), "Olga Owner", team.email)
        assert (olga["role"], olga["isAdmin"], olga["status"]) == ("owner", True, "active")
        assert (olga["image"], olga["assignedOnly"]) == ("https://images.example.com/olga.png", False)
        assert olga["createdAt"] < olga["updatedAt"] <= olga["lastActiveAt"]

    def test_in_pages_by_name_unless_asked_otherwise(self, team: Team) -> None:
        team.join("member")
        team.join("admin")
        answer = ok(team.owner.get("/users", params={"limit": 2}))
        assert (answer["meta"]["total"], answer["meta"]["totalPages"]) == (3, 2)
        names = [user["name"] for user in team.owner.listed("/users")]
        assert names == sorted(names)
        assert [user["name"] for user in team.owner.listed("/users", sort="-name")] == names[::-1]
        assert [user["role"] for user in team.owner.listed("/users", sort="createdAt")] == ["owner", "member", "admin"]

    def test_found_by_role_name_and_address(self, team: Team) -> None:
        ok(team.owner.patch(path(team.admin), {"name": "Zoë Ångström"}))
        for params in ({"role": "admin"}, {"search": "angstrom zoe"}, {"search": team.admin.email[:-4]}):
            assert [user["name"] for user in team.owner.listed("/users", **params)] == ["Zoë Ångström"]
        refused(team.owner.get("/users", params={"role": "boss"}), 400, "role")

    def test_somebody_of_another_workspace_is_not_found(self, team: Team, others: Team) -> None:
        for found in (str(others.owner.account_id), str(uuid4())):
            refused(team.owner.get(f"/users/{found}"), 404, says="user")
            refused(team.owner.patch(f"/users/{found}", {"role": "viewer"}), 404)
            refused(team.owner.delete(f"/users/{found}"), 404)
        ok(others.owner.get("/users"))

    def test_a_limited_member_sees_who_their_colleagues_are(self, team: Team) -> None:
        assert len(team.limited.listed("/users")) == 2


class TestChanging:
    def test_only_the_fields_given_change(self, team: Team) -> None:
        answer = team.owner.patch(path(team.member), {"name": " Mara  Member "})
        assert ok(answer)["data"]["name"] == "Mara  Member"
        user = ok(team.owner.patch(path(team.member), {"role": "viewer"}))["data"]
        assert (user["name"], user["role"], user["assignedOnly"]) == ("Mara  Member", "viewer", False)
        assert team.owner.shown(path(team.member)) == user
        ok(team.owner.patch(path(team.member), {}))
        assert types(team.services.pool, team.workspace_id)[-2:] == ["user.updated", "membership.changed"]

    def test_a_role_holds_from_the_answer_on(self, team: Team) -> None:
        tag = {"name": "A tag"}
        key = team.key(of=team.member)
        created(team.member.post("/tags", tag))
        ok(team.owner.patch(path(team.member), {"role": "viewer"}))
        for who in (team.member, key):
            refused(who.post("/tags", tag), 403)
        ok(team.owner.patch(path(team.member), {"role": "admin"}))
        ok(team.member.patch("/workspace", {"name": "Renamed"}))

    def test_being_limited_holds_from_the_answer_on(self, team: Team) -> None:
        contact = team.owner.contact()
        ok(team.member.get(f"/contacts/{contact['id']}"))
        ok(team.owner.patch(path(team.member), {"assignedOnly": True}))
        refused(team.member.get(f"/contacts/{contact['id']}"), 404)
        ok(team.owner.patch(path(team.member), {"assignedOnly": False}))
        ok(team.member.get(f"/contacts/{contact['id']}"))

    def test_a_change_is_of_the_version_that_was_read(self, team: Team) -> None:
        etag = team.owner.get(path(team.member)).headers["etag"]
        for body in ({"role": "viewer"}, {"name": "Another"}):
            answer = team.owner.patch(path(team.member), body, headers={"if-match": etag})
            ok(answer)
            refused(team.owner.patch(path(team.member), body, headers={"if-match": etag}), 412)
            etag = answer.headers["etag"]
        refused(team.owner.delete(path(team.member), headers={"if-match": '"1"'}), 412)

    @pytest.mark.parametrize(
        ("field", "value"),
        [("role", "boss"), ("role", None), ("name", ""), ("name", None), ("image", "javascript:alert(1)"),
         ("assignedOnly", "yes"), ("email", "new@example.com"), ("isAdmin", True)],
    )  # fmt: skip
    def test_what_is_not_acceptable_names_its_field(self, team: Team, field: str, value: Any) -> None:
        refused(team.owner.patch(path(team.member), {field: value}), 422, field)

    def test_it_takes_an_admin_and_a_key_that_may(self, team: Team) -> None:
        ok(team.key("admin").patch(path(team.viewer), {"role": "member"}))
        ok(team.key("users:write").patch(path(team.viewer), {"role": "viewer"}))
        for who in (team.member, team.limited, team.viewer, team.key("users:read"), team.key("contacts:write")):
            refused(who.patch(path(team.viewer), {"role": "admin"}), 403)
            refused(who.delete(path(team.member)), 403)


class TestOwners:
    def test_only_owners_make_owners_change_and_remove_them(self, team: Team) -> None:
        second = team.join("owner")
        for who in (team.admin, team.key(of=team.admin)):
            refused(who.patch(path(team.admin), {"role": "owner"}), 403)
            refused(who.patch(path(second), {"role": "admin"}), 403)
            refused(who.patch(path(second), {"assignedOnly": True}), 403)
            refused(who.delete(path(second)), 403)
        ok(team.owner.patch(path(team.admin), {"role": "owner"}))
        ok(team.admin.patch(path(second), {"role": "viewer"}))

    def test_the_last_one_neither_steps_down_nor_goes(self, team: Team) -> None:
        refused(team.owner.patch(path(team.owner), {"role": "admin"}), 409, says="last owner")
        refused(team.owner.delete(path(team.owner)), 409, says="last owner")
        ok(team.owner.patch(path(team.admin), {"role": "owner"}))
        gone(team.owner.delete(path(team.owner)))
        refused(team.admin.delete(path(team.admin)), 409)

    @pytest.mark.parametrize("how", ["step down", "go"])
    def test_of_all_who_leave_at_the_same_moment_one_stays(self, team: Team, how: str) -> None:
        everybody = [team.owner, *(team.join("owner") for _ in range(5))]

        def leave(who: Member) -> int:
            answer = who.patch(path(who), {"role": "viewer"}) if how == "step down" else who.delete(path(who))
            return answer.status_code

        with ThreadPoolExecutor(len(everybody)) as threads:
            statuses = sorted(threads.map(leave, everybody))
        assert statuses == [*[200 if how == "step down" else 204] * 5, 409]


class TestRemoving:
    def test_what_was_assigned_to_them_is_nobodys(self, team: Team) -> None:
        theirs = str(team.member.account_id)
        contact = team.owner.contact(assignedTo=theirs)
        task = created(team.owner.post("/tasks", {"title": "Call back", "assignedTo": theirs}))
        gone(team.owner.delete(path(team.member)))
        assert team.owner.shown(f"/contacts/{contact['id']}")["assignedTo"] is None
        assert team.owner.shown(f"/tasks/{task['id']}")["assignedTo"] is None
        refused(team.owner.patch(f"/contacts/{contact['id']}", {"assignedTo": theirs}), 422, "assignedTo")
        refused(team.owner.get(path(team.member)), 404)
        assert [user["id"] for user in team.owner.listed("/users")] == [str(team.owner.account_id)]

    def test_they_are_out_from_the_answer_on(self, team: Team, owner: Db) -> None:
        key = team.key(of=team.member)
        for who in (team.member, key):
            ok(who.get("/contacts"))
        gone(team.owner.delete(path(team.member)))
        for who in (team.member, key):
            refused(who.get("/contacts"), 401)
        left = owner.execute("SELECT count(*) FROM sessions WHERE account_id = %s", (team.member.account_id,))
        assert left.fetchone() == (0,)

    def test_their_keys_stay_revoked_when_they_come_back(self, team: Team) -> None:
        key = team.key(of=team.member)
        gone(team.owner.delete(path(team.member)))
        assert [found["isActive"] for found in team.owner.listed("/api-keys")] == [False]
        assert types(team.services.pool, team.workspace_id)[-2:] == ["api_key.revoked", "membership.revoked"]
        refused(key.get("/contacts"), 401)

    def test_a_session_that_was_begun_elsewhere_does_not_enter_either(self, team: Team, others: Team) -> None:
        guest = team.let_in(others.owner, "member")
        chosen = {"x-workspace-id": str(team.workspace_id)}
        ok(guest.get("/contacts", headers=chosen))
        gone(team.owner.delete(path(guest)))
        refused(guest.get("/contacts", headers=chosen), 403)
        ok(guest.get("/contacts"))

    def test_who_is_a_member_nowhere_any_more_is_told_so_and_who_is_elsewhere_enters_there(
        self, team: Team, others: Team
    ) -> None:
        def log_in(email: str, password: str = PASSWORD) -> Any:
            return team.anonymous.post("/auth/login", {"email": email, "password": password})

        guest = others.let_in(team.member, "member")
        gone(team.owner.delete(path(team.member)))
        assert ok(log_in(team.member.email))["workspace"]["id"] == str(others.workspace_id)
        gone(others.owner.delete(path(guest)))
        refused(log_in(team.member.email), 403, says="no workspace")
        refused(log_in(team.member.email, "wrong password"), 401)

    def test_what_they_did_stays_theirs(self, team: Team) -> None:
        tag = team.member.tag()
        gone(team.owner.delete(path(team.member)))
        (made,) = team.owner.listed("/activities", entityId=tag["id"])
        assert made["userName"].startswith("Member")

    def test_where_very_much_is_assigned_a_job_sees_to_it_and_they_are_out_at_once(self, team: Team) -> None:
        key = team.key(of=team.member)
        assign_many(team, team.member)
        answer = team.owner.delete(path(team.member))
        job = ok(answer, 202)["data"]
        assert (job["kind"], job["total"]) == ("deletion", MANY + 1)
        assert answer.headers["location"] == f"/api/v1/jobs/{job['id']}"
        for who in (team.member, key):
            refused(who.get("/contacts"), 401)
        assert team.owner.shown(path(team.member))["status"] == "suspended"
        refused(team.owner.patch(path(team.member), {"role": "admin"}), 409, says="being removed")
        assert ok(team.owner.delete(path(team.member)), 202)["data"]["id"] == job["id"]


def assign_many(team: Team, member: Member) -> None:
    """More than one unit of work takes away from them."""

    def work(unit: Work) -> None:
        for number in range(MANY + 1):
            unit.begin(CONTACT, new_id(), CreateContact(first_name=f"{number}", assigned_to=member.account_id))

    team.services.store.run(Origin(team.workspace_id, Actor(type="system")), work, bulk=True)


def test_another_process_knows_within_a_second_that_somebody_was_removed(services: Services, team: Team) -> None:
    """So long it remembers them, where nothing tells it sooner."""
    with serving(services_on(services.pool)) as url, httpx.Client(base_url=url, timeout=60) as elsewhere:
        there = replace(team.member, http=elsewhere)
        ok(there.get("/contacts"))
        gone(team.owner.delete(path(team.member)))
        time.sleep(REMEMBERED_SECONDS + 0.1)
        refused(there.get("/contacts"), 401)


@pytest.mark.parametrize("event", ["membership.changed", "membership.suspended", "membership.revoked"])
def test_the_other_processes_are_told_at_once(event: str) -> None:
    assert event in ACCESS_EVENTS
