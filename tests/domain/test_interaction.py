"""Rules of interactions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest

from domain.interaction import (
    INTERACTION,
    CreateInteraction,
    DeleteInteraction,
    InteractionCreated,
    InteractionDeleted,
    InteractionMoved,
    MoveInteraction,
    WithWhom,
)
from domain.kernel.values import MAX_PREFERENCES
from eventstore.ids import new_id
from tests.language import given

CONTACT_ID, THEN = new_id(), datetime(2026, 3, 1, 10, tzinfo=UTC)


def interaction(**fields: Any) -> CreateInteraction:
    return CreateInteraction(**{"contact_id": CONTACT_ID, "type": "meeting", "occurred_at": THEN, **fields})


def test_an_interaction_is_kept_in_its_normal_form() -> None:
    there = datetime(2026, 3, 1, 11, tzinfo=timezone(timedelta(hours=1)))
    given(INTERACTION).when(
        interaction(subject=" Kick-off ", body=" Met\nin person ", occurred_at=there, metadata={"b": " 2 ", "a": ""})
    ).then(
        InteractionCreated(
            contact_id=CONTACT_ID,
            type="meeting",
            subject="Kick-off",
            body="Met\nin person",
            occurred_at=THEN,
            metadata={"a": "", "b": "2"},
        )
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("subject", "two\nlines"),
        ("body", "a\0b"),
        ("metadata", {"": "no key"}),
        ("metadata", {"a": "a\0b"}),
        ("metadata", {f"key {number}": "" for number in range(MAX_PREFERENCES + 1)}),
    ],
)
def test_what_cannot_be_kept_is_refused(field: str, value: Any) -> None:
    given(INTERACTION).when(interaction(**{field: value})).refused("validation_failed", field=field)


def test_it_is_deleted_once_and_recorded_once() -> None:
    given(INTERACTION, interaction()).when(DeleteInteraction()).then(InteractionDeleted())
    given(INTERACTION, interaction(), DeleteInteraction()).when(DeleteInteraction()).refused("not_found")
    given(INTERACTION, interaction()).when(interaction()).refused("conflict")


def test_it_goes_along_to_another_contact_once() -> None:
    other = new_id()
    moved = InteractionMoved(changed=WithWhom(contact_id=other), previous=WithWhom(contact_id=CONTACT_ID))
    state = given(INTERACTION, interaction()).when(MoveInteraction(contact_id=other)).then(moved)
    assert state is not None
    assert state.contact_id == other
    given(INTERACTION, interaction(), moved).when(MoveInteraction(contact_id=other)).nothing()
    given(INTERACTION).when(MoveInteraction(contact_id=other)).refused("not_found")
