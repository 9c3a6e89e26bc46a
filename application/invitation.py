"""Invitations: somebody is sent a link by mail, and with it becomes a member."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64Error
from datetime import timedelta
from hashlib import sha256
from hmac import compare_digest
from typing import Final
from uuid import UUID

from application import outbox
from application.calling.caller import Caller
from application.calling.services import Services
from application.user import check_may_make
from domain.invitation import (
    INVITATION,
    CreateInvitation,
    Invitation,
    InvitationTerms,
    ResendInvitation,
    WithdrawInvitation,
    closed,
)
from domain.kernel import Refused
from domain.kernel.changes import named
from domain.user import USER
from domain.workspace import WORKSPACE
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import invitation as rows
from projections import outbox as mails
from projections import user as users
from schemas.invitation import NewInvitation

DAYS: Final = 7
_PREFIX: Final = "dbi_"
"""What a token of an invitation begins with."""
SECRET_BYTES: Final = 32
_TOKEN_BYTES: Final = 16 + 16 + SECRET_BYTES
_TOKEN_CHARACTERS: Final = -(-_TOKEN_BYTES * 4 // 3)

_TEXT: Final = """Hello{called},

{by} invites you to the workspace "{workspace}", as {role}.

To accept, open this link until {until}:

{link}

It is for you alone. If you do not know what this is about, there is nothing that you need to do.
"""


def invite(unit: Work, services: Services, caller: Caller, form: NewInvitation) -> Current[Invitation]:
    """Invites somebody by mail. Refuses (``conflict``) whom it would make a member twice, or invite twice."""
    check_may_make(caller, form.role)
    terms = _terms(unit, caller)
    invitation = unit.begin(INVITATION, new_id(), CreateInvitation(**named(form), **named(terms)))
    known = users.member_with(unit.conn, invitation.state.email)
    if known is not None:
        raise Refused("conflict", "Who has this address is a member already.", existing_id=str(known))
    _send(unit, services, invitation)
    return invitation


def resend(unit: Work, services: Services, caller: Caller, invitation_id: UUID) -> Current[Invitation]:
    """The same with a new link, for as many days from now on as a new one."""
    check_may_make(caller, unit.get(INVITATION, invitation_id).state.role)
    unit.execute(INVITATION, invitation_id, ResendInvitation(**named(_terms(unit, caller))))
    invitation = unit.get(INVITATION, invitation_id)
    _send(unit, services, invitation)
    return invitation


def withdraw(unit: Work, invitation_id: UUID, if_version: int | None) -> None:
    unit.execute(INVITATION, invitation_id, WithdrawInvitation(), if_version=if_version)
    close(unit, invitation_id)


def close(unit: Work, invitation_id: UUID) -> None:
    """No link leads to it any more, and no mail brings one."""
    rows.forget_hash(unit.conn, invitation_id)
    mails.withdraw(unit.conn, invitation_id)


def _terms(unit: Work, caller: Caller) -> InvitationTerms:
    name = unit.get(USER, caller.account_id).state.name
    return InvitationTerms(
        invited_by=caller.account_id, invited_by_name=name, expires_at=unit.now + timedelta(days=DAYS)
    )


def _send(unit: Work, services: Services, invitation: Current[Invitation]) -> None:
    workspace_id, state = unit.origin.workspace_id, invitation.state
    secret = secrets.token_bytes(SECRET_BYTES)
    rows.keep_hash(unit.conn, invitation.id, sha256(secret).digest())
    token = _PREFIX + urlsafe_b64encode(workspace_id.bytes + invitation.id.bytes + secret).decode().rstrip("=")
    workspace = unit.get(WORKSPACE, workspace_id).state.name
    text = _TEXT.format(
        called="" if state.name is None else f" {state.name}",
        by=state.invited_by_name,
        workspace=workspace,
        role=state.role,
        until=f"{state.expires_at:%d %B %Y, %H:%M} UTC",
        link=f"{services.url}/accept-invitation#{token}",
    )
    subject = f"{state.invited_by_name} invites you to {workspace}"
    outbox.write(unit, services, invitation.id, state.email, subject, text, owners_only=state.role == "owner")


def named_by(token: str) -> tuple[UUID, UUID, bytes]:
    """The workspace, the invitation and the secret that a link's token names. Refuses what is no token."""
    kept = token.removeprefix(_PREFIX)
    if len(kept) != _TOKEN_CHARACTERS or kept == token:
        raise closed()
    try:
        found = urlsafe_b64decode(kept + "=" * (-len(kept) % 4))
    except (NotBase64Error, ValueError):
        raise closed() from None
    if len(found) != _TOKEN_BYTES:  # of what is not in the alphabet, nothing is decoded
        raise closed()
    return UUID(bytes=found[:16]), UUID(bytes=found[16:32]), found[32:]


def opened(conn: Db, invitation_id: UUID, secret: bytes) -> Current[Invitation]:
    """The invitation that a link leads to; refuses where it leads nowhere any more."""
    kept = rows.hash_of(conn, invitation_id)
    found = rows.INVITATIONS.load(conn, [invitation_id]).get(invitation_id)
    if kept is None or found is None or not compare_digest(kept, sha256(secret).digest()):
        raise closed()
    return found
