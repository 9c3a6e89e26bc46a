"""Rules of legal holds on contacts."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

from domain.contact import CONTACT, Contact, CreateContact, DeleteContact, UpdateContact
from domain.contact_legal_hold import (
    ContactLegalHoldPlaced,
    ContactLegalHoldReleased,
    LegalHold,
    PlaceLegalHold,
    ReleaseLegalHold,
)
from tests.language import given

AT = datetime(2026, 11, 20, 9, tzinfo=UTC)
OLGA, ADA = UUID(int=1), UUID(int=2)
created = CreateContact(first_name="Sarah")
place = PlaceLegalHold(reason=" Case 114 ", at=AT, by=OLGA)


def test_a_hold_says_why_since_when_and_by_whom() -> None:
    state = (
        given(CONTACT, created)
        .when(place)
        .then(ContactLegalHoldPlaced(reason="Case 114", placed_at=AT, placed_by=OLGA))
    )
    assert isinstance(state, Contact)
    assert state.legal_hold == LegalHold(reason="Case 114", placed_at=AT, placed_by=OLGA)


def test_the_same_hold_again_is_no_change_and_another_reason_is_one() -> None:
    held = given(CONTACT, created, place)
    held.when(PlaceLegalHold(reason="Case 114", at=AT, by=ADA)).nothing()
    state = held.when(PlaceLegalHold(reason="Case 115", at=AT, by=ADA)).state
    assert isinstance(state, Contact)
    assert state.legal_hold == LegalHold(reason="Case 115", placed_at=AT, placed_by=ADA)


def test_a_hold_has_a_reason() -> None:
    given(CONTACT, created).when(PlaceLegalHold(reason=" ", at=AT, by=OLGA)).refused(
        "validation_failed", field="reason"
    )


def test_what_is_held_is_not_deleted_and_the_answer_says_why() -> None:
    refusal = given(CONTACT, created, place).when(DeleteContact()).refused("conflict", says="Case 114")
    assert "2026-11-20" in refusal.message


def test_what_is_held_can_be_changed() -> None:
    state = given(CONTACT, created, place).when(UpdateContact(first_name="Sara")).state
    assert isinstance(state, Contact)
    assert state.legal_hold is not None


def test_what_was_released_can_be_deleted() -> None:
    released = ContactLegalHoldReleased(reason="Case 114", placed_at=AT, placed_by=OLGA)
    state = given(CONTACT, created, place).when(ReleaseLegalHold()).then(released)
    assert given(CONTACT, created, place, ReleaseLegalHold(), DeleteContact()).state is None
    assert isinstance(state, Contact)
    assert state.legal_hold is None


def test_to_release_what_is_not_held_is_no_change() -> None:
    given(CONTACT, created).when(ReleaseLegalHold()).nothing()


def test_only_a_contact_that_there_is_can_be_held() -> None:
    given(CONTACT).when(place).refused("not_found")
    given(CONTACT).when(ReleaseLegalHold()).refused("not_found")
