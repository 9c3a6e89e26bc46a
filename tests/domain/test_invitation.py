"""Rules of invitations."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

from domain.invitation import (
    INVITATION,
    AcceptInvitation,
    CreateInvitation,
    Invitation,
    InvitationAccepted,
    InvitationCreated,
    InvitationResent,
    InvitationWithdrawn,
    ResendInvitation,
    WithdrawInvitation,
)
from tests.language import given

OLGA, MARA = (UUID(f"018f0000-0000-7000-8000-00000000000{number}") for number in (1, 2))
EXPIRES = datetime(2026, 3, 22, tzinfo=UTC)
created = InvitationCreated(
    email="mara@example.com", role="member", name="Mara", invited_by=OLGA, invited_by_name="Olga", expires_at=EXPIRES
)
invite = CreateInvitation(
    email=" Mara@Example.com", role="member", name="Mara ", invited_by=OLGA, invited_by_name="Olga", expires_at=EXPIRES
)


def test_somebody_is_invited_by_their_address() -> None:
    state = given(INVITATION).when(invite).then(created)
    assert isinstance(state, Invitation)
    assert (state.email, state.name, state.assigned_only) == ("mara@example.com", "Mara", False)
    given(INVITATION, created).when(invite).refused("conflict")


def test_sent_again_it_is_good_for_longer_and_by_who_sent_it() -> None:
    later = EXPIRES + timedelta(days=7)
    state = (
        given(INVITATION, created)
        .when(ResendInvitation(invited_by=MARA, invited_by_name="Adam", expires_at=later))
        .then(InvitationResent(invited_by=MARA, invited_by_name="Adam", expires_at=later, email="mara@example.com"))
    )
    assert isinstance(state, Invitation)
    assert (state.expires_at, state.invited_by_name, state.role) == (later, "Adam", "member")


def test_it_is_accepted_until_it_expires_and_then_no_more() -> None:
    accepted = InvitationAccepted(email="mara@example.com", role="member", user_id=MARA)
    just_in_time = AcceptInvitation(user_id=MARA, at=EXPIRES - timedelta(microseconds=1))
    assert given(INVITATION, created).when(just_in_time).then(accepted) is None
    given(INVITATION, created).when(AcceptInvitation(user_id=MARA, at=EXPIRES)).refused(
        "validation_failed", field="token"
    )
    given(INVITATION, created, accepted).when(just_in_time).refused("not_found")


def test_one_that_is_withdrawn_is_no_more() -> None:
    withdrawn = InvitationWithdrawn(email="mara@example.com")
    assert given(INVITATION, created).when(WithdrawInvitation()).then(withdrawn) is None
    given(INVITATION, created, withdrawn).when(WithdrawInvitation()).refused("not_found")
