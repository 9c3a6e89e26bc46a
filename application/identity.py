"""Accounts, sessions and API keys: the secrets in ordinary tables, what happened in the log, in one transaction."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID

from argon2.exceptions import VerificationError

from application.calling.caller import Caller
from application.calling.services import Services
from domain import api_key
from domain.api_key import API_KEY, ApiKey, CreateApiKey, RevokeApiKey
from domain.kernel import Refused, invalid, values
from domain.kernel.check import Check
from domain.membership import MEMBERSHIP, GrantMembership
from domain.user import USER, LogIn, LogOut, RegisterUser
from domain.workspace import WORKSPACE, CreateWorkspace, Plan
from eventstore.append import Origin
from eventstore.database import connection
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from schemas.identity import Credentials, Registration
from schemas.log import Actor

SESSION_DAYS: Final = 30
MIN_PASSWORD: Final = 8
MAX_PASSWORD: Final = 1024
KEY_PREFIX: Final = "dbk_"
SESSION_PREFIX: Final = "dbs_"

_DUMMY_HASH: Final = "$argon2id$v=19$m=65536,t=3,p=4$/rGeT301sUSi17cyXVdh6A$PtIGxmJhw2M7oKaw1hlVV4YUw9UqGu4LamDpD1It30s"
"""Verified against when there is no such account, so that the answer takes as long."""


def hashed(token: str) -> bytes:
    """Tokens have 256 bits of chance, so a plain hash keeps them; passwords get argon2."""
    return sha256(token.encode()).digest()


def register(services: Services, form: Registration, *, plan: Plan = "free", request_id: str | None = None) -> Caller:
    """A new account with a workspace of its own, as its owner. Refuses an e-mail address that has an account."""
    check = Check()
    email = check.field("email", values.email, form.email)
    if not MIN_PASSWORD <= len(form.password) <= MAX_PASSWORD:
        check.fail("password", f"must have {MIN_PASSWORD} to {MAX_PASSWORD} characters")
    check.field("name", values.text, form.name)
    check.field("workspaceName", values.text, form.workspace_name)
    check.done()
    account_id, workspace_id = new_id(), new_id()
    password_hash = services.hasher.hash(form.password)

    def work(unit: Work) -> None:
        _insert_account(unit, account_id, email or "", password_hash)
        unit.conn.execute("INSERT INTO log_heads (workspace_id) VALUES (%s)", (workspace_id,))
        found = CreateWorkspace(workspace_name=form.workspace_name, owner_id=account_id, plan=plan)
        unit.begin(WORKSPACE, workspace_id, found)
        unit.begin(USER, account_id, RegisterUser(name=form.name, email=form.email))
        unit.begin(MEMBERSHIP, new_id(), GrantMembership(user_id=account_id, role="owner"))

    origin = Origin(workspace_id, Actor(type="user", id=account_id), request_id=request_id)
    services.store.run(origin, work)
    return Caller(workspace_id=workspace_id, account_id=account_id, role="owner", plan=plan, request_id=request_id)


def _insert_account(unit: Work, account_id: UUID, email: str, password_hash: str) -> None:
    row = unit.conn.execute(
        "INSERT INTO accounts (id, email, password_hash) VALUES (%s, %s, %s) ON CONFLICT DO NOTHING RETURNING id",
        (account_id, email, password_hash),
    ).fetchone()
    if row is None:
        raise invalid("email", "belongs to an account already")
    unit.conn.execute(
        "INSERT INTO account_workspaces (account_id, workspace_id) VALUES (%s, %s)",
        (account_id, unit.origin.workspace_id),
    )


def log_in(
    services: Services, form: Credentials, wanted: UUID | None, request_id: str | None
) -> tuple[Caller, str, datetime]:
    """A session for the account: who it stands for, its token and when it ends.

    Refuses with ``unauthenticated``, in the same words and time whether the address or the password is wrong.
    """
    account_id, workspace_id = _checked(services, form, wanted)
    token = SESSION_PREFIX + secrets.token_urlsafe(32)
    expires_at = datetime.now(UTC) + timedelta(days=SESSION_DAYS)

    def work(unit: Work) -> None:
        unit.conn.execute(
            "INSERT INTO sessions (token_hash, account_id, workspace_id, expires_at) VALUES (%s, %s, %s, %s)",
            (hashed(token), account_id, workspace_id, expires_at),
        )
        unit.execute(USER, account_id, LogIn())

    services.store.run(Origin(workspace_id, Actor(type="user", id=account_id), request_id=request_id), work)
    caller = authenticate(services, token, None, request_id)
    return caller, token, expires_at


def _checked(services: Services, form: Credentials, wanted: UUID | None) -> tuple[UUID, UUID]:
    """The account of these credentials and the workspace to enter: the one wanted, else its first."""
    wrong = Refused("unauthenticated", "The e-mail address or the password is wrong.")
    try:
        email = values.email(form.email)
    except ValueError:
        email = ""  # no account's; refused like any other that is wrong
    with connection(services.pool) as conn:
        row = conn.execute(
            "SELECT a.id, a.password_hash, array(SELECT w.workspace_id FROM account_workspaces w"
            " WHERE w.account_id = a.id ORDER BY w.created_at, w.workspace_id) FROM accounts a WHERE a.email = %s",
            (email,),
        ).fetchone()
    try:
        services.hasher.verify(row[1] if row else _DUMMY_HASH, form.password[:MAX_PASSWORD])
    except VerificationError:
        raise wrong from None
    if row is None or not row[2]:
        raise wrong
    if wanted is not None and wanted not in row[2]:
        raise Refused("permission_denied", "You are not a member of this workspace.")
    return row[0], wanted or row[2][0]


def log_out(services: Services, caller: Caller) -> None:
    """Ends the caller's session. Refuses a caller with an API key: keys are revoked, not logged out."""
    if caller.api_key_id is not None:
        raise Refused("invalid_request", "An API key has no session to end; revoke the key instead.")

    def work(unit: Work) -> None:
        unit.conn.execute("DELETE FROM sessions WHERE token_hash = %s", (caller.token_hash,))
        unit.execute(USER, caller.account_id, LogOut())

    origin = replace(caller.origin(), workspace_id=caller.home_id or caller.workspace_id)
    services.store.run(origin, work)


