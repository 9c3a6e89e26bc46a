"""Rules of pairs of contacts that somebody has said are two."""

from __future__ import annotations

from domain.contact_duplicate import (
    CONTACT_DUPLICATE,
    ContactDuplicateDismissed,
    ContactDuplicateMoved,
    ContactDuplicateRestored,
    DismissDuplicate,
    DismissedDuplicate,
    DuplicatePairChanges,
    MoveDuplicate,
    RestoreDuplicate,
)
from eventstore.ids import new_id
from tests.language import given

ANN, BOB, CAT = (new_id() for _ in range(3))
DISMISSED = ContactDuplicateDismissed(contact_id=ANN, contact_name="Ann", other_id=BOB, other_name="Bob")


def test_of_two_contacts_it_is_said_with_their_names() -> None:
    command = DismissDuplicate(contact_id=ANN, contact_name="Ann", other_id=BOB, other_name="Bob")
    given(CONTACT_DUPLICATE).when(command).then(DISMISSED)
    given(CONTACT_DUPLICATE, DISMISSED).when(command).refused("conflict")


def test_it_goes_along_to_whom_one_of_them_goes_on_as() -> None:
    moved = ContactDuplicateMoved(
        changed=DuplicatePairChanges(other_id=CAT), previous=DuplicatePairChanges(other_id=BOB)
    )
    given(CONTACT_DUPLICATE, DISMISSED).when(MoveDuplicate(other_id=CAT)).then(moved)
    given(CONTACT_DUPLICATE, DISMISSED, moved).when(MoveDuplicate(other_id=CAT)).then()
    assert given(CONTACT_DUPLICATE, DISMISSED, moved).state == DismissedDuplicate(contact_id=ANN, other_id=CAT)


def test_it_is_taken_back_for_good() -> None:
    given(CONTACT_DUPLICATE, DISMISSED).when(RestoreDuplicate()).then(ContactDuplicateRestored())
    restored = given(CONTACT_DUPLICATE, DISMISSED, ContactDuplicateRestored())
    restored.when(RestoreDuplicate()).refused("not_found")
    restored.when(MoveDuplicate(other_id=CAT)).refused("not_found")
