"""The directory: accounts, sessions and key hashes, looked up before it is known which workspace a request is for.

It may be on another machine than the workspaces, so no transaction is of both. What has a half in either is written here
first, as pending, then in the workspace, and then settled here. A half that stands alone lets nobody in; the next attempt or
housekeeping completes it or takes it away.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final, LiteralString
from uuid import UUID

from eventstore.database import Pool, connection, one

_ADD_ACCOUNT: Final[LiteralString] = """
    WITH added AS (
        INSERT INTO accounts (id, email, password_hash, pending) VALUES (%s, %s, %s, true)
        ON CONFLICT DO NOTHING RETURNING id)
    INSERT INTO account_workspaces (account_id, workspace_id) SELECT id, %s FROM added RETURNING account_id
"""
_ACCOUNT: Final[LiteralString] = """
    SELECT a.id, a.password_hash, a.pending, array(
        SELECT w.workspace_id FROM account_workspaces w WHERE w.account_id = a.id ORDER BY w.created_at, w.workspace_id)
    FROM accounts a WHERE a.email = %s
"""
_SETTLE_ACCOUNT: Final[LiteralString] = "UPDATE accounts SET pending = false WHERE id = %s RETURNING id"
_ADD_SESSION: Final[LiteralString] = """
    INSERT INTO sessions (token_hash, account_id, workspace_id, expires_at) VALUES (%s, %s, %s, %s)
"""
_ADD_KEY: Final[LiteralString] = """
    INSERT INTO api_key_secrets (key_hash, workspace_id, api_key_id, account_id, pending) VALUES (%s, %s, %s, %s, true)
"""
_HOLDER: Final[LiteralString] = """
    SELECT workspace_id, account_id, api_key_id, last_used_at FROM api_key_secrets WHERE key_hash = %(digest)s
    UNION ALL
    SELECT workspace_id, account_id, NULL, NULL FROM sessions WHERE token_hash = %(digest)s AND expires_at > now()
"""
_LAST_USED: Final[LiteralString] = """
    SELECT api_key_id, last_used_at FROM api_key_secrets WHERE workspace_id = %s
"""
_UNSETTLED_ACCOUNTS: Final[LiteralString] = """
    SELECT a.id, w.workspace_id FROM accounts a JOIN account_workspaces w ON w.account_id = a.id
    WHERE a.pending AND a.created_at < now() - make_interval(secs => %s)
"""
_UNSETTLED_KEYS: Final[LiteralString] = """
    SELECT key_hash, workspace_id, api_key_id FROM api_key_secrets
    WHERE pending AND created_at < now() - make_interval(secs => %s)
"""
_JOIN: Final[LiteralString] = """
    INSERT INTO account_workspaces (account_id, workspace_id) VALUES (%s, %s) ON CONFLICT DO NOTHING
"""
_LEAVE: Final[tuple[LiteralString, ...]] = (
    "DELETE FROM account_workspaces WHERE account_id = %s AND workspace_id = %s",
    "DELETE FROM sessions WHERE account_id = %s AND workspace_id = %s",
)
_REMOVE_ACCOUNT: Final[tuple[LiteralString, ...]] = (
    "DELETE FROM account_workspaces w USING accounts a WHERE a.id = %s AND a.pending AND w.account_id = a.id",
    "DELETE FROM accounts WHERE id = %s AND pending",
)


@dataclass(frozen=True)
class Account:
    """``workspaces``: those it may enter, the oldest first."""

    id: UUID
    password_hash: str
    pending: bool
    workspaces: tuple[UUID, ...]


@dataclass(frozen=True)
class Holder:
    """Whose a token is, and in which workspace it was made; a session has no ``api_key_id``."""

    workspace_id: UUID
    account_id: UUID
    api_key_id: UUID | None
    last_used_at: datetime | None


def add_account(pool: Pool, account_id: UUID, email: str, password_hash: str, workspace_id: UUID) -> bool:
    """A pending account with a workspace to be; false where the address has an account already."""
    with connection(pool) as conn:
        return one(conn, _ADD_ACCOUNT, (account_id, email, password_hash, workspace_id)) is not None


def account(pool: Pool, email: str) -> Account | None:
    with connection(pool) as conn:
        row = one(conn, _ACCOUNT, (email,))
    return None if row is None else Account(row[0], row[1], row[2], tuple(row[3]))


def settle_account(pool: Pool, account_id: UUID) -> bool:
    """That the account's workspace is there; false where the account was taken away meanwhile."""
    with connection(pool) as conn:
        return one(conn, _SETTLE_ACCOUNT, (account_id,)) is not None


