"""Erasing contacts over HTTP: what ends, what goes on without them, what is answered, and that all is as the log says."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore import letting_go
from eventstore.database import Db, writing
from eventstore.migrate import connect
from projections import contact_alike_kept
from projections.verify import verify
from tests.api.asserting import gone, ok, refused
from tests.api.conftest import Keep, WorkOff
from tests.api.team import Member, Team, created
from tests.logs import check_chain, log_end, types, whole_log


def erase(who: Member, contact: dict[str, Any], **body: Any) -> dict[str, Any]:
    found: dict[str, Any] = ok(who.post(f"/contacts/{contact['id']}/erase", body))["data"]
    return found


def check(team: Team, postgres: EmbeddedPostgres, keep: Keep) -> None:
    """Chain, rows, counts and views are what the log adds up to."""
    keep(team)
    assert verify(postgres.url(), workspaces=[team.workspace_id]).finding is None
    check_chain(whole_log(team.services.pool, team.workspace_id), log_end(team.services.pool, team.workspace_id))


def in_log(team: Team, text: str) -> bool:
    return any(text.encode() in bytes(entry.data) for entry in whole_log(team.services.pool, team.workspace_id))


def test_a_contact_is_gone_with_all_that_hangs_on_it(team: Team, postgres: EmbeddedPostgres, keep: Keep) -> None:
    contact = team.owner.contact(firstName="Sarah", email="sarah@example.com")
    note = created(team.owner.post("/notes", {"content": "Met", "contactId": contact["id"]}))
    keep(team)
    receipt = erase(team.owner, contact, reason="Request 31")["receipt"]
    assert (receipt["erasedBy"], receipt["reason"]) == (str(team.owner.account_id), "Request 31")
    assert [(kind["kind"], kind["streams"], kind["events"]) for kind in receipt["unreadable"]] == [
        ("contact", 1, 1),
        ("note", 1, 1),
    ]
    refused(team.owner.get(f"/contacts/{contact['id']}"), 404)
    refused(team.owner.get(f"/notes/{note['id']}"), 404)
    assert types(team.services.pool, team.workspace_id)[-2:] == ["note.deleted", "contact.erased"]
    check(team, postgres, keep)


def test_history_says_what_happened_and_not_to_whom(team: Team) -> None:
    contact = team.owner.contact(firstName="Sarah", customFields={"plan": "pro"})
    ok(team.owner.patch(f"/contacts/{contact['id']}", {"city": "Ghent"}))
    erase(team.owner, contact)
    told = team.owner.listed("/activities", entityId=contact["id"])
    assert [(one["event"], one["changes"].keys() & {"firstName", "city"}) for one in told] == [
        ("contact.erased", set()),
        ("contact.updated", set()),
        ("contact.created", set()),
    ]
    assert "Sarah" not in str(told)
    assert "Ghent" not in str(told)
    sealed = [entry for entry in whole_log(team.services.pool, team.workspace_id) if b"$sealed" in bytes(entry.data)]
    assert [msgspec.json.decode(entry.data)["$sealed"]["fields"] for entry in sealed] == [
        ["customFields", "firstName"],
        ["changed.city"],
    ]


def test_deals_go_on_without_a_name(team: Team, postgres: EmbeddedPostgres, keep: Keep) -> None:
    contact = team.owner.contact(firstName="Sarah")
    deal = team.owner.deal("Sarah's renewal", contactId=contact["id"], customFields={"told": "Sarah"})
    other = team.owner.deal("Northwind")
    receipt = erase(team.owner, contact)["receipt"]
    shown = team.owner.shown(f"/deals/{deal['id']}")
    assert (shown["name"], shown["contactId"], shown["customFields"]) == ("[erased]", None, {})
    assert receipt["goesOn"] == [{"kind": "deal", "id": deal["id"]}]
    assert team.owner.shown(f"/deals/{other['id']}")["name"] == "Northwind"
    ok(team.owner.patch(f"/deals/{deal['id']}", {"name": "Renewal"}))
    assert in_log(team, "Renewal")
    check(team, postgres, keep)


def test_what_was_written_of_the_contact_and_moved_away_since_is_rid_of_it(
    team: Team, postgres: EmbeddedPostgres, keep: Keep
) -> None:
    contact, other = team.owner.contact(firstName="Sarah"), team.owner.contact(firstName="Bob")
    moved = created(team.owner.post("/notes", {"content": "Sarah likes hops", "contactId": contact["id"]}))
    anew = created(team.owner.post("/notes", {"content": "Sarah likes malt", "contactId": contact["id"]}))
    for note in (moved, anew):
        ok(team.owner.patch(f"/notes/{note['id']}", {"contactId": other["id"]}))
    ok(team.owner.patch(f"/notes/{anew['id']}", {"content": "Bob likes malt"}))
    off = created(team.owner.post("/tasks", {"title": "Call Sarah", "contactId": contact["id"]}))
    ok(team.owner.patch(f"/tasks/{off['id']}", {"contactId": None}))
    erase(team.owner, contact)
    assert team.owner.shown(f"/notes/{moved['id']}")["content"] == "[erased]"
    assert team.owner.shown(f"/notes/{anew['id']}")["content"] == "Bob likes malt"
    assert team.owner.shown(f"/tasks/{off['id']}")["title"] == "[erased]"
    assert team.owner.shown(f"/contacts/{other['id']}")["firstName"] == "Bob"
    assert not in_log(team, "Sarah")
    check(team, postgres, keep)


@pytest.mark.parametrize("to", ["somebody else", "nobody"])
def test_what_was_before_is_not_repeated_of_whom_it_was_not_written_of(
    team: Team, postgres: EmbeddedPostgres, keep: Keep, to: str
) -> None:
    contact, other = team.owner.contact(firstName="Sarah"), team.owner.contact(firstName="Bob")
    about, led = {"contactId": contact["id"]}, {"contactId": other["id"] if to == "somebody else" else None}
    call = {"direction": "inbound", "status": "completed", "notes": "Sarah called", **about}
    deal = team.owner.deal("Sarah's", customFields={"likes": "Sarah", "plan": "Sarah"}, **about)
    anew = {
        f"/notes/{created(team.owner.post('/notes', {'content': 'Sarah', **about}))['id']}": {"content": "Anew"},
        f"/tasks/{created(team.owner.post('/tasks', {'title': 'Sarah', **about}))['id']}": {"title": "Anew"},
        f"/calls/{created(team.owner.post('/calls', call))['id']}": {"notes": "Anew"},
        f"/deals/{deal['id']}": {"name": "Anew", "customFields": {"likes": "Anew", "plan": None}},
    }
    for path, changes in anew.items():
        ok(team.owner.patch(path, {"contactId": other["id"]} if path.startswith("/calls") else led))
        ok(team.owner.patch(path, changes))
    assert "Sarah" in str([team.owner.listed(f"{path}/history")[0]["changes"] for path in anew])
    erase(team.owner, contact)
    assert "Sarah" not in team.owner.get("/activities", params={"limit": 1000}).text
    assert "Sarah" not in team.owner.get("/log", params={"limit": 1000, "personal": True}).text
    for path in anew:
        assert "Anew" in team.owner.shown(path).values()
    assert team.owner.shown(f"/deals/{deal['id']}")["customFields"] == {"likes": "Anew"}
    check(team, postgres, keep)


def test_what_is_told_again_of_how_it_is_goes_with_whom_it_was_written_of(
    team: Team, postgres: EmbeddedPostgres, keep: Keep
) -> None:
    contacts = [team.owner.contact(firstName="Sarah"), *(team.owner.contact() for _ in range(2))]
    task = created(team.owner.post("/tasks", {"title": "Call Sarah", "contactId": contacts[0]["id"]}))
    deal = team.owner.deal("Sarah's", contactId=contacts[0]["id"])
    for other in contacts[1:]:
        ok(team.owner.patch(f"/tasks/{task['id']}", {"contactId": other["id"]}))
        ok(team.owner.patch(f"/deals/{deal['id']}", {"contactId": other["id"]}))
    ok(team.owner.patch(f"/tasks/{task['id']}", {"status": "completed", "contactId": None}))
    ok(team.owner.patch(f"/deals/{deal['id']}", {"status": "won"}))
    erase(team.owner, contacts[0])
    assert "Sarah" not in team.owner.get("/activities", params={"limit": 1000}).text
    assert "Sarah" not in team.owner.get("/log", params={"limit": 1000, "personal": True}).text
    assert team.owner.shown(f"/tasks/{task['id']}")["status"] == "completed"
    assert team.owner.shown(f"/deals/{deal['id']}")["status"] == "won"
    check(team, postgres, keep)


def test_who_was_merged_into_the_contact_is_erased_with_it(team: Team, postgres: EmbeddedPostgres, keep: Keep) -> None:
    winner, loser = team.owner.contact(firstName="Sarah"), team.owner.contact(lastName="Kim", notes="Old")
    ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
    refused(team.owner.post(f"/contacts/{loser['id']}/erase", {}), 409, says=winner["id"])
    receipt = erase(team.owner, winner)["receipt"]
    assert receipt["merged"] == [loser["id"]]
    refused(team.owner.get(f"/contacts/{loser['id']}"), 404)
    assert types(team.services.pool, team.workspace_id)[-2:] == ["contact_merge.erased", "contact.erased"]
    check(team, postgres, keep)


def test_who_was_merged_once_and_parted_again_leaves_the_other_as_it_is(
    team: Team, postgres: EmbeddedPostgres, keep: Keep
) -> None:
    winner, loser = team.owner.contact(firstName="Sarah"), team.owner.contact(lastName="Kim", notes="Old")
    ok(team.owner.post(f"/contacts/{winner['id']}/merge", {"loserId": loser["id"]}))
    ok(team.owner.patch(f"/contacts/{winner['id']}", {"city": "Ghent"}))
    ok(team.owner.post(f"/contacts/{winner['id']}/merge/undo", {}))
    erase(team.owner, loser)
    left = team.owner.shown(f"/contacts/{winner['id']}")
    assert (left["firstName"], left["lastName"], left["notes"], left["city"]) == ("Sarah", None, None, "Ghent")
    check(team, postgres, keep)


def kept_of(postgres: EmbeddedPostgres, *contacts: dict[str, Any]) -> list[int]:
    """How many keys are kept of each of these, by which duplicates are found."""
    query = "SELECT (SELECT count(*) FROM contact_keys WHERE contact_id = one) FROM unnest(%s::uuid[]) AS one"
    with connect(postgres.url()) as owner:
        return [row[0] for row in owner.execute(query, ([contact["id"] for contact in contacts],))]


def test_what_it_has_in_common_with_others_is_forgotten_with_it(
    team: Team, postgres: EmbeddedPostgres, keep: Keep
) -> None:
    first, second, third = (team.owner.contact(lastName="Kim", phone="+14155552671") for _ in range(3))
    assert [group["count"] for group in team.owner.listed("/contacts/duplicates")] == [3]
    assert kept_of(postgres, first, second, third) == [1, 1, 1]
    erase(team.owner, first)
    assert kept_of(postgres, first, second, third) == [0, 1, 1]
    check(team, postgres, keep)
    assert [group["count"] for group in team.owner.listed("/contacts/duplicates")] == [2]
    check(team, postgres, keep)


def test_who_looks_for_duplicates_meanwhile_brings_nothing_of_it_back(team: Team, postgres: EmbeddedPostgres) -> None:
    ok(team.owner.get("/contacts/duplicates"))
    contact = team.owner.contact(lastName="Kim", phone="+14155552671")
    with ThreadPoolExecutor(1) as threads:
        with writing(team.services.pool, team.workspace_id) as conn:
            contact_alike_kept.catch_up(conn)
            erased = threads.submit(erase, team.owner, contact)
            time.sleep(0.5)  # time to overtake
            assert not erased.done()
        erased.result(30)
    assert kept_of(postgres, contact) == [0]


def test_again_it_is_answered_with_the_same_receipt(team: Team) -> None:
    contact = team.owner.contact()
    first = erase(team.owner, contact, reason="Request 31")
    assert erase(team.owner, contact, reason="Once more") == first
    assert types(team.services.pool, team.workspace_id).count("contact.erased") == 1


def test_what_was_deleted_before_is_erased_out_of_the_log(team: Team, postgres: EmbeddedPostgres, keep: Keep) -> None:
    contact = team.owner.contact(firstName="Sarah")
    gone(team.owner.delete(f"/contacts/{contact['id']}"))
    assert erase(team.owner, contact)["receipt"]["unreadable"][0]["events"] == 1
    assert "Sarah" not in str(team.owner.listed("/activities", entityId=contact["id"]))
    check(team, postgres, keep)


def test_what_is_held_is_not_erased(team: Team) -> None:
    contact = team.owner.contact(firstName="Sarah")
    ok(team.owner.ask("PUT", f"/contacts/{contact['id']}/legal-hold", json={"reason": "Case 114"}))
    refused(team.owner.post(f"/contacts/{contact['id']}/erase", {}), 409, says="Case 114")
    assert team.owner.shown(f"/contacts/{contact['id']}")["firstName"] == "Sarah"


def test_what_there_never_was_is_not_found(team: Team, others: Team) -> None:
    theirs, tag = others.owner.contact(), team.owner.tag()
    refused(team.owner.post(f"/contacts/{theirs['id']}/erase", {}), 404)
    refused(team.owner.post(f"/contacts/{tag['id']}/erase", {}), 404)
    assert others.owner.shown(f"/contacts/{theirs['id']}") == theirs


def test_only_admins_and_owners_erase(team: Team) -> None:
    contact = team.owner.contact()
    for who in (team.member, team.limited, team.viewer, team.key("contacts:write", "contacts:read", "log:read")):
        refused(who.post(f"/contacts/{contact['id']}/erase", {}), 403)
    assert team.owner.shown(f"/contacts/{contact['id']}") == contact
    erase(team.admin, contact)
    erase(team.key("privacy:write"), team.owner.contact())


def test_another_version_is_not_erased(team: Team) -> None:
    contact = team.owner.contact()
    ok(team.owner.patch(f"/contacts/{contact['id']}", {"city": "Ghent"}))
    refused(team.owner.post(f"/contacts/{contact['id']}/erase", {}, headers={"if-match": '"1"'}), 412)
    assert team.owner.shown(f"/contacts/{contact['id']}")["city"] == "Ghent"


def test_what_very_much_refers_to_is_erased_by_a_job(
    team: Team, work_off: WorkOff, monkeypatch: pytest.MonkeyPatch, postgres: EmbeddedPostgres, keep: Keep
) -> None:
    monkeypatch.setattr(letting_go, "MANY", 2)
    contact = team.owner.contact(firstName="Sarah")
    deal = team.owner.deal("Sarah's", contactId=contact["id"])
    for number in range(3):
        created(team.owner.post("/notes", {"content": f"Sarah {number}", "contactId": contact["id"]}))
    answer = team.owner.post(f"/contacts/{contact['id']}/erase", {"reason": "Request 31"})
    job = ok(answer, 202)["data"]["job"]
    refused(team.owner.post(f"/contacts/{contact['id']}/erase", {}), 409, says=job["id"])
    work_off()
    receipt = erase(team.owner, contact)["receipt"]
    assert (receipt["reason"], receipt["goesOn"]) == ("Request 31", [{"kind": "deal", "id": deal["id"]}])
    assert team.owner.shown(f"/deals/{deal['id']}")["name"] == "[erased]"
    check(team, postgres, keep)


def test_of_two_erasures_at_once_one_is_carried_out_and_both_are_answered(team: Team) -> None:
    contact = team.owner.contact()
    with ThreadPoolExecutor(2) as threads:
        first, second = threads.map(lambda _: erase(team.owner, contact), range(2))
    assert first == second
    assert types(team.services.pool, team.workspace_id).count("contact.erased") == 1


def test_a_change_at_the_same_time_comes_before_the_erasure_or_not_at_all(
    team: Team, postgres: EmbeddedPostgres, keep: Keep
) -> None:
    for _ in range(5):
        contact = team.owner.contact(firstName="Sarah")
        note = created(team.owner.post("/notes", {"content": "Met", "contactId": contact["id"]}))
        with ThreadPoolExecutor(3) as threads:
            changed = threads.submit(team.owner.patch, f"/contacts/{contact['id']}", {"city": "Ghent"})
            noted = threads.submit(team.owner.patch, f"/notes/{note['id']}", {"content": "Sarah"})
            erase(team.owner, contact)
        assert {changed.result().status_code, noted.result().status_code} <= {200, 404}
        refused(team.owner.get(f"/contacts/{contact['id']}"), 404)
    assert "Ghent" not in str(team.owner.listed("/activities"))
    check(team, postgres, keep)


def test_an_answer_that_told_of_the_contact_is_not_given_again(team: Team) -> None:
    headers = {"idempotency-key": "once"}
    contact = created(team.owner.post("/contacts", {"firstName": "Sarah"}, headers=headers))
    other = created(team.owner.post("/contacts", {"firstName": "Bob"}, headers={"idempotency-key": "other"}))
    erase(team.owner, contact)
    refused(team.owner.post("/contacts", {"firstName": "Sarah"}, headers=headers), 404)
    again = team.owner.post("/contacts", {"firstName": "Bob"}, headers={"idempotency-key": "other"})
    assert created(again) == other
    assert len(team.owner.listed("/contacts")) == 1


def test_a_key_of_a_request_that_names_the_contact_is_not_kept_and_stays_used(team: Team, owner: Db) -> None:
    naming = [{"idempotency-key": key} for key in ("new-SARAH@example.com", "Kim 1", "+14155552671")]
    body = {"firstName": "Sarah", "lastName": "Kim", "email": "sarah@example.com", "phone": "+14155552671"}
    contact = created(team.owner.post("/contacts", body, headers=naming[0]))
    for number, headers in enumerate(naming[1:]):
        created(team.owner.post("/tags", {"name": f"T{number}"}, headers=headers))
    erase(team.owner, contact)
    kept = "SELECT string_agg(key, ' ') FROM idempotency_keys WHERE workspace_id = %s"
    ((keys,),) = owner.execute(kept, (team.workspace_id,))
    assert [word for word in ("sarah", "kim", "555") if word in keys.lower()] == []
    refused(team.owner.post("/contacts", body, headers=naming[0]), 404)
    refused(team.owner.post("/tags", {"name": "Other"}, headers=naming[1]), 422, "Idempotency-Key")
    again = team.owner.post("/tags", {"name": "T1"}, headers=naming[2])
    assert (again.status_code, again.headers["idempotency-replayed"]) == (201, "true")


def test_the_same_person_may_come_anew(team: Team, postgres: EmbeddedPostgres, keep: Keep) -> None:
    contact = team.owner.contact(firstName="Sarah", email="sarah@example.com")
    erase(team.owner, contact)
    again = team.owner.contact(firstName="Sarah", email="sarah@example.com")
    assert team.owner.shown(f"/contacts/{again['id']}")["email"] == "sarah@example.com"
    check(team, postgres, keep)


def test_keys_that_come_back_from_a_backup_go_again_when_it_is_asked_for_again(
    team: Team, postgres: EmbeddedPostgres, keep: Keep
) -> None:
    contact = team.owner.contact(firstName="Sarah")
    kept = "SELECT person_id, key FROM person_keys WHERE workspace_id = %s"
    with connect(postgres.url()) as owner:
        key = owner.execute(kept, (team.workspace_id,)).fetchone()
        assert key is not None
        keep(team)
        first = erase(team.owner, contact)
        assert owner.execute(kept, (team.workspace_id,)).fetchall() == []
        owner.execute("INSERT INTO person_keys VALUES (%s, %s, %s)", (team.workspace_id, *key))
        assert "Sarah" in team.owner.get("/log", params={"personal": True}).text
        assert erase(team.owner, contact) == first
        assert owner.execute(kept, (team.workspace_id,)).fetchall() == []
    assert "Sarah" not in team.owner.get("/log", params={"personal": True}).text
    check(team, postgres, keep)


@pytest.mark.parametrize("doing", ["merged", "merged away", "parted", "changed with others", "imported"])
def test_whoever_does_something_with_it_at_the_same_time_comes_before_or_not_at_all(
    team: Team, postgres: EmbeddedPostgres, keep: Keep, work_off: WorkOff, doing: str
) -> None:
    for number in range(3):
        contact = team.owner.contact(firstName="Sarah", email=f"sarah{number}@example.com")
        other = team.owner.contact(firstName="Bob")
        path, beside = f"/contacts/{contact['id']}", f"/contacts/{other['id']}"
        row = {"firstName": "Anne", "email": f"sarah{number}@example.com"}
        path_of, body = {
            "merged": (f"{path}/merge", {"loserId": other["id"]}),
            "merged away": (f"{beside}/merge", {"loserId": contact["id"]}),
            "parted": (f"{path}/merge/undo", {}),
            "changed with others": ("/bulk/contacts/update", {"ids": [contact["id"]], "updates": {"city": "Ghent"}}),
            "imported": ("/contacts/import", {"contacts": [row], "skipDuplicates": False}),
        }[doing]
        if doing == "parted":
            ok(team.owner.post(f"{path}/merge", {"loserId": other["id"]}))
        with ThreadPoolExecutor(2) as threads:
            done = threads.submit(team.owner.post, path_of, body)
            erased = threads.submit(team.owner.post, f"{path}/erase", {})
        assert done.result().status_code in (200, 202, 404, 409, 422), done.result().text
        assert erased.result().status_code in (200, 409), erased.result().text
        work_off()
        left = contact if erased.result().status_code == 200 else other
        erase(team.owner, left)
        refused(team.owner.get(f"/contacts/{left['id']}"), 404)
        keep(team)
    check(team, postgres, keep)
