"""Rules of merges: which value wins, what goes back, and what the two contacts are told."""

from __future__ import annotations

from typing import Any

import pytest

from domain.contact import (
    CONTACT,
    Contact,
    ContactMerged,
    ContactUnmerged,
    CreateContact,
    MergeContact,
    UnmergeContact,
)
from domain.contact_fields import ContactChanges
from domain.contact_merge import (
    CONTACT_MERGE,
    BeginContactMerge,
    CallOffContactMerge,
    ContactMerge,
    ContactMergeBegun,
    ContactMergeCalledOff,
    ContactMergeCarriedOut,
    ContactMergeMoved,
    ContactMergeMovedBack,
    ContactMergeReversed,
    Moved,
    MoveInContactMerge,
    PutBackInContactMerge,
    RecordContactMerge,
    UndoContactMerge,
    lacking,
    unchanged,
)
from domain.tag import TagRef
from eventstore.ids import new_id
from tests.language import given

LOSER = new_id()
VIP, LEAD = TagRef(id=new_id(), name="VIP"), TagRef(id=new_id(), name="Lead")
somebody = CreateContact(first_name="Sarah", tags=(VIP,))


def merge(**more: Any) -> dict[str, Any]:
    changes = {"changed": ContactChanges(), "previous": ContactChanges(), **more}
    winner = {"winner_id": new_id(), "winner_name": "Sarah"}
    return {**winner, "loser_id": LOSER, "loser_name": "S.", "loser": Contact(first_name="S."), **changes}


@pytest.mark.parametrize(
    ("winner", "loser", "wins"),
    [
        ({"city": None}, {"city": "Ghent"}, {"city": "Ghent"}),
        ({"city": "Bruges"}, {"city": "Ghent"}, {}),
        ({"city": "Bruges"}, {"city": None}, {}),
        ({"status": "ACTIVE"}, {"status": "ARCHIVED", "type": "organization"}, {}),
        ({"dnc": False}, {"dnc": True}, {"dnc": True}),
        ({"globally_unsubscribed": True}, {"globally_unsubscribed": False}, {}),
        ({"phone": None}, {"phone": "+1", "phone_extension": "5"}, {"phone": "+1", "phone_extension": "5"}),
        ({"phone": "+2"}, {"phone": "+1", "phone_extension": "5"}, {}),
        ({"custom_fields": {"a": 1}}, {"custom_fields": {"a": 2, "b": 3}}, {"custom_fields": {"b": 3}}),
        ({"custom_fields": {"a": 1}}, {"custom_fields": {"a": 2}}, {}),
    ],
)
def test_the_winner_has_what_it_lacks(winner: dict[str, Any], loser: dict[str, Any], wins: dict[str, Any]) -> None:
    assert lacking(Contact(**winner), Contact(**loser)) == ContactChanges(**wins)


@pytest.mark.parametrize(
    ("now", "back"),
    [
        ({"city": "Ghent", "custom_fields": {"b": 3}}, {"city": None, "custom_fields": {"b": None}}),
        ({"city": "Bruges", "custom_fields": {"b": 4}}, {}),
        ({"city": None, "custom_fields": {}}, {}),
    ],
)
def test_only_what_is_still_as_the_merge_left_it_goes_back(now: dict[str, Any], back: dict[str, Any]) -> None:
    changed = ContactChanges(city="Ghent", custom_fields={"b": 3})
    made = ContactMerge(**merge(changed=changed, previous=ContactChanges(city=None, custom_fields={"b": None})))
    assert unchanged(made, Contact(first_name="Sarah", **now)) == ContactChanges(**back)


def test_a_merge_is_told_with_what_was_before_and_undone_again() -> None:
    changes = ContactChanges(city="Ghent")
    told: dict[str, Any] = {"loser_id": LOSER, "loser_name": "S."}
    merged = ContactMerged(**told, changed=changes, previous=ContactChanges(city=None), tags=(LEAD,))
    command = MergeContact(loser_id=LOSER, loser_name="S.", changes=changes, tags=(VIP, LEAD))
    state = given(CONTACT, somebody).when(command).then(merged)
    assert state is not None
    assert (state.city, state.tags) == ("Ghent", (VIP.id, LEAD.id))
    back = UnmergeContact(loser_id=LOSER, loser_name="S.", changes=ContactChanges(city=None), tags=(LEAD,))
    unmerged = ContactUnmerged(**told, changed=ContactChanges(city=None), previous=changes, tags=(LEAD,))
    after = given(CONTACT, somebody, merged).when(back).then(unmerged)
    assert after == given(CONTACT, somebody).state


