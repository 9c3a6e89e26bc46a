"""Contacts that somebody has said are no duplicates: what is not suggested any more, to whom, and until when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import uuid4

import pytest

from daybook.embedded import EmbeddedPostgres
from projections.verify import verify
from tests.api.asserting import gone, ok, refused
from tests.api.team import Member, Team
from tests.logs import types

DISMISSALS = "/contacts/duplicates/dismissals"


def alike(who: Member, count: int = 2, phone: str = "+14155552671", **fields: Any) -> list[dict[str, Any]]:
    """Contacts with one phone number."""
    return [who.contact(phone=phone, lastName=f"L{number}", **fields) for number in range(count)]


def said(who: Member, *contacts: dict[str, Any]) -> list[dict[str, Any]]:
    body = {"contactIds": [contact["id"] for contact in contacts]}
    found: list[dict[str, Any]] = ok(who.post("/contacts/duplicates/dismiss", body))["data"]["dismissals"]
    return found


def groups(who: Member) -> list[list[str]]:
    return [[contact["id"] for contact in group["contacts"]] for group in who.listed("/contacts/duplicates")]


def ids(*contacts: dict[str, Any]) -> list[str]:
    return [contact["id"] for contact in contacts]


class TestAGroup:
    def test_of_two_is_not_suggested_again_whatever_changes_in_them(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        (pair,) = said(team.owner, ann, bob)
        assert (pair["contactId"], pair["contactName"]) == (ann["id"], ann["name"])
        assert (pair["otherId"], pair["otherName"]) == (bob["id"], bob["name"])
        for contact in (ann, bob):
            ok(team.owner.patch(f"/contacts/{contact['id']}", {"phone": "+14155552999", "email": None}))
        assert groups(team.owner) == []
        assert ok(team.owner.get("/contacts/duplicates"))["meta"]["total"] == 0

    def test_of_three_is_suggested_until_it_is_said_of_each_two_of_them(self, team: Team) -> None:
        ann, bob, cat = alike(team.owner, 3)
        said(team.owner, ann, bob)
        said(team.owner, cat, ann)
        assert groups(team.owner) == [ids(ann, bob, cat)]
        said(team.owner, bob, cat)
        assert groups(team.owner) == []

    def test_of_three_is_dismissed_at_once_and_suggested_again_with_a_fourth(self, team: Team) -> None:
        ann, bob, cat = alike(team.owner, 3)
        assert len(said(team.owner, ann, bob, cat)) == 3
        assert groups(team.owner) == []
        (dan,) = alike(team.owner, 1)
        assert groups(team.owner) == [ids(ann, bob, cat, dan)]

    def test_is_dismissed_for_whatever_they_have_in_common(self, team: Team) -> None:
        name = {"firstName": "Sarah", "lastName": "Kim"}
        ann, bob = (team.owner.contact(**name, email=f"sarah.kim{tail}@engine.org") for tail in ("", "+a"))
        said(team.owner, ann, bob)
        for contact in (ann, bob):
            ok(team.owner.patch(f"/contacts/{contact['id']}", {"phone": "+14155552999"}))
        assert groups(team.owner) == []

    def test_is_suggested_again_once_that_is_taken_back(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        (pair,) = said(team.owner, ann, bob)
        gone(team.owner.delete(f"{DISMISSALS}/{pair['id']}"))
        assert groups(team.owner) == [ids(ann, bob)]
        refused(team.owner.get(f"{DISMISSALS}/{pair['id']}"), 404)
        refused(team.owner.delete(f"{DISMISSALS}/{pair['id']}"), 404)

    def test_is_dismissed_of_those_alone_who_are_in_it(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        cat, dan = alike(team.owner, phone="+14155552672")
        said(team.owner, ann, cat)
        said(team.owner, bob, dan)
        assert groups(team.owner) == [ids(ann, bob), ids(cat, dan)]


class TestSaying:
    def test_the_same_again_is_no_event(self, team: Team) -> None:
        ann, bob, cat = alike(team.owner, 3)
        (pair,) = said(team.owner, ann, bob)
        assert said(team.owner, bob, ann) == [pair]
        found = said(team.owner, cat, bob, ann)
        assert (len(found), found[0]) == (3, pair)
        assert types(team.services.pool, team.workspace_id).count("contact_duplicate.dismissed") == 3

    def test_the_same_at_the_same_time_is_said_once(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        with ThreadPoolExecutor(4) as threads:
            found = list(threads.map(lambda _: said(team.owner, ann, bob), range(8)))
        assert all(pairs == found[0] for pairs in found)

    @pytest.mark.parametrize("count", [0, 1, 11])
    def test_it_of_fewer_than_two_or_more_than_ten_is_refused(self, team: Team, count: int) -> None:
        body = {"contactIds": [str(uuid4()) for _ in range(count)]}
        refused(team.owner.post("/contacts/duplicates/dismiss", body), 422, "contactIds")

    def test_it_of_one_and_the_same_is_refused(self, team: Team) -> None:
        body = {"contactIds": ids(*alike(team.owner, 1)) * 2}
        refused(team.owner.post("/contacts/duplicates/dismiss", body), 422, "contactIds")

    def test_it_of_nobody_or_of_a_contact_of_another_workspace_is_refused(self, team: Team, others: Team) -> None:
        (ann,), (theirs,) = alike(team.owner, 1), alike(others.owner, 1)
        for other in (str(uuid4()), theirs["id"]):
            body = {"contactIds": [ann["id"], other]}
            refused(team.owner.post("/contacts/duplicates/dismiss", body), 422, "contactIds", says=other)

    def test_it_is_for_those_who_may_change_contacts(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        refused(team.viewer.post("/contacts/duplicates/dismiss", {"contactIds": ids(ann, bob)}), 403)
        refused(team.key("contacts:read").post("/contacts/duplicates/dismiss", {"contactIds": ids(ann, bob)}), 403)
        assert groups(team.viewer) == [ids(ann, bob)]


class TestWhatWasSaid:
    def test_is_listed_the_last_first_of_all_or_of_one_contact(self, team: Team) -> None:
        ann, bob, cat = alike(team.owner, 3)
        first, second = said(team.owner, ann, bob)[0], said(team.owner, cat, bob)[0]
        assert team.viewer.listed(DISMISSALS) == [second, first]
        assert team.owner.listed(DISMISSALS, contactId=ann["id"]) == [first]
        assert team.owner.listed(DISMISSALS, contactId=bob["id"], limit=1) == [second]
        assert team.owner.shown(f"{DISMISSALS}/{first['id']}") == first

    def test_has_the_names_of_now(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        said(team.owner, ann, bob)
        ok(team.owner.patch(f"/contacts/{bob['id']}", {"lastName": "Other"}))
        assert [pair["otherName"] for pair in team.owner.listed(DISMISSALS)] == ["Other"]

    def test_is_on_the_audit_trail_with_who_said_it_and_took_it_back(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        (pair,) = said(team.admin, ann, bob)
        gone(team.owner.delete(f"{DISMISSALS}/{pair['id']}"))
        back, made = team.owner.listed("/activities", entityType="contact_duplicate")
        assert (made["action"], made["userId"]) == ("created", str(team.admin.account_id))
        assert (back["action"], back["userId"]) == ("deleted", str(team.owner.account_id))

    def test_a_limited_member_says_of_theirs_alone_and_is_told_the_names_of_theirs(self, team: Team) -> None:
        me = str(team.limited.account_id)
        mine, other = alike(team.owner, 1, assignedTo=me)[0], alike(team.owner, 1)[0]
        body = {"contactIds": ids(mine, other)}
        refused(team.limited.post("/contacts/duplicates/dismiss", body), 422, "contactIds", says=other["id"])
        (pair,) = said(team.owner, mine, other)
        (shown,) = team.limited.listed(DISMISSALS)
        assert shown == pair | {"otherName": None}
        cat, dan = alike(team.owner, phone="+14155552672")
        (theirs,) = said(team.owner, cat, dan)
        refused(team.limited.get(f"{DISMISSALS}/{theirs['id']}"), 404)
        refused(team.limited.delete(f"{DISMISSALS}/{theirs['id']}"), 404)

    def test_a_limited_member_is_not_suggested_what_was_dismissed_either(self, team: Team) -> None:
        mine = alike(team.owner, assignedTo=str(team.limited.account_id))
        alike(team.owner, 1)
        assert groups(team.limited) == [ids(*mine)]
        said(team.limited, *mine)
        assert groups(team.limited) == []
        assert len(groups(team.owner)) == 1


class TestAContactThat:
    def test_is_deleted_takes_along_what_was_said_of_it(self, team: Team, postgres: EmbeddedPostgres) -> None:
        ann, bob, cat = alike(team.owner, 3)
        said(team.owner, ann, bob, cat)
        gone(team.owner.delete(f"/contacts/{ann['id']}"))
        assert [(pair["contactId"], pair["otherId"]) for pair in team.owner.listed(DISMISSALS)] == [
            (bob["id"], cat["id"])
        ]
        assert groups(team.owner) == []
        assert verified(postgres, team)

    def test_goes_on_as_another_is_no_more_like_whom_it_was_not(self, team: Team, postgres: EmbeddedPostgres) -> None:
        ann, bob, cat = alike(team.owner, 3)
        said(team.owner, bob, cat)
        ok(team.owner.post(f"/contacts/{ann['id']}/merge", {"loserId": bob["id"]}))
        assert groups(team.owner) == []
        ok(team.owner.post(f"/contacts/{ann['id']}/merge/undo", {}))
        assert groups(team.owner) == [ids(ann, bob, cat)]
        (pair,) = team.owner.listed(DISMISSALS)
        assert {pair["contactId"], pair["otherId"]} == {bob["id"], cat["id"]}
        assert verified(postgres, team)

    def test_is_merged_with_whom_it_was_not_is_two_again_once_that_is_undone(self, team: Team) -> None:
        ann, bob = alike(team.owner)
        (pair,) = said(team.owner, ann, bob)
        ok(team.owner.post(f"/contacts/{ann['id']}/merge", {"loserId": bob["id"]}))
        assert team.owner.listed(DISMISSALS) == []
        ok(team.owner.post(f"/contacts/{ann['id']}/merge/undo", {}))
        (back,) = team.owner.listed(DISMISSALS)
        assert (back["id"], back["contactId"], back["otherId"]) == (pair["id"], ann["id"], bob["id"])
        assert groups(team.owner) == []


def verified(postgres: EmbeddedPostgres, team: Team) -> bool:
    """Whether all that follows from the log is as it says."""
    return verify(postgres.url(), workspaces=[team.workspace_id], views=()).finding is None