def add_session(pool: Pool, token_hash: bytes, account_id: UUID, workspace_id: UUID, expires_at: datetime) -> None:
    with connection(pool) as conn:
        conn.execute(_ADD_SESSION, (token_hash, account_id, workspace_id, expires_at))


def end_session(pool: Pool, token_hash: bytes) -> None:
    with connection(pool) as conn:
        conn.execute("DELETE FROM sessions WHERE token_hash = %s", (token_hash,))


def add_key(pool: Pool, key_hash: bytes, workspace_id: UUID, api_key_id: UUID, account_id: UUID) -> None:
    """A pending key: it lets nobody in before the workspace knows it."""
    with connection(pool) as conn:
        conn.execute(_ADD_KEY, (key_hash, workspace_id, api_key_id, account_id))


def settle_key(pool: Pool, key_hash: bytes) -> None:
    """That the workspace knows the key."""
    with connection(pool) as conn:
        conn.execute("UPDATE api_key_secrets SET pending = false WHERE key_hash = %s", (key_hash,))


def remove_key(pool: Pool, key_hash: bytes) -> None:
    with connection(pool) as conn:
        conn.execute("DELETE FROM api_key_secrets WHERE key_hash = %s", (key_hash,))


def remove_account(pool: Pool, account_id: UUID) -> None:
    """Takes a pending account away; one that was settled meanwhile stays."""
    with connection(pool) as conn, conn.transaction():
        for statement in _REMOVE_ACCOUNT:
            conn.execute(statement, (account_id,))


def join(pool: Pool, account_id: UUID, workspace_id: UUID) -> None:
    """The account may log in to the workspace, once that has it as a member."""
    with connection(pool) as conn:
        conn.execute(_JOIN, (account_id, workspace_id))


def leave(pool: Pool, account_id: UUID, workspace_id: UUID) -> None:
    """The account may not enter the workspace any more; the sessions that began there end."""
    with connection(pool) as conn, conn.transaction():
        for statement in _LEAVE:
            conn.execute(statement, (account_id, workspace_id))


def holder(pool: Pool, digest: bytes) -> Holder | None:
    """Whose key or session has this hash; ``None`` where there is none, or it has expired."""
    with connection(pool) as conn:
        row = conn.execute(_HOLDER, {"digest": digest}).fetchone()
    return None if row is None else Holder(*row)


def mark_used(pool: Pool, key_hash: bytes) -> None:
    with connection(pool) as conn:
        conn.execute("UPDATE api_key_secrets SET last_used_at = now() WHERE key_hash = %s", (key_hash,))


def last_used(pool: Pool, workspace_id: UUID) -> dict[UUID, datetime | None]:
    """When each of a workspace's keys was last used."""
    with connection(pool) as conn:
        return dict(conn.execute(_LAST_USED, (workspace_id,)).fetchall())


def unsettled_accounts(pool: Pool, seconds: float) -> list[tuple[UUID, UUID]]:
    """Accounts that have been pending for so long, each with its workspace to be."""
    with connection(pool) as conn:
        return [(row[0], row[1]) for row in conn.execute(_UNSETTLED_ACCOUNTS, (seconds,))]


def unsettled_keys(pool: Pool, seconds: float) -> list[tuple[bytes, UUID, UUID]]:
    """Keys that have been pending for so long: hash, workspace and id."""
    with connection(pool) as conn:
        return [(bytes(row[0]), row[1], row[2]) for row in conn.execute(_UNSETTLED_KEYS, (seconds,))]
