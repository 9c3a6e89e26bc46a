"""A membership: what a user may do in a workspace."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value
from domain.kernel.record import record

Role = Literal["owner", "admin", "member", "viewer"]

UserId = Annotated[UUID, Meta(description="The user.")]
RoleOfUser = Annotated[Role, Meta(description="What the user may do in the workspace.")]
AssignedOnly = Annotated[bool, Meta(description="Whether the member sees only what is assigned to them.")]


class MembershipDetails(Value):
    user_id: UserId
    role: RoleOfUser
    assigned_only: AssignedOnly


class MembershipChanges(Value):
    """The fields of a membership that can change."""

    role: RoleOfUser | UnsetType = UNSET
    assigned_only: AssignedOnly | UnsetType = UNSET


class Membership(MembershipDetails, State):
    """Whoever it is of may enter the workspace."""


class GrantMembership(Command):
    user_id: UserId
    role: RoleOfUser
    assigned_only: AssignedOnly = False


class ChangeMembership(MembershipChanges, Command):
    """What the user may do from now on."""


class RevokeMembership(Command):
    """The user can no longer enter the workspace."""


class MembershipGranted(MembershipDetails, Event, name="membership.granted", action="created"):
    """A user may enter the workspace."""


class MembershipChanged(Event, name="membership.changed", action="updated"):
    """What the user may do in the workspace changed."""

    changed: MembershipChanges
    previous: MembershipChanges


class MembershipRevoked(Event, name="membership.revoked", action="deleted"):
    """Whose it was is in the events before."""


MEMBERSHIP = record(
    "membership",
    state=Membership,
    create=GrantMembership,
    update=ChangeMembership,
    delete=RevokeMembership,
    created=MembershipGranted,
    updated=MembershipChanged,
    deleted=MembershipRevoked,
)
