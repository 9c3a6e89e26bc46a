"""Legal holds over HTTP: what is held is kept, whichever way somebody would have it go."""

from __future__ import annotations

from typing import Any

import pytest

from application.working import deletion
from daybook.embedded import EmbeddedPostgres
from eventstore import letting_go
from projections.verify import verify
from schemas.job import JobView
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Done
from tests.api.team import Member, Team, created
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
