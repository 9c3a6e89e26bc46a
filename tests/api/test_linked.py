"""What tasks, notes and calls are about: contacts and deals of the workspace, with which they are seen."""

from __future__ import annotations

from typing import Any

import pytest

from eventstore.ids import new_id
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team, created

Thing = dict[str, Any]

KINDS = {"tasks": {"title": "A"}, "notes": {"content": "A"}, "calls": {"direction": "inbound", "status": "missed"}}

every_kind = pytest.mark.parametrize("kind", KINDS)


def made(who: Member, kind: str, **about: str) -> Thing:
    """Calls are always with a contact."""
    if kind == "calls" and "contactId" not in about:
        about["contactId"] = who.contact()["id"]
    return created(who.post(f"/{kind}", {**KINDS[kind], **about}))


@every_kind
def test_one_is_about_a_contact_and_a_deal_and_found_by_either(team: Team, kind: str) -> None:
    contact, deal = team.owner.contact(), team.owner.deal()
    both = made(team.owner, kind, contactId=contact["id"], dealId=deal["id"])
    assert (both["contactId"], both["dealId"]) == (contact["id"], deal["id"])
    made(team.owner, kind)
    for about in (
        {"dealId": deal["id"]},
        {"contactId": contact["id"]},
        {"contactId": contact["id"], "dealId": deal["id"]},
    ):
        assert team.owner.listed(f"/{kind}", **about) == [both]
    assert team.owner.listed(f"/{kind}", dealId=team.owner.deal()["id"]) == []
    after = ok(team.owner.patch(f"/{kind}/{both['id']}", {"dealId": None}))["data"]
    assert (after["contactId"], after["dealId"]) == (contact["id"], None)


@every_kind
def test_what_is_no_deal_of_the_workspace_is_refused(team: Team, others: Team, kind: str) -> None:
    one = made(team.owner, kind)
    for wrong in (str(new_id()), others.owner.deal()["id"], team.owner.contact()["id"]):
        body = {**KINDS[kind], "contactId": team.owner.contact()["id"], "dealId": wrong}
        refused(team.owner.post(f"/{kind}", body), 422, "dealId")
        refused(team.owner.patch(f"/{kind}/{one['id']}", {"dealId": wrong}), 422, "dealId")
    assert team.owner.shown(f"/{kind}/{one['id']}") == one


@every_kind
def test_it_stays_when_the_deal_is_deleted_and_goes_with_the_contact(team: Team, kind: str) -> None:
    contact, deal = team.owner.contact(), team.owner.deal()
    one = made(team.owner, kind, contactId=contact["id"], dealId=deal["id"])
    gone(team.owner.delete(f"/deals/{deal['id']}"))
    after = team.owner.shown(f"/{kind}/{one['id']}")
    assert after == {**one, "dealId": None, "updatedAt": after["updatedAt"], "version": 2}
    gone(team.owner.delete(f"/contacts/{contact['id']}"))
    refused(team.owner.get(f"/{kind}/{one['id']}"), 404)
    trail = [item["event"] for item in team.owner.listed("/activities", entityId=one["id"])]
    assert [event.partition(".")[2] for event in trail] == ["deleted", "updated", "created"]


@every_kind
def test_a_limited_member_sees_what_is_about_a_deal_of_theirs_as_long_as_it_is(team: Team, kind: str) -> None:
    mine, hidden = team.owner.deal(assignedTo=str(team.limited.account_id)), team.owner.deal()
    seen, unseen = (made(team.owner, kind, dealId=deal["id"]) for deal in (mine, hidden))
    assert [found["id"] for found in team.limited.listed(f"/{kind}")] == [seen["id"]]
    ok(team.limited.get(f"/{kind}/{seen['id']}"))
    refused(team.limited.get(f"/{kind}/{unseen['id']}"), 404)
    refused(team.limited.patch(f"/{kind}/{seen['id']}", {"dealId": hidden["id"]}), 422, "dealId")
    told = {item["entityId"] for item in team.limited.listed("/activities")}
    assert seen["id"] in told
    assert unseen["id"] not in told
    ok(team.owner.patch(f"/deals/{mine['id']}", {"assignedTo": None}))
    refused(team.limited.get(f"/{kind}/{seen['id']}"), 404)


def test_a_call_seen_by_way_of_its_deal_does_not_tell_who_its_contact_is(team: Team) -> None:
    deal = team.owner.deal(assignedTo=str(team.limited.account_id))
    call = made(team.owner, "calls", dealId=deal["id"], contactId=team.owner.contact(firstName="Hidden")["id"])
    assert team.owner.shown(f"/calls/{call['id']}")["contact"]["firstName"] == "Hidden"
    assert team.limited.shown(f"/calls/{call['id']}")["contact"] is None
