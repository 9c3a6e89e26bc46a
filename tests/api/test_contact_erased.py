"""What is told of a contact that was erased: that there was somebody, what happened, which fields it had; never its values."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Final

import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore.bundle.replaying import replayed
from eventstore.database import Db
from eventstore.offline import verify_file
from projections.verify import verify
from tests.api.asserting import ok, refused
from tests.api.conftest import Keep, WorkOff
from tests.api.team import Team, created
from tests.api.test_as_of import end

PLANTED: Final = "Zyxwvut"
CONTACT: Final = {
    "firstName": PLANTED,
    "email": f"{PLANTED}@example.com",
    "phone": "+14155552671",
    "birthday": "1987-06-05",
    "customFields": {"plan": PLANTED},
}
FIELDS: Final = {"firstName", "email", "phone", "birthday", "customFields"}
PARTS: Final = ("note", "task", "call", "deal")


class Told:
    """A contact with one of everything that tells of it, each changed once; and where the log ended before its erasure."""

    def __init__(self, team: Team, keep: Keep) -> None:
        self.team = team
        self.contact = team.owner.contact(**CONTACT)
        self.first = end(team)
        their = {"contactId": self.contact["id"]}
        call = {"direction": "inbound", "status": "completed", "notes": PLANTED, **their}
        self.parts = {
            "note": created(team.owner.post("/notes", {"content": PLANTED, **their})),
            "task": created(team.owner.post("/tasks", {"title": PLANTED, **their})),
            "call": created(team.owner.post("/calls", call)),
            "deal": team.owner.deal(PLANTED, **their),
        }
        ok(team.owner.patch(self.path, {"city": PLANTED, "customFields": {"plan": f"{PLANTED} II"}}))
        self.before = end(team)
        keep(team)

    @property
    def path(self) -> str:
        return f"/contacts/{self.contact['id']}"

    def paths(self) -> Iterator[str]:
        """Of the contact and of what told of it."""
        yield self.path
        yield from (f"/{kind}s/{self.parts[kind]['id']}" for kind in PARTS)

    def erase(self) -> dict[str, Any]:
        receipt: dict[str, Any] = ok(self.team.owner.post(f"{self.path}/erase", {}))["data"]["receipt"]
        return receipt

    def telling(self, path: str, **params: Any) -> Any:
        """An answer that is one, and has nothing personal in it."""
        answer = self.team.owner.get(path, params=params)
        for value in (PLANTED, PLANTED.lower(), "4155552671", "1987-06-05"):
            assert value not in answer.text, path
        return ok(answer)["data"]


@pytest.fixture
def told(team: Team, keep: Keep) -> Told:
    return Told(team, keep)


def test_as_of_a_moment_before_it_was_somebody_without_a_name(told: Told, keep: Keep) -> None:
    told.erase()
    for again in (False, True):
        for moment in (told.first, told.before):
            shown = told.telling(told.path, asOf=moment)
            assert (shown["id"], shown["firstName"], shown["email"], shown["customFields"]) == (
                told.contact["id"], None, None, {},
            )  # fmt: skip
        assert [told.telling(path, asOf=told.before)["id"] for path in told.paths()]
        for path in ("/contacts", "/deals", "/tasks"):
            assert len(told.telling(path, asOf=told.before)) == 1
        assert told.telling("/contacts", asOf=told.before, search=PLANTED) == []
        if not again:
            keep(told.team)


def test_its_history_says_which_fields_were_erased(told: Told) -> None:
    told.erase()
    last, changed, made = told.telling(f"{told.path}/history")
    assert (last["event"], changed["event"], made["event"]) == ("contact.erased", "contact.updated", "contact.created")
    assert (set(made["erased"]), changed["erased"], last["erased"]) == (FIELDS, ["city", "customFields"], [])
    for path in told.paths():
        assert any(entry["erased"] for entry in told.telling(f"{path}/history"))


def test_so_do_the_activities(told: Told) -> None:
    assert not any(one["erased"] for one in told.team.owner.listed("/activities", limit=100))
    told.erase()
    erased = {one["event"]: one["erased"] for one in told.telling("/activities", limit=100) if one["erased"]}
    assert set(erased) == {
        "contact.created", "contact.updated", "note.created", "task.created", "call.created", "deal.created", "deal.updated",
    }  # fmt: skip
    assert (erased["note.created"], erased["deal.created"]) == (["content"], ["name"])


def test_what_differs_and_why_can_still_be_asked(told: Told) -> None:
    told.erase()
    for path in told.paths():
        told.telling(f"{path}/diff", **{"from": str(told.first)})
        told.telling(f"{path}/diff", **{"from": str(told.first), "to": str(told.before)})
    for path, field in zip(told.paths(), ("firstName", "content", "title", "notes", "name"), strict=True):
        found = told.telling(f"{path}/explain", field=field, asOf=told.before)
        assert (found["everSet"], found["value"] in (None, "[erased]")) == (True, True)
        assert found["chain"][0]["event"].endswith((".created", ".updated"))


def test_timelines_of_what_goes_on_do_not_tell_it(told: Told, keep: Keep) -> None:
    told.erase()
    refused(told.team.owner.get(f"{told.path}/timeline"), 404)
    for _ in range(2):
        told.telling(f"/deals/{told.parts['deal']['id']}/timeline")
        keep(told.team)


def test_the_hash_of_what_was_before_stays_the_same(told: Told) -> None:
    """It is of the log as it is stored, so it takes no key and tells whether anything but the erasure was done."""
    before = told.telling("/log/state", asOf=told.before)
    told.erase()
    assert told.telling("/log/state", asOf=told.before) == before
    after = told.telling("/log/state")
    assert after["hash"] != before["hash"]
    assert (before["counts"]["contact"], after["counts"].get("contact", 0)) == (1, 0)


def test_the_log_verifies_with_keys_and_without(told: Told, postgres: EmbeddedPostgres, keep: Keep) -> None:
    headers = {"accept": "application/x-ndjson"}
    whole = told.team.owner.get("/log", params={"limit": 1000}, headers=headers).content
    told.erase()
    keep(told.team)
    then = told.team.owner.get("/log", params={"limit": 1000}, headers=headers).content
    assert then.startswith(whole)
    assert PLANTED.encode() not in then
    assert verify_file(then.splitlines()).finding is None
    assert verify(postgres.url(), workspaces=[told.team.workspace_id]).finding is None
    assert not any(
        "opened" in entry and PLANTED in str(entry) for entry in told.telling("/log", personal=True, limit=1000)
    )


def test_a_bundle_from_before_can_be_taken_and_has_nothing_that_can_be_read(told: Told, work_off: WorkOff) -> None:
    made = ok(told.team.owner.post("/audit/exports", {}), 202)["data"]
    work_off()
    told.erase()
    assert told.telling(f"/audit/exports/{made['id']}")["status"] == "completed"
    assert [one["id"] for one in told.telling("/audit/exports")] == [made["id"]]
    bundle = told.team.owner.get(f"/audit/exports/{made['id']}/bundle").content
    with replayed(io.BytesIO(bundle), str(told.before)) as found:
        assert found.states is not None
        lines = b"".join(found.states.lines())
    assert PLANTED.encode() not in lines
    assert told.contact["id"].encode() in lines
    assert found.states.hash.hex() == told.telling("/log/state", asOf=told.before)["hash"]


@pytest.mark.parametrize("whose", ["winner", "loser"])
def test_verify_finds_a_key_of_somebody_erased_that_came_back(
    team: Team, postgres: EmbeddedPostgres, keep: Keep, owner: Db, whose: str
) -> None:
    contacts = {"winner": team.owner.contact(firstName="Sarah"), "loser": team.owner.contact(lastName="Kim")}
    ok(team.owner.post(f"/contacts/{contacts['winner']['id']}/merge", {"loserId": contacts["loser"]["id"]}))
    ok(team.owner.post(f"/contacts/{contacts['winner']['id']}/erase", {}))
    keep(team)
    assert verify(postgres.url(), workspaces=[team.workspace_id]).finding is None
    place = (team.workspace_id, contacts[whose]["id"])
    owner.execute("INSERT INTO person_keys VALUES (%s, %s, sha256('from a backup'))", place)
    finding = verify(postgres.url(), workspaces=[team.workspace_id]).finding
    assert finding is not None
    assert (finding.table, str(finding.row_id), finding.found) == ("person_keys", contacts[whose]["id"], "one")
    assert finding.expected.startswith("no key, as event ")


def test_verify_tells_of_keys_that_are_gone_though_nobody_was_erased(
    team: Team, postgres: EmbeddedPostgres, owner: Db
) -> None:
    lost, erased = team.owner.contact(firstName="Sarah"), team.owner.contact(firstName="Bob")
    ok(team.owner.post(f"/contacts/{erased['id']}/erase", {}))
    assert verify(postgres.url(), workspaces=[team.workspace_id], views=()).lost == 0
    owner.execute("DELETE FROM person_keys WHERE workspace_id = %s AND person_id = %s", (team.workspace_id, lost["id"]))
    assert verify(postgres.url(), workspaces=[team.workspace_id], views=()).lost == 1
