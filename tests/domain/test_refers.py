"""Every id that a state holds says what it refers to, so that nothing can be written that refers to nothing."""

from __future__ import annotations

from typing import Any, get_type_hints

import pytest

from domain.catalogue import DECIDERS
from domain.kernel import Decider, State
from domain.kernel.fields import references

ACCOUNTS = {"Membership.user_id", "Workspace.owner_id", "ApiKey.user_id", "Note.created_by", "Invitation.invited_by"}
"""Whose they are: a caller's own, or given by what lets somebody in. No request names them."""
PAST = {"ContactMerge.winner_id", "ContactMerge.loser_id"}
"""Who were made one, which stays true whatever becomes of them."""


@pytest.mark.parametrize("decider", DECIDERS.values(), ids=DECIDERS)
def test_every_id_says_what_it_refers_to(decider: Decider[Any, Any, Any]) -> None:
    state: type[State] = decider.state
    ids = {name for name, hint in get_type_hints(state).items() if "UUID" in str(hint)}
    said = {reference.field for reference in references(state)}
    assert {f"{state.__name__}.{name}" for name in ids - said} <= ACCOUNTS | PAST


@pytest.mark.parametrize("decider", DECIDERS.values(), ids=DECIDERS)
def test_what_is_referred_to_is_a_kind_of_thing_that_there_is(decider: Decider[Any, Any, Any]) -> None:
    state: type[State] = decider.state
    assert {reference.to.kind for reference in references(state)} <= DECIDERS.keys()
