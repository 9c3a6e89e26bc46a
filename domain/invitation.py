"""An invitation to a workspace, until it is accepted or withdrawn. The secret of its link is never in the log."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, assert_never
from uuid import UUID

import msgspec
from msgspec import Meta

from domain.kernel import Command, Decider, Event, Refused, State, Value, invalid, not_found
from domain.kernel.changes import named
from domain.kernel.fields import kept
from domain.kernel.types import Line, Moment, RequiredEmail
from domain.membership import AssignedOnly, RoleOfUser

Address = Annotated[RequiredEmail, Meta(description="The e-mail address of who is invited; kept in lower case.")]
InvitedName = Annotated[Line, Meta(description="The name of who is invited.")]
InvitedBy = Annotated[UUID, Meta(description="The user who invites.")]
InvitedByName = Annotated[str, Meta(description="The name of who invites, at that moment.")]
ExpiresAt = Annotated[Moment, Meta(description="Until when it can be accepted.")]


class InvitationDetails(Value):
    email: Address
    role: RoleOfUser
    name: InvitedName | None = None
    assigned_only: AssignedOnly = False


class InvitationTerms(Value):
    """By whom, and until when."""

    invited_by: InvitedBy
    invited_by_name: InvitedByName
    expires_at: ExpiresAt


class InvitationInFull(InvitationDetails, kw_only=True):
    """Whom, by whom, and until when."""

    invited_by: InvitedBy
    invited_by_name: InvitedByName
    expires_at: ExpiresAt


class Invitation(InvitationInFull, State):
    """Whoever has its link may join the workspace, with this role."""


class CreateInvitation(InvitationInFull, Command):
    """Somebody to invite."""


class ResendInvitation(InvitationTerms, Command):
    """With a new link: the one before does not lead anywhere any more."""


class WithdrawInvitation(Command):
    """Its link does not lead anywhere any more."""


class AcceptInvitation(Command):
    """``at``: the present time. The user is a member now."""

    user_id: UUID
    at: datetime


class InvitationCreated(InvitationInFull, Event, name="invitation.created", action="created"):
    """Somebody was invited."""


class InvitationResent(InvitationTerms, Event, name="invitation.resent", action="updated"):
    """It was sent again, with a new link."""

    email: Address


class InvitationWithdrawn(Event, name="invitation.withdrawn", action="deleted"):
    """It cannot be accepted any more."""

    email: Address


class InvitationAccepted(Event, name="invitation.accepted", action="deleted"):
    """Who was invited is a member of the workspace: there is nothing left of it to be accepted."""

    email: Address
    role: RoleOfUser
    user_id: Annotated[UUID, Meta(description="The user who accepted it.")]


InvitationCommand = CreateInvitation | ResendInvitation | WithdrawInvitation | AcceptInvitation
InvitationEvent = InvitationCreated | InvitationResent | InvitationWithdrawn | InvitationAccepted


def closed() -> Refused:
    """The answer to a link that does not lead anywhere, for whatever reason."""
    return invalid("token", "is of no invitation that can still be accepted; ask to be invited again")


def decide(command: InvitationCommand, invitation: Invitation | None) -> list[InvitationEvent]:
    match command, invitation:
        case CreateInvitation(), None:
            return [InvitationCreated(**kept(command))]
        case CreateInvitation(), _:
            raise Refused("conflict", "This invitation exists already.")
        case _, None:
            raise not_found("invitation")
        case ResendInvitation(), Invitation(email=email):
            return [InvitationResent(**kept(command), email=email)]
        case WithdrawInvitation(), Invitation(email=email):
            return [InvitationWithdrawn(email=email)]
        case AcceptInvitation(user_id=user_id, at=at), Invitation(email=email, role=role):
            if at >= invitation.expires_at:
                raise closed()
            return [InvitationAccepted(email=email, role=role, user_id=user_id)]
        case never, _:
            assert_never(never)


def evolve(invitation: Invitation | None, event: InvitationEvent) -> Invitation | None:
    match event, invitation:
        case InvitationCreated(), _:
            return Invitation(**named(event))
        case ((InvitationWithdrawn() | InvitationAccepted()), _):
            return None
        case InvitationResent(), Invitation():
            return msgspec.structs.replace(invitation, **named(event))
        case InvitationResent(), None:
            return None
        case never, _:
            assert_never(never)


INVITATION: Decider[InvitationCommand, InvitationEvent, Invitation] = Decider(
    stream_type="invitation",
    state=Invitation,
    commands=(CreateInvitation, ResendInvitation, WithdrawInvitation, AcceptInvitation),
    events=(InvitationCreated, InvitationResent, InvitationWithdrawn, InvitationAccepted),
    decide=decide,
    evolve=evolve,
    delete=WithdrawInvitation,
)
