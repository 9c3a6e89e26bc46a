"""Rules of memberships."""

from __future__ import annotations

from uuid import UUID

from domain.membership import (
    MEMBERSHIP,
    ChangeMembership,
    GrantMembership,
    Membership,
    MembershipChanged,
    MembershipChanges,
    MembershipGranted,
    MembershipRevoked,
    MembershipSuspended,
    RevokeMembership,
    SuspendMembership,
)
from tests.language import given

USER = UUID("018f0000-0000-7000-8000-000000000001")
granted = MembershipGranted(user_id=USER, role="member", assigned_only=False)


def test_a_user_is_given_a_role() -> None:
    state = given(MEMBERSHIP).when(GrantMembership(user_id=USER, role="member")).then(granted)
    assert state == Membership(user_id=USER, role="member", assigned_only=False)


def test_a_member_is_limited_to_what_is_assigned_to_them() -> None:
    state = (
        given(MEMBERSHIP, granted)
        .when(ChangeMembership(assigned_only=True))
        .then(
            MembershipChanged(
                changed=MembershipChanges(assigned_only=True), previous=MembershipChanges(assigned_only=False)
            )
        )
    )
    assert state == Membership(user_id=USER, role="member", assigned_only=True)


def test_a_role_changes_alone() -> None:
    given(MEMBERSHIP, granted).when(ChangeMembership(role="admin")).then(
        MembershipChanged(changed=MembershipChanges(role="admin"), previous=MembershipChanges(role="member"))
    )


def test_what_is_so_already_is_no_event() -> None:
    given(MEMBERSHIP, granted).when(ChangeMembership(role="member")).nothing()


def test_a_membership_ends_when_revoked() -> None:
    assert given(MEMBERSHIP, granted).when(RevokeMembership()).then(MembershipRevoked()) is None
    given(MEMBERSHIP, granted, MembershipRevoked()).when(ChangeMembership(role="admin")).refused("not_found")


def test_a_membership_is_granted_once() -> None:
    given(MEMBERSHIP, granted).when(GrantMembership(user_id=USER, role="owner")).refused("conflict")


def test_who_is_being_removed_is_given_no_other_role() -> None:
    suspended = given(MEMBERSHIP, granted).when(SuspendMembership()).then(MembershipSuspended(user_id=USER))
    assert suspended == Membership(user_id=USER, role="member", assigned_only=False, suspended=True)
    given(MEMBERSHIP, granted, SuspendMembership()).when(SuspendMembership()).nothing()
    given(MEMBERSHIP, granted, SuspendMembership()).when(ChangeMembership(role="admin")).refused("conflict")
    assert given(MEMBERSHIP, granted, SuspendMembership()).when(RevokeMembership()).then(MembershipRevoked()) is None
