"""Accounts and sessions: the secrets in the directory, and then what happened in the workspace's log."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from hashlib import sha256
from typing import Final
from uuid import UUID

from argon2.exceptions import VerificationError

from application.calling import directory
from application.calling.caller import Caller
from application.calling.directory import Account
from application.calling.services import Services
from domain.kernel import FieldError, Refused, values
from domain.kernel.check import Check
from domain.membership import MEMBERSHIP, GrantMembership
from domain.user import USER, LogIn, LogOut, RegisterUser
from domain.workspace import WORKSPACE, CreateWorkspace, Plan
from eventstore.append import Origin
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.work import Work
from projections.identity import access
from schemas.identity import Credentials, Registration
from schemas.log import Actor

SESSION_DAYS: Final = 30
MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 1024
SESSION_PREFIX: Final = "dbs_"

_DUMMY_HASH: Final = "$argon2id$v=19$m=65536,t=3,p=4$/rGeT301sUSi17cyXVdh6A$PtIGxmJhw2M7oKaw1hlVV4YUw9UqGu4LamDpD1It30s"
"""Verified against when there is no such account, so that the answer takes as long."""


def hashed(token: str) -> bytes:
    """Tokens have 256 bits of chance, so a plain hash keeps them; passwords get argon2."""
    return sha256(token.encode()).digest()


class AddressTakenError(Refused):
    """Registering with the address of an account."""

    def __init__(self) -> None:
        message = "belongs to an account already"
        super().__init__("validation_failed", f"email: {message}", details=[FieldError(field="email", message=message)])


def checked(form: Registration) -> str:
    """The e-mail address as accounts have it; refuses, with all that is wrong, a form that is not acceptable."""
    check = Check()
    email = check.field("email", values.email, form.email)
    if not MIN_PASSWORD <= len(form.password) <= MAX_PASSWORD:
        check.fail("password", f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    check.field("name", values.text, form.name)
    check.field("workspaceName", values.text, form.workspace_name)
    check.done()
    return email or ""


def register(
    services: Services,
    form: Registration,
    *,
    plan: Plan = "free",
    request_id: str | None = None,
    password_hash: str | None = None,
) -> Caller:
    """A new account with a workspace of its own, as its owner. Refuses an e-mail address that has an account.

    ``password_hash``: of the form's password, where it is hashed already.
    """
    email = checked(form)
    account_id, workspace_id = _begun(services, email, form.password, password_hash)
    origin = Origin(workspace_id, Actor(type="user", id=account_id), request_id=request_id)
    services.store.run(origin, partial(_move_in, account_id=account_id, form=form, plan=plan))
    if not directory.settle_account(services.directory, account_id):
        raise Refused("conflict", "This registration was begun long ago and taken back meanwhile; try again.")
    return Caller(workspace_id=workspace_id, account_id=account_id, role="owner", plan=plan, request_id=request_id)


def _begun(services: Services, email: str, password: str, password_hash: str | None) -> tuple[UUID, UUID]:
    """A pending account and its workspace to be: new ones, or those of an attempt that went no further.

    Who goes on with such an attempt must know its password.
    """
    account_id, workspace_id = new_id(), new_id()
    kept = password_hash or services.hasher.hash(password)
    if directory.add_account(services.directory, account_id, email, kept, workspace_id):
        return account_id, workspace_id
    found = directory.account(services.directory, email)
    if found is None or not found.pending or not is_password(services, found, password):
        raise AddressTakenError
    return found.id, found.workspaces[0]


def _move_in(unit: Work, *, account_id: UUID, form: Registration, plan: Plan) -> None:
    """The workspace with its owner, unless an earlier attempt came as far as this."""
    workspace_id = unit.origin.workspace_id
    unit.conn.execute("INSERT INTO log_heads (workspace_id) VALUES (%s) ON CONFLICT DO NOTHING", (workspace_id,))
    if unit.load(WORKSPACE, [workspace_id]):
        return
    unit.begin(
        WORKSPACE, workspace_id, CreateWorkspace(workspace_name=form.workspace_name, owner_id=account_id, plan=plan)
    )
    unit.begin(USER, account_id, RegisterUser(name=form.name, email=form.email))
    unit.begin(MEMBERSHIP, new_id(), GrantMembership(user_id=account_id, role="owner"))


def log_in(
    services: Services, form: Credentials, wanted: UUID | None, request_id: str | None
) -> tuple[Caller, str, datetime]:
    """A session for the account of these credentials, as ``enter`` has it."""
    found = account_of(services, address(form.email))
    right = is_password(services, found, form.password)
    return enter(services, found if right else None, wanted, request_id)


def address(given: str) -> str:
    """An e-mail address as accounts have it, however it is spelled; empty for what is none, and no account's."""
    try:
        return values.email(given)
    except ValueError:
        return ""


def account_of(services: Services, email: str) -> Account | None:
    """The account that has this address, as ``address`` spells it."""
    return directory.account(services.directory, email)


