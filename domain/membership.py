"""A membership: what a user may do in a workspace."""

from __future__ import annotations

from typing import Annotated, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found
from domain.kernel.changes import applied, difference, named
from domain.kernel.fields import kept

Role = Literal["owner", "admin", "member", "viewer"]

UserId = Annotated[UUID, Meta(description="The user.")]
RoleOfUser = Annotated[Role, Meta(description="What the user may do in the workspace.")]
AssignedOnly = Annotated[bool, Meta(description="Whether the member sees only what is assigned to them.")]
Suspended = Annotated[bool, Meta(description="Whether the user is being removed, and cannot enter any more.")]


class MembershipDetails(Value):
    user_id: UserId
    role: RoleOfUser
    assigned_only: AssignedOnly


class MembershipChanges(Value):
    """The fields of a membership that can change."""

    role: RoleOfUser | UnsetType = UNSET
    assigned_only: AssignedOnly | UnsetType = UNSET


class Membership(MembershipDetails, State):
    """Whoever it is of may enter the workspace, unless it is suspended."""

    suspended: Suspended = False


class GrantMembership(Command):
    user_id: UserId
    role: RoleOfUser
    assigned_only: AssignedOnly = False


class ChangeMembership(MembershipChanges, Command):
    """What the user may do from now on."""


class SuspendMembership(Command):
    """The user cannot enter the workspace from now on, though much is still assigned to them."""


class RevokeMembership(Command):
    """The user can no longer enter the workspace."""


class MembershipGranted(MembershipDetails, Event, name="membership.granted", action="created"):
    """A user may enter the workspace."""


class MembershipChanged(Event, name="membership.changed", action="updated"):
    """What the user may do in the workspace changed."""

    changed: MembershipChanges
    previous: MembershipChanges


class MembershipSuspended(Event, name="membership.suspended", action="updated", changes={"suspended": (False, True)}):
    """The user is being removed: so much is assigned to them that it takes a while, and they cannot enter meanwhile."""

    user_id: UserId


class MembershipRevoked(Event, name="membership.revoked", action="deleted"):
    """Whose it was is in the events before."""


MembershipCommand = GrantMembership | ChangeMembership | SuspendMembership | RevokeMembership
MembershipEvent = MembershipGranted | MembershipChanged | MembershipSuspended | MembershipRevoked


def decide(command: MembershipCommand, membership: Membership | None) -> list[MembershipEvent]:
    match command, membership:
        case GrantMembership(), None:
            return [MembershipGranted(**kept(command))]
        case GrantMembership(), _:
            raise Refused("conflict", "This membership exists already.")
        case _, None:
            raise not_found("membership")
        case ChangeMembership(), Membership():
            return _changed(command, membership)
        case SuspendMembership(), Membership(user_id=user_id):
            return [] if membership.suspended else [MembershipSuspended(user_id=user_id)]
        case RevokeMembership(), Membership():
            return [MembershipRevoked()]
        case never, _:
            assert_never(never)


def _changed(command: ChangeMembership, membership: Membership) -> list[MembershipEvent]:
    if membership.suspended:
        raise Refused("conflict", "This user is being removed.")
    changed, previous = difference(kept(command), membership)
    if not changed:
        return []
    return [MembershipChanged(changed=MembershipChanges(**changed), previous=MembershipChanges(**previous))]


def evolve(membership: Membership | None, event: MembershipEvent) -> Membership | None:
    match event, membership:
        case MembershipGranted(), _:
            return Membership(**named(event))
        case MembershipRevoked(), _:
            return None
        case _, None:
            return None
        case MembershipChanged(changed=changed), Membership():
            return applied(membership, changed)
        case MembershipSuspended(), Membership():
            return msgspec.structs.replace(membership, suspended=True)
        case never, _:
            assert_never(never)


MEMBERSHIP: Decider[MembershipCommand, MembershipEvent, Membership] = Decider(
    stream_type="membership",
    state=Membership,
    commands=(GrantMembership, ChangeMembership, SuspendMembership, RevokeMembership),
    events=(MembershipGranted, MembershipChanged, MembershipSuspended, MembershipRevoked),
    decide=decide,
    evolve=evolve,
    delete=RevokeMembership,
)
