"""A membership: what a user may do in a workspace."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.kernel import Command, Event, State, Value
from domain.kernel.record import record

Role = Literal["owner", "admin", "member", "viewer"]


class Membership(State):
    user_id: UUID
    role: Role
    assigned_only: bool = False
    """Whether a member sees only the contacts (and later deals …) assigned to them."""


class GrantMembership(Command):
    user_id: UUID
    role: Role
    assigned_only: bool = False


class ChangeMembership(Command):
    role: Role | UnsetType = UNSET
    assigned_only: bool | UnsetType = UNSET


class RevokeMembership(Command):
    """The user can no longer enter the workspace."""


class MembershipChanges(Value):
    role: Role | UnsetType = UNSET
    assigned_only: bool | UnsetType = UNSET


class MembershipGranted(Event, name="membership.granted", action="created"):
    user_id: UUID
    role: Role
    assigned_only: bool


class MembershipChanged(Event, name="membership.changed", action="updated"):
    changed: MembershipChanges
    previous: MembershipChanges


class MembershipRevoked(Event, name="membership.revoked", action="deleted"):
    """Whose it was is in the events before."""


MEMBERSHIP = record(
    "membership",
    state=Membership,
    create=GrantMembership,
    created=lambda command: MembershipGranted(
        user_id=command.user_id, role=command.role, assigned_only=command.assigned_only
    ),
    update=ChangeMembership,
    changes=lambda command: MembershipChanges(role=command.role, assigned_only=command.assigned_only),
    updated=lambda changed, previous: MembershipChanged(changed=changed, previous=previous),
    delete=RevokeMembership,
    deleted=MembershipRevoked,
    events=(MembershipGranted, MembershipChanged, MembershipRevoked),
)