def is_password(services: Services, found: Account | None, password: str) -> bool:
    """Whether it is the account's; never where there is no account, which takes as long to find out."""
    kept = _DUMMY_HASH if found is None else found.password_hash
    try:
        services.hasher.verify(kept, password[:MAX_PASSWORD])
    except VerificationError:
        return False
    return found is not None


def enter(
    services: Services, found: Account | None, wanted: UUID | None, request_id: str | None
) -> tuple[Caller, str, datetime]:
    """A session for an account whose password was right, in the workspace wanted or in the first that it may enter.

    Refuses with ``unauthenticated``, in the same words whether the address or the password was wrong, and with
    ``permission_denied`` who is no member there, or anywhere.
    """
    if found is None or not _settled(services, found):
        raise Refused("unauthenticated", "The e-mail address or the password is wrong.")
    if wanted is not None and wanted not in found.workspaces:
        raise Refused("permission_denied", "You are not a member of this workspace.")
    return open_session(services, found.id, wanted or _home(services, found), request_id)


def _home(services: Services, found: Account) -> UUID:
    """The first workspace that the account may enter; it may have been removed from others."""
    for workspace_id in found.workspaces:
        with reading(services.pool, workspace_id) as conn:
            _, standing = access(conn, found.id, None)
        if standing is not None:
            return workspace_id
    raise Refused("permission_denied", "You are a member of no workspace any more; ask to be invited.")


def open_session(
    services: Services, account_id: UUID, workspace_id: UUID, request_id: str | None
) -> tuple[Caller, str, datetime]:
    """Who it stands for, its token and when it ends."""
    token = SESSION_PREFIX + secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(days=SESSION_DAYS)
    directory.add_session(services.directory, hashed(token), account_id, workspace_id, expires_at)
    origin = Origin(workspace_id, Actor(type="user", id=account_id), request_id=request_id)
    services.store.run(origin, lambda unit: unit.execute(USER, account_id, LogIn()))
    return authenticate(services, token, None, request_id), token, expires_at


def _settled(services: Services, found: Account) -> bool:
    """Whether the account is in its workspace; one that came as far as that is settled now."""
    if not found.pending:
        return True
    with reading(services.pool, found.workspaces[0]) as conn:
        _, standing = access(conn, found.id, None)
    return standing is not None and directory.settle_account(services.directory, found.id)


def log_out(services: Services, caller: Caller) -> None:
    """Ends the caller's session. Refuses a caller with an API key: keys are revoked, not logged out."""
    if caller.api_key_id is not None:
        raise Refused("invalid_request", "An API key has no session to end; revoke the key instead.")
    directory.end_session(services.directory, caller.token_hash)
    origin = replace(caller.origin(), workspace_id=caller.home_id or caller.workspace_id)
    services.store.run(origin, lambda unit: unit.execute(USER, caller.account_id, LogOut()))


ACCESS_EVENTS: Final = frozenset(
    {
        "api_key.revoked",
        "user.logged_out",
        "membership.changed",
        "membership.suspended",
        "membership.revoked",
        "workspace.updated",
    }
)
"""After these, what was known of a workspace's callers may no longer be so."""


def authenticate(services: Services, token: str, wanted: UUID | None, request_id: str | None = None) -> Caller:
    """Who a bearer token stands for, in the workspace wanted or its own.

    Refuses with ``unauthenticated`` (unknown, revoked or expired) or ``permission_denied`` (no member there).
    """
    digest = hashed(token)
    holder = directory.holder(services.directory, digest)
    if holder is None:
        raise _not_valid()
    home_id, account_id = holder.workspace_id, holder.account_id
    workspace_id = wanted or home_id
    with reading(services.pool, home_id) as conn:
        scopes, standing = access(conn, account_id, holder.api_key_id)
    if scopes is None:
        raise _not_valid()
    if workspace_id != home_id:
        with reading(services.pool, workspace_id) as conn:
            _, standing = access(conn, account_id, None)
    if standing is None:
        raise Refused("permission_denied", "You are not a member of this workspace.")
    if holder.api_key_id is not None:
        _mark_used(services, digest, holder.last_used_at)
    return Caller(
        workspace_id=workspace_id,
        account_id=account_id,
        role=standing.role,
        plan=standing.plan,
        scopes=scopes,
        api_key_id=holder.api_key_id,
        assigned_only=standing.assigned_only,
        request_id=request_id,
        token_hash=digest,
        home_id=home_id,
    )


def _not_valid() -> Refused:
    return Refused("unauthenticated", "The API key or session token is not valid.")


def _mark_used(services: Services, digest: bytes, last_used_at: datetime | None) -> None:
    """When a key was last used is kept to the minute: no write for every request."""
    if last_used_at is None or datetime.now(UTC) - last_used_at > timedelta(minutes=1):
        directory.mark_used(services.directory, digest)
