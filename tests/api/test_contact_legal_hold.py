"""Legal holds over HTTP: what is held is kept, whichever way somebody would have it go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from application.working import deletion
from daybook.embedded import EmbeddedPostgres
from domain.kernel import Refused
from eventstore import letting_go
from eventstore.database import Db, Pool
from projections.verify import verify
from schemas.job import JobView
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Done, WorkOff
from tests.api.team import Member, Team, created
from tests.api.working import give_up, step
from tests.logs import types

WHY = "Case 2026/114"


def hold(who: Member, contact: dict[str, Any], reason: str = WHY, **more: Any) -> dict[str, Any]:
    path = f"/contacts/{contact['id']}/legal-hold"
    found: dict[str, Any] = ok(who.ask("PUT", path, json={"reason": reason}, **more))["data"]
    return found


def release(who: Member, contact: dict[str, Any]) -> None:
    gone(who.delete(f"/contacts/{contact['id']}/legal-hold"))


def test_a_hold_is_shown_on_the_contact_wherever_it_is_shown(team: Team) -> None:
    contact = team.owner.contact(firstName="Sarah")
    assert contact["legalHold"] is None
    held = hold(team.owner, contact)
    assert held["legalHold"] == {
        "reason": WHY,
        "placedAt": held["legalHold"]["placedAt"],
        "placedBy": str(team.owner.account_id),
    }
    assert held == team.owner.shown(f"/contacts/{contact['id']}") == team.owner.listed("/contacts")[0]
    release(team.owner, contact)
    assert team.owner.shown(f"/contacts/{contact['id']}")["legalHold"] is None


def test_a_hold_by_a_key_is_by_its_user(team: Team) -> None:
    held = hold(team.key("privacy:write", of=team.admin), team.owner.contact())
    assert held["legalHold"]["placedBy"] == str(team.admin.account_id)


def test_what_is_held_is_not_deleted(team: Team) -> None:
    contact = team.owner.contact()
    hold(team.owner, contact)
    refused(team.owner.delete(f"/contacts/{contact['id']}"), 409, says=WHY)
    assert team.owner.shown(f"/contacts/{contact['id']}")["id"] == contact["id"]
    release(team.owner, contact)
    gone(team.owner.delete(f"/contacts/{contact['id']}"))


def test_what_is_held_is_not_deleted_with_many(team: Team, done: Done) -> None:
    held, other = team.owner.contact(), team.owner.contact()
    hold(team.owner, held)
    job = done(team.owner.post("/bulk/contacts/delete", {"ids": [held["id"], other["id"]]}))
    assert (job["deleted"], job["errors"]) == (1, 1)
    assert WHY in job["errorDetails"][0]["message"]
    assert [contact["id"] for contact in team.owner.listed("/contacts")] == [held["id"]]


@pytest.mark.parametrize("dry_run", [True, False])
def test_what_is_held_is_not_merged_into_another(team: Team, *, dry_run: bool) -> None:
    winner, loser = team.owner.contact(), team.owner.contact()
    hold(team.owner, loser)
    body = {"loserId": loser["id"], "dryRun": dry_run}
    refused(team.owner.post(f"/contacts/{winner['id']}/merge", body), 409, says=WHY)


def test_what_is_held_takes_others_in_and_gives_them_back(team: Team) -> None:
    winner, loser = team.owner.contact(firstName="Sarah"), team.owner.contact(lastName="Kim")
    hold(team.owner, winner)
    merged = ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))["data"]
    assert (merged["contact"]["lastName"], merged["contact"]["legalHold"]["reason"]) == ("Kim", WHY)
    assert "legalHold" not in {field["field"].partition(".")[0] for field in merged["fields"]}
    parted = ok(team.owner.post(f"/contacts/{winner['id']}/merge/undo", {}))["data"]
    assert parted["legalHold"]["reason"] == WHY
    assert team.owner.shown(f"/contacts/{loser['id']}")["legalHold"] is None


def test_what_is_held_and_what_hangs_on_it_can_be_changed_and_the_log_keeps_what_it_was(team: Team) -> None:
    contact = team.owner.contact(firstName="Sarah")
    note = created(team.owner.post("/notes", {"content": "Met", "contactId": contact["id"]}))
    hold(team.owner, contact)
    ok(team.owner.patch(f"/contacts/{contact['id']}", {"firstName": "Anne"}))
    gone(team.owner.delete(f"/notes/{note['id']}"))
    assert team.owner.listed(f"/contacts/{contact['id']}/history")[0]["changes"]["firstName"]["from"] == "Sarah"
    assert team.owner.listed(f"/notes/{note['id']}/history")[0]["changes"]["content"]["from"] == "Met"


def test_what_very_much_refers_to_is_kept_by_its_hold_too(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letting_go, "MANY", 1)
    contact = team.owner.contact()
    for number in range(2):
        created(team.owner.post("/notes", {"content": f"Note {number}", "contactId": contact["id"]}))
    hold(team.owner, contact)
    refused(team.owner.delete(f"/contacts/{contact['id']}"), 409, says=WHY)
    assert team.owner.listed("/jobs") == []


def test_what_a_job_is_deleting_cannot_be_held_any_more(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letting_go, "MANY", 1)
    contact = team.owner.contact()
    for number in range(2):
        created(team.owner.post("/notes", {"content": f"Note {number}", "contactId": contact["id"]}))
    job = team.owner.delete(f"/contacts/{contact['id']}")
    path = f"/contacts/{contact['id']}/legal-hold"
    refused(team.owner.ask("PUT", path, json={"reason": WHY}), 409, says=ok(job, 202)["data"]["id"])
    ok(team.owner.post(f"/jobs/{job.json()['data']['id']}/cancel"))
    hold(team.owner, contact)


def test_a_hold_that_came_just_before_a_job_of_deletion_stops_it(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    contact = team.owner.contact()
    for number in range(2):
        created(team.owner.post("/notes", {"content": f"Note {number}", "contactId": contact["id"]}))
    begin = deletion.begin

    def held_meanwhile(*given: Any) -> JobView:
        hold(team.owner, contact)
        return begin(*given)

    monkeypatch.setattr(letting_go, "MANY", 1)
    monkeypatch.setattr(deletion, "begin", held_meanwhile)
    refused(team.owner.delete(f"/contacts/{contact['id']}"), 409, says=WHY)
    assert team.owner.listed("/jobs") == []


def test_members_and_viewers_place_no_hold(team: Team) -> None:
    contact = team.owner.contact()
    path = f"/contacts/{contact['id']}/legal-hold"
    for who in (team.member, team.viewer, team.limited, team.key("contacts:write")):
        refused(who.ask("PUT", path, json={"reason": WHY}), 403)
        refused(who.delete(path), 403)
    hold(team.admin, contact)


def test_what_is_no_reason_is_refused(team: Team) -> None:
    path = f"/contacts/{team.owner.contact()['id']}/legal-hold"
    refused(team.owner.ask("PUT", path, json={"reason": " "}), 422, "reason")
    refused(team.owner.ask("PUT", path, json={}), 422, "reason")
    refused(team.owner.ask("PUT", path, json={"reason": WHY, "until": "2027-01-01"}), 422, "until")


def test_holds_are_in_the_log_and_in_the_audit_trail(team: Team, postgres: EmbeddedPostgres) -> None:
    contact = team.owner.contact()
    hold(team.owner, contact)
    hold(team.owner, contact)
    hold(team.owner, contact, "Case 115")
    release(team.owner, contact)
    release(team.owner, contact)
    placed, released = "contact.legal_hold_placed", "contact.legal_hold_released"
    assert types(team.services.pool, team.workspace_id)[-3:] == [placed, placed, released]
    told = team.owner.listed("/activities", entityId=contact["id"], limit=3)
    assert told[0]["changes"]["reason"] == {"from": "Case 115", "to": None}
    assert told[1]["changes"]["reason"] == {"from": None, "to": "Case 115"}
    assert verify(postgres.url(), workspaces=[team.workspace_id], views=()).finding is None


def beside(team: Team) -> tuple[dict[str, Any], dict[str, Any]]:
    """A contact with two notes, and another to whom a third note has gone over from it."""
    contact, other = team.owner.contact(), team.owner.contact()
    bodies = [{"content": f"Note {number}", "contactId": contact["id"]} for number in range(3)]
    notes = [created(team.owner.post("/notes", body)) for body in bodies]
    ok(team.owner.patch(f"/notes/{notes[-1]['id']}", {"contactId": other["id"]}))
    return contact, other


class TestWhatTellsOfTwo:
    """Its events are sealed with the keys of both, or were with that of the one and are with that of the other."""

    def test_who_was_parted_from_what_is_held_is_not_erased(self, team: Team) -> None:
        winner, loser = team.owner.contact(firstName="Sarah"), team.owner.contact(lastName="Kim")
        ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
        hold(team.owner, winner)
        ok(team.owner.post(f"/contacts/{winner['id']}/merge/undo", {}))
        refused(team.owner.post(f"/contacts/{loser['id']}/erase", {}), 409, says=winner["id"])
        told = team.owner.listed(f"/contacts/{winner['id']}/history")
        assert [one["changes"].get("lastName") for one in told if one["event"] == "contact.merged"] == [
            {"from": None, "to": "Kim"}
        ]
        assert all(one["erased"] == [] for one in told)

    def test_nor_is_who_has_taken_in_and_given_back_what_is_held(self, team: Team) -> None:
        winner, loser = team.owner.contact(firstName="Sarah"), team.owner.contact(lastName="Kim")
        ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
        ok(team.owner.post(f"/contacts/{winner['id']}/merge/undo", {}))
        hold(team.owner, loser)
        refused(team.owner.post(f"/contacts/{winner['id']}/erase", {}), 409, says=loser["id"])
        release(team.owner, loser)
        ok(team.owner.post(f"/contacts/{winner['id']}/erase", {}))

    @pytest.mark.parametrize(
        ("path", "text", "more"),
        [
            ("notes", "content", {}),
            ("tasks", "title", {}),
            ("calls", "notes", {"direction": "inbound", "status": "completed"}),
        ],
        ids=["notes", "tasks", "calls"],
    )
    def test_what_was_led_to_what_is_held_keeps_whom_it_was_about(
        self, team: Team, path: str, text: str, more: dict[str, str]
    ) -> None:
        before, held = team.owner.contact(), team.owner.contact()
        thing = created(team.owner.post(f"/{path}", {text: "Met", "contactId": before["id"], **more}))
        ok(team.owner.patch(f"/{path}/{thing['id']}", {"contactId": held["id"]}))
        hold(team.owner, held)
        refused(team.owner.post(f"/contacts/{before['id']}/erase", {}), 409, says=held["id"])
        assert team.owner.shown(f"/{path}/{thing['id']}")[text] == "Met"

    def test_so_does_what_was_led_away_from_it(self, team: Team) -> None:
        held, after = team.owner.contact(), team.owner.contact()
        deal = team.owner.deal("Northwind", contactId=held["id"])
        hold(team.owner, held)
        ok(team.owner.patch(f"/deals/{deal['id']}", {"contactId": after["id"], "name": "Southwind"}))
        refused(team.owner.post(f"/contacts/{after['id']}/erase", {}), 409, says=held["id"])
        assert team.owner.listed(f"/deals/{deal['id']}/history")[0]["changes"]["name"]["to"] == "Southwind"
        release(team.owner, held)
        ok(team.owner.post(f"/contacts/{after['id']}/erase", {}))

    def test_no_job_begins_to_erase_it(self, team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
        contact, held = beside(team)
        hold(team.owner, held)
        monkeypatch.setattr(letting_go, "MANY", 1)
        refused(team.owner.post(f"/contacts/{contact['id']}/erase", {}), 409, says=held["id"])
        assert len(team.owner.listed("/notes", contactId=contact["id"])) == 2
        assert team.owner.listed("/jobs") == []

    def test_none_that_has_begun_before_the_hold_does_so_and_it_says_why_it_is_given_up(
        self, team: Team, worker_pool: Pool, work_off: WorkOff, owner: Db, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        work_off()
        contact, held = beside(team)
        monkeypatch.setattr(letting_go, "MANY", 1)
        job = ok(team.owner.post(f"/contacts/{contact['id']}/erase", {}), 202)["data"]["job"]
        hold(team.owner, held)
        with pytest.raises(Refused, match=held["id"]):
            step(team.services.store, worker_pool)
        assert team.owner.shown(f"/contacts/{contact['id']}")["email"] == contact["email"]
        owner.execute("UPDATE jobs SET due_at = now() WHERE id = %s", (job["id"],))
        assert give_up(team.services.store, worker_pool)
        ended = team.owner.shown(f"/jobs/{job['id']}")
        assert ended["status"] == "failed"
        assert held["id"] in ended["error"]
        release(team.owner, held)
        monkeypatch.undo()
        ok(team.owner.post(f"/contacts/{contact['id']}/erase", {}))

    def test_none_is_erased_behind_a_hold_that_comes_at_the_same_time(self, team: Team) -> None:
        for _ in range(5):
            contact, held = beside(team)
            begun = len(types(team.services.pool, team.workspace_id))
            with ThreadPoolExecutor(2) as threads:
                erased = threads.submit(team.owner.post, f"/contacts/{contact['id']}/erase", {})
                threads.submit(hold, team.owner, held).result()
            happened = types(team.services.pool, team.workspace_id)[begun:]
            assert erased.result().status_code == (200 if "contact.erased" in happened else 409)
            assert happened[-1] == "contact.legal_hold_placed"