def test_who_is_merged_keeps_to_the_limit_of_tags() -> None:
    many = tuple(TagRef(id=new_id(), name=str(number)) for number in range(100))
    command = MergeContact(loser_id=LOSER, loser_name="S.", changes=ContactChanges(), tags=many)
    given(CONTACT, somebody).when(command).refused("validation_failed", fields=(), says="100 tags")


def test_it_is_recorded_once_and_undone_once() -> None:
    made = merge()
    given(CONTACT_MERGE).when(RecordContactMerge(**made)).then(ContactMergeCarriedOut(**made))
    begun = ContactMergeCarriedOut(**made)
    given(CONTACT_MERGE, begun).when(RecordContactMerge(**made)).refused("conflict")
    state = given(CONTACT_MERGE, begun).when(UndoContactMerge()).then(ContactMergeReversed())
    assert state == ContactMerge(**made, undone=True)
    given(CONTACT_MERGE, begun, ContactMergeReversed()).when(UndoContactMerge()).nothing()
    given(CONTACT_MERGE).when(UndoContactMerge()).refused("not_found")


PART = (Moved(kind="deal", id=new_id(), field="contactId"), Moved(kind="note", id=new_id(), field="contactId"))


def test_a_large_one_is_begun_goes_part_by_part_and_is_carried_out() -> None:
    made = merge()
    given(CONTACT_MERGE).when(BeginContactMerge(**made)).then(ContactMergeBegun(**made))
    moved = ContactMergeMoved(moved=PART)
    state = given(CONTACT_MERGE, ContactMergeBegun(**made)).when(MoveInContactMerge(moved=PART)).then(moved)
    assert state == ContactMerge(**made, under_way=True, parts=(2,))
    done = given(CONTACT_MERGE, ContactMergeBegun(**made), moved).when(RecordContactMerge(**made))
    assert done.then(ContactMergeCarriedOut(**made)) == ContactMerge(**made, parts=(2,))


def test_one_that_is_under_way_is_neither_begun_again_nor_undone_but_called_off() -> None:
    begun = ContactMergeBegun(**(made := merge()))
    given(CONTACT_MERGE, begun).when(BeginContactMerge(**made)).refused("conflict")
    given(CONTACT_MERGE, begun).when(UndoContactMerge()).refused("conflict", says="still under way")
    state = given(CONTACT_MERGE, begun).when(CallOffContactMerge()).then(ContactMergeCalledOff())
    assert state == ContactMerge(**made, undone=True)


def test_one_that_is_carried_out_moves_nothing_and_is_not_called_off() -> None:
    done = ContactMergeCarriedOut(**merge())
    for command in (MoveInContactMerge(moved=PART), CallOffContactMerge()):
        given(CONTACT_MERGE, done).when(command).refused("conflict", says="not under way")


def test_what_went_over_in_parts_goes_back_last_part_first_until_all_is_settled() -> None:
    made, one = merge(), PART[:1]
    over = (ContactMergeBegun(**made), ContactMergeMoved(moved=PART), ContactMergeMoved(moved=one))
    undone = (*over, ContactMergeCarriedOut(**made), ContactMergeReversed())
    given(CONTACT_MERGE, *undone[:-1]).when(PutBackInContactMerge(moved=one)).nothing()
    state = given(CONTACT_MERGE, *undone).when(PutBackInContactMerge(moved=())).then(ContactMergeMovedBack(moved=()))
    assert state is not None
    assert (state.parts, state.settled) == ((2,), False)
    back = ContactMergeMovedBack(moved=PART)
    last = given(CONTACT_MERGE, *undone, back).when(PutBackInContactMerge(moved=PART)).then(back)
    assert last is not None
    assert last.settled
    given(CONTACT_MERGE, *undone, back, back).when(PutBackInContactMerge(moved=())).nothing()
