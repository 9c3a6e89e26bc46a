"""Interactions over HTTP: what the documents say of them, and who sees which."""

from __future__ import annotations

import re
from typing import Any, get_args

import pytest

from domain.interaction import InteractionType
from eventstore.ids import new_id
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created

MEETING = {
    "type": "meeting",
    "subject": "Kick-off",
    "body": "Met in person",
    "occurredAt": "2026-03-01T10:00:00Z",
    "metadata": {"room": "4"},
}


@pytest.fixture
def sarah(team: Team) -> dict[str, Any]:
    return team.owner.contact(firstName="Sarah")


def below(contact: dict[str, Any]) -> str:
    return f"/contacts/{contact['id']}/interactions"


def path(thing: dict[str, Any]) -> str:
    return f"/interactions/{thing['id']}"


def interaction(member: Member, contact: dict[str, Any], **fields: Any) -> dict[str, Any]:
    return created(member.post(below(contact), {"type": "note", **fields}))


def test_one_is_recorded_shown_and_deleted(team: Team, sarah: dict[str, Any]) -> None:
    answer = team.owner.post(below(sarah), MEETING)
    made = created(answer)
    assert {name: made[name] for name in MEETING} == MEETING
    assert made["contactId"] == sarah["id"]
    assert answer.headers["location"] == f"/api/v1{path(made)}"
    assert team.owner.shown(path(made)) == made
    gone(team.owner.delete(path(made)))
    refused(team.owner.get(path(made)), 404, says="interaction")
    refused(team.owner.delete(path(made)), 404)
    assert team.owner.listed(below(sarah)) == []


@pytest.mark.parametrize("kind", get_args(InteractionType))
def test_every_documented_type_is_taken_and_occurs_now_unless_it_is_said(
    team: Team, sarah: dict[str, Any], kind: str
) -> None:
    made = interaction(team.owner, sarah, type=kind)
    assert (made["type"], made["occurredAt"], made["metadata"]) == (kind, made["createdAt"], {})
    assert (made["subject"], made["body"]) == (None, None)


def test_the_documented_types_are_these() -> None:
    assert set(get_args(InteractionType)) == {
        "email_sent", "email_received", "call", "meeting", "note", "form_submission", "event_attended",
        "action_taken", "stage_change",
    }  # fmt: skip


def test_what_is_not_acceptable_is_named(team: Team, sarah: dict[str, Any]) -> None:
    for field, value in (
        ("type", "nonsense"), ("type", None), ("subject", "x" * 256), ("body", 1), ("occurredAt", "then"),
        ("occurredAt", "2026-03-01T10:00:00"), ("metadata", {"room": 4}), ("metadata", "room 4"),
        ("metadata", {"room": {"number": "4"}}), ("contactId", sarah["id"]),
    ):  # fmt: skip
        error = refused(team.owner.post(below(sarah), {**MEETING, field: value}), 422)
        assert [re.split(r"\W", detail["field"])[0] for detail in error["details"]] == [field]
    refused(team.owner.post(below(sarah), {"subject": "No type"}), 422, "type")


def test_a_contacts_come_last_first_in_pages(team: Team, sarah: dict[str, Any]) -> None:
    days = ["02", "03", "01"]
    made = {day: interaction(team.owner, sarah, occurredAt=f"2026-03-{day}T10:00:00Z") for day in days}
    interaction(team.owner, team.owner.contact())
    expected = [made[day] for day in ("03", "02", "01")]
    answer = ok(team.owner.get(below(sarah)))
    assert answer["data"] == expected
    assert answer["meta"] | {"nextCursor": None} == answer["meta"] | {"page": 1, "limit": 50, "total": 3}
    first = ok(team.owner.get(below(sarah), params={"pageSize": 2}))
    assert (first["data"], first["meta"]["limit"]) == (expected[:2], 2)
    assert team.owner.listed(below(sarah), page=2, pageSize=2) == expected[2:]
    assert team.owner.listed(below(sarah), limit=2, cursor=first["meta"]["nextCursor"]) == expected[2:]


def test_they_are_filtered_by_type(team: Team, sarah: dict[str, Any]) -> None:
    made = interaction(team.owner, sarah, type="call")
    interaction(team.owner, sarah, type="meeting")
    assert team.owner.listed(below(sarah), type="call") == [made]


def test_a_contact_that_is_not_there_has_none_and_takes_none(team: Team, others: Team) -> None:
    for missing in ({"id": str(new_id())}, others.owner.contact()):
        refused(team.owner.get(below(missing)), 404, says="contact")
        refused(team.owner.post(below(missing), MEETING), 404, says="contact")
    theirs = interaction(others.owner, others.owner.contact())
    refused(team.owner.delete(path(theirs)), 404)
    assert others.owner.shown(path(theirs)) == theirs


def test_they_are_deleted_with_their_contact(team: Team, sarah: dict[str, Any]) -> None:
    made, kept = interaction(team.owner, sarah), interaction(team.owner, team.owner.contact())
    gone(team.owner.delete(f"/contacts/{sarah['id']}"))
    refused(team.owner.get(path(made)), 404)
    assert team.owner.shown(path(kept)) == kept


def test_a_limited_member_sees_those_of_contacts_of_theirs(team: Team, sarah: dict[str, Any]) -> None:
    mine = team.owner.contact(assignedTo=str(team.limited.account_id))
    seen, unseen = interaction(team.owner, mine), interaction(team.owner, sarah)
    assert team.limited.listed(below(mine)) == [seen]
    gone(team.limited.delete(path(interaction(team.limited, mine))))
    for answer in (
        team.limited.get(below(sarah)),
        team.limited.post(below(sarah), MEETING),
        team.limited.get(path(unseen)),
        team.limited.delete(path(unseen)),
    ):
        refused(answer, 404)
