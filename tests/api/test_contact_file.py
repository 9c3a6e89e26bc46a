"""All that is held of one person as one file: whatever refers to a contact is in it."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

import pytest

from application.contact_file import MOST, SHOWN
from domain.contact import CONTACT
from domain.kernel import State
from domain.kernel.fields import defined_fields
from projections.catalogue import TABLES
from schemas.contact_file import ContactFile as View
from tests.api.asserting import ok, refused
from tests.api.team import Member, Team, created
from tests.api.test_contact_merge import about, merge


def file(who: Member, contact: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = ok(who.get(f"/contacts/{contact['id']}/export"))
    return found


def test_every_kind_that_refers_to_contacts_is_in_it() -> None:
    """By fields that say so, or by what a workspace may define."""
    kinds = {
        table.decider.stream_type
        for table in TABLES
        if any(reference.to.kind == CONTACT.stream_type for reference in table.references)
        or _has_defined_fields(table.decider.state)
    }
    assert kinds == SHOWN.keys()


def _has_defined_fields(state: type[State]) -> bool:
    return bool(defined_fields(state))


def test_all_that_refers_to_a_contact_is_in_its_file(team: Team) -> None:
    contact = team.owner.contact(name="Sarah Kim", tags=["VIP"])
    paths = about(team, contact)
    team.owner.deal("Another's", contactId=team.owner.contact()["id"])
    found = file(team.owner, contact)
    shown = {one["id"]: one for things in found["related"].values() for one in things}
    assert shown.keys() == {path.rpartition("/")[2] for path in paths}
    for path in paths:
        elsewhere = team.owner.shown(path)
        one = shown[elsewhere["id"]]
        assert {name: elsewhere[name] for name in one} == one
    assert found["contact"] == team.owner.shown(f"/contacts/{contact['id']}")
    assert (found["leftOut"], found["complete"]) == ([], True)
    assert found.keys() == {*View.__struct_encode_fields__}


def test_values_of_custom_fields_have_what_they_are_called_and_lead_to_it(team: Team) -> None:
    for field in (
        {"name": "Boss", "key": "boss", "type": "related"},
        {"name": "Level", "key": "level", "type": "text"},
    ):
        for entity in ("contact", "company"):
            created(team.owner.post("/custom-fields", {"entity": entity, **field}))
    contact = team.owner.contact(name="Sarah Kim", customFields={"level": "gold", "Free": 1})
    below = team.owner.contact(customFields={"boss": contact["id"]})
    company = team.owner.company(customFields={"boss": contact["id"]})
    found = file(team.owner, contact)
    assert found["customFields"] == [
        {"key": "Free", "name": "Free", "type": None, "value": 1},
        {"key": "level", "name": "Level", "type": "text", "value": "gold"},
    ]
    assert [one["id"] for one in found["related"]["contact"]] == [below["id"]]
    assert [one["id"] for one in found["related"]["company"]] == [company["id"]]


def test_it_has_each_change_from_the_first(team: Team) -> None:
    contact = team.owner.contact(firstName="Sarah")
    team.admin.patch(f"/contacts/{contact['id']}", {"company": "Acme"})
    history = team.owner.listed(f"/contacts/{contact['id']}/history")
    found = file(team.owner, contact)
    assert found["history"] == history[::-1]
    assert found["history"][1]["changes"] == {"company": {"from": None, "to": "Acme"}}
    assert found["history"][1]["userId"] == str(team.admin.account_id)
    assert found["seq"] == team.owner.get("/log").json()["meta"]["head"]


def test_it_has_who_was_merged_into_it_however_far(team: Team) -> None:
    last, middle, first = (team.owner.contact(firstName=name) for name in ("Last", "Middle", "First"))
    merge(team.owner, middle, last)
    merge(team.owner, first, middle)
    found = file(team.owner, last)
    assert found == file(team.owner, first)
    assert found["contact"]["id"] == first["id"]
    assert [(one["id"], one["name"], one["was"]["firstName"]) for one in found["merged"]] == [
        (last["id"], "Last", "Last"),
        (middle["id"], "Middle", "Middle"),
    ]
    assert [entry["event"] for entry in found["history"]].count("contact.created") == 3


def test_of_what_a_caller_may_not_see_it_says_that_it_is_not_there(team: Team) -> None:
    contact = team.owner.contact(assignedTo=str(team.limited.account_id))
    about(team, contact)
    found = file(team.key("contacts:read", "notes:read"), contact)
    assert [kind for kind, things in found["related"].items() if things] == ["note"]
    assert (found["leftOut"], found["complete"]) == (["call", "deal", "interaction", "task"], False)
    theirs = file(team.limited, contact)
    assert (theirs["related"]["deal"], theirs["complete"]) == ([], False)
    assert len(theirs["related"]["note"]) == 1


def test_a_limited_member_is_told_of_those_merged_into_it_that_were_theirs(team: Team) -> None:
    mine = {"assignedTo": str(team.limited.account_id)}
    contact = team.owner.contact(firstName="Sarah", **mine)
    theirs = team.owner.contact(firstName="Kim", **mine)
    others = team.owner.contact(firstName="Secret", assignedTo=str(team.member.account_id))
    for loser in (theirs, others):
        ok(team.owner.post(f"/contacts/{contact['id']}/merge", {"loserId": loser["id"]}))
    found = file(team.limited, contact)
    assert [one["id"] for one in found["merged"]] == [theirs["id"]]
    began = [one["changes"]["firstName"]["to"] for one in found["history"] if one["action"] == "created"]
    assert began == ["Sarah", "Kim"]
    assert found["complete"] is False
    assert {one["id"] for one in file(team.owner, contact)["merged"]} == {theirs["id"], others["id"]}


def test_of_too_much_it_says_so(team: Team, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("application.contact_file.MOST", 2)
    monkeypatch.setattr("application.contact_file.BATCH", 1)
    contact = team.owner.contact()
    for _ in range(3):
        created(team.owner.post("/notes", {"content": "Met", "contactId": contact["id"]}))
    found = file(team.owner, contact)
    assert (len(found["related"]["note"]), found["complete"]) == (2, False)
    assert MOST == 100_000


def test_it_is_a_file(team: Team) -> None:
    contact = team.owner.contact()
    answer = team.owner.get(f"/contacts/{contact['id']}/export")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"] == f'attachment; filename="contact-{contact["id"]}.json"'


def test_who_is_not_there_has_none(team: Team, others: Team) -> None:
    hidden = team.owner.contact()
    for who, contact_id in ((team.owner, uuid4()), (others.owner, UUID(hidden["id"])), (team.limited, hidden["id"])):
        refused(who.get(f"/contacts/{contact_id}/export"), 404)