ACCESS_EVENTS: Final = frozenset(
    {"api_key.revoked", "user.logged_out", "membership.changed", "membership.revoked", "workspace.updated"}
)
"""After these, what was known of a workspace's callers may no longer be so."""


def authenticate(services: Services, token: str, wanted: UUID | None, request_id: str | None = None) -> Caller:
    """Who a bearer token stands for, in the workspace wanted or its own.

    Refuses with ``unauthenticated`` (unknown, revoked or expired) or ``permission_denied`` (no member there).
    """
    digest = hashed(token)
    with connection(services.pool) as conn:
        row = conn.execute("SELECT * FROM authenticate(%s, %s)", (digest, wanted)).fetchone()
    if row is None:
        raise Refused("unauthenticated", "The API key or session token is not valid.")
    workspace_id, account_id, api_key_id, scopes, role, assigned_only, plan, last_used_at, home_id = row
    if role is None:
        raise Refused("permission_denied", "You are not a member of this workspace.")
    if api_key_id is not None:
        _mark_used(services, digest, last_used_at)
    return Caller(
        workspace_id=workspace_id,
        account_id=account_id,
        role=role,
        plan=plan,
        scopes=tuple(scopes),
        api_key_id=api_key_id,
        assigned_only=assigned_only,
        request_id=request_id,
        token_hash=digest,
        home_id=home_id,
    )


def _mark_used(services: Services, digest: bytes, last_used_at: datetime | None) -> None:
    """When a key was last used is kept to the minute: no write for every request."""
    if last_used_at is None or datetime.now(UTC) - last_used_at > timedelta(minutes=1):
        with connection(services.pool) as conn:
            conn.execute("UPDATE api_key_secrets SET last_used_at = now() WHERE key_hash = %s", (digest,))


def create_api_key(
    unit: Work, caller: Caller, name: str, scopes: tuple[str, ...] = ("*",), expires_at: datetime | None = None
) -> tuple[Current[ApiKey], str]:
    """A new key of the caller's, and the key itself, which nothing keeps. It may do no more than the caller may."""
    _no_more_than(caller, scopes)
    if expires_at is not None and expires_at.tzinfo is not None and expires_at <= unit.now:
        raise invalid("expiresAt", "must be in the future")
    raw = KEY_PREFIX + secrets.token_urlsafe(32)
    key_id = new_id()
    command = CreateApiKey(
        name=name, key_prefix=raw[:12], user_id=caller.account_id, scopes=scopes, expires_at=expires_at
    )
    key = unit.begin(API_KEY, key_id, command)
    unit.conn.execute(
        "INSERT INTO api_key_secrets (key_hash, workspace_id, api_key_id, account_id) VALUES (%s, %s, %s, %s)",
        (hashed(raw), caller.workspace_id, key_id, caller.account_id),
    )
    return key, raw


def _no_more_than(caller: Caller, scopes: tuple[str, ...]) -> None:
    held = set(caller.scopes)
    if held & {"*", "admin"}:
        return
    for scope in scopes:
        try:
            known = ":" in api_key.scope(scope)
        except ValueError as error:
            raise invalid("scopes", str(error)) from None
        if not known or not caller.may(scope):
            raise invalid("scopes", f"{scope[:64]} is more than you may do yourself")


def revoke_api_key(unit: Work, key_id: UUID) -> None:
    """No request with the key is accepted once this is committed; revoking twice is no error."""
    unit.execute(API_KEY, key_id, RevokeApiKey())
