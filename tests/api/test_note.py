"""Notes over HTTP: what the documents say of them, and who sees which."""

from __future__ import annotations

from typing import Any

from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created

MARKDOWN = "    indented\n\n# Had a *great* call  \n\n- [ ] <b>send</b> it\n"


def note(member: Member, content: str = "A", **fields: Any) -> dict[str, Any]:
    return created(member.post("/notes", {"content": content, **fields}))


def path(thing: dict[str, Any]) -> str:
    return f"/notes/{thing['id']}"


def test_one_is_written_shown_changed_and_deleted(team: Team) -> None:
    contact = team.owner.contact()
    made = note(team.member, MARKDOWN, contactId=contact["id"])
    assert (made["content"], made["contactId"]) == (MARKDOWN, contact["id"])
    assert made["createdBy"] == str(team.member.account_id)
    assert team.owner.shown(path(made)) == made
    after = ok(team.owner.patch(path(made), {"content": "Had a *great* call."}, headers={"if-match": '"1"'}))["data"]
    assert after == {**made, "content": "Had a *great* call.", "updatedAt": after["updatedAt"], "version": 2}
    gone(team.owner.delete(path(made)))
    refused(team.owner.get(path(made)), 404, says="note")
    refused(team.owner.patch(path(made), {"content": "B"}), 404)


def test_markdown_is_answered_and_listed_as_it_was_given(team: Team) -> None:
    made = note(team.owner, MARKDOWN)
    assert made["content"] == team.owner.shown(path(made))["content"] == MARKDOWN
    assert [found["content"] for found in team.owner.listed("/notes")] == [MARKDOWN]


def test_who_wrote_it_is_recorded_and_cannot_be_said_or_changed(team: Team) -> None:
    somebody = str(team.member.account_id)
    refused(team.owner.post("/notes", {"content": "A", "createdBy": somebody}), 422, "createdBy")
    refused(team.owner.patch(path(note(team.owner)), {"createdBy": somebody}), 422, "createdBy")
    assert note(team.key("notes:write", of=team.member))["createdBy"] == somebody


def test_what_is_not_acceptable_is_named(team: Team, others: Team) -> None:
    refused(team.owner.post("/notes", {"contactId": team.owner.contact()["id"]}), 422, "content")
    refused(team.owner.post("/notes", {"content": " \n "}), 422, "content")
    refused(team.owner.post("/notes", {"content": "A", "contactId": others.owner.contact()["id"]}), 422, "contactId")
    refused(team.owner.patch(path(note(team.owner)), {"content": None}), 422, "content")


def test_they_come_newest_first_and_of_a_contact(team: Team) -> None:
    contact = team.owner.contact()
    notes = [note(team.owner, text, contactId=contact["id"]) for text in "AB"]
    other = note(team.owner, "C", contactId=team.owner.contact()["id"])
    answer = ok(team.owner.get("/notes"))
    assert answer["data"] == [other, *notes[::-1]]
    assert (answer["meta"]["total"], answer["meta"]["limit"]) == (3, 50)
    assert team.owner.listed("/notes", contactId=contact["id"]) == notes[::-1]


def test_a_note_of_a_contact_goes_with_it(team: Team) -> None:
    contact = team.owner.contact()
    made, kept = note(team.owner, contactId=contact["id"]), note(team.owner)
    gone(team.owner.delete(f"/contacts/{contact['id']}"))
    refused(team.owner.get(path(made)), 404)
    assert team.owner.listed("/notes") == [kept]


def test_a_limited_member_sees_notes_about_contacts_of_theirs_and_their_own_about_nothing(team: Team) -> None:
    contact, hidden = team.owner.contact(assignedTo=str(team.limited.account_id)), team.owner.contact()
    seen = [note(team.owner, contactId=contact["id"]), note(team.limited)]
    unseen = [note(team.owner, contactId=hidden["id"]), note(team.owner)]
    assert team.limited.listed("/notes") == seen[::-1]
    for made in unseen:
        refused(team.limited.get(path(made)), 404, says="note")
        refused(team.limited.patch(path(made), {"content": "Taken"}), 404)
        refused(team.limited.delete(path(made)), 404)
    assert team.limited.listed("/notes", contactId=hidden["id"]) == []
    refused(team.limited.post("/notes", {"content": "A", "contactId": hidden["id"]}), 422, "contactId")


def test_a_note_that_a_limited_member_wrote_is_hidden_with_its_contact(team: Team) -> None:
    contact = team.owner.contact(assignedTo=str(team.limited.account_id))
    made = note(team.limited, contactId=contact["id"])
    ok(team.limited.get(path(made)))
    ok(team.owner.patch(f"/contacts/{contact['id']}", {"assignedTo": str(team.member.account_id)}))
    refused(team.limited.get(path(made)), 404)
    assert team.limited.listed("/notes") == []


def test_one_is_not_sent_again_to_who_has_it(team: Team) -> None:
    made = note(team.owner)
    assert team.owner.get(path(made), headers={"if-none-match": '"1"'}).status_code == 304
