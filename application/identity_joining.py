"""Accepting an invitation: with a new account, or with the one that the invited address has."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from uuid import UUID

from application import identity
from application import invitation as invitations
from application.calling import directory
from application.calling.directory import Account
from application.calling.services import Services
from domain.invitation import INVITATION, AcceptInvitation, closed
from domain.kernel import Refused, values
from domain.kernel.check import Check
from domain.membership import MEMBERSHIP, GrantMembership
from domain.user import USER, RegisterUser
from eventstore.append import Origin
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.work import Work
from projections.user import USERS
from schemas.invitation import Acceptance
from schemas.log import Actor


@dataclass(frozen=True)
class Guest:
    """Who has a link: whom it invites, by which name and with which account, and whether a session says they are it."""

    workspace_id: UUID
    invitation_id: UUID
    email: str
    name: str
    account: Account | None
    entered: bool = False


def guest(services: Services, form: Acceptance, session: str | None) -> Guest:
    """Who comes with this form, and perhaps a session's token; refuses with all that is wrong with the form."""
    workspace_id, invitation_id, secret = invitations.named_by(form.token)
    with reading(services.pool, workspace_id) as conn:
        invitation = invitations.opened(conn, invitation_id, secret).state
    if invitation.expires_at <= datetime.now(UTC):
        raise closed()
    account = identity.account_of(services, invitation.email)
    entered = session is not None and _is_theirs(services, session, account)
    name = _checked(form, _name(services, account, workspace_id) or invitation.name, entered=entered)
    return Guest(workspace_id, invitation_id, invitation.email, name, account, entered)


def _is_theirs(services: Services, session: str, account: Account | None) -> bool:
    caller = identity.authenticate(services, session, None)
    if account is None or caller.account_id != account.id or caller.api_key_id is not None:
        raise Refused("permission_denied", "This invitation is for another account than that of the session.")
    return True


def _name(services: Services, account: Account | None, workspace_id: UUID) -> str | None:
    """As this workspace, or else the first that they may enter, knows who has the account."""
    if account is None:
        return None
    for known_in in (workspace_id, *account.workspaces):
        with reading(services.pool, known_in) as conn:
            for user in USERS.load(conn, [account.id]).values():
                return str(user.state.name)
    return None


def _checked(form: Acceptance, known: str | None, *, entered: bool) -> str:
    """The name that is given, or else is known; refuses with all that is wrong."""
    check = Check()
    name = check.optional("name", values.text, form.name) or known
    if name is None and form.name is None:
        check.fail("name", "is required: the invitation does not have it")
    if not entered and form.password is None:
        check.fail("password", "is required")
    elif not entered and not identity.MIN_PASSWORD <= len(form.password or "") <= identity.MAX_PASSWORD:
        check.fail("password", f"must have {identity.MIN_PASSWORD} to {identity.MAX_PASSWORD} characters")
    check.done()
    return name or ""


def accept(services: Services, guest: Guest, form: Acceptance, password_hash: str | None, request_id: str) -> UUID:
    """The account's id, which is now a member's. ``password_hash``: of who has no account yet.

    The directory comes first, and opens nothing without the workspace; the account is settled behind it.
    """
    account_id = _account(services, guest, password_hash)
    origin = Origin(guest.workspace_id, Actor(type="user", id=account_id), request_id=request_id)
    services.store.run(origin, partial(_join, guest=guest, form=form, account_id=account_id))
    if not directory.settle_account(services.directory, account_id):
        raise Refused("conflict", "This account was begun long ago and taken back meanwhile; ask to be invited again.")
    return account_id


def _account(services: Services, guest: Guest, password_hash: str | None) -> UUID:
    if guest.account is not None:
        directory.join(services.directory, guest.account.id, guest.workspace_id)
        return guest.account.id
    assert password_hash is not None, "an account has a password"
    account_id = new_id()
    if not directory.add_account(services.directory, account_id, guest.email, password_hash, guest.workspace_id):
        raise Refused(
            "conflict", "Somebody has made an account for this address just now; try again with its password."
        )
    return account_id


def _join(unit: Work, *, guest: Guest, form: Acceptance, account_id: UUID) -> None:
    _, _, secret = invitations.named_by(form.token)
    invitation = invitations.opened(unit.conn, guest.invitation_id, secret).state
    if not unit.load(USER, [account_id]):
        unit.begin(USER, account_id, RegisterUser(name=guest.name, email=invitation.email))
    membership = GrantMembership(user_id=account_id, role=invitation.role, assigned_only=invitation.assigned_only)
    unit.begin(MEMBERSHIP, new_id(), membership)
    unit.execute(INVITATION, guest.invitation_id, AcceptInvitation(user_id=account_id, at=unit.now))
    invitations.close(unit, guest.invitation_id)
