"""Idempotency keys: the first request's response is kept in its own transaction and given again."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final, LiteralString
from uuid import UUID

import msgspec

from domain.kernel import Refused, invalid
from eventstore.database import Db

MAX_KEY: Final = 255

_BEGIN: Final[LiteralString] = """
    INSERT INTO idempotency_keys (workspace_id, caller_id, key, request_hash)
    SELECT %(workspace)s, %(caller)s, %(key)s, %(request)s
    WHERE NOT EXISTS (SELECT FROM idempotency_keys
        WHERE workspace_id = %(workspace)s AND caller_id = %(caller)s AND key = %(unnamed)s)
    ON CONFLICT DO NOTHING RETURNING true
"""
_STORED: Final[LiteralString] = """
    SELECT request_hash, status, headers, body FROM idempotency_keys
    WHERE workspace_id = %(workspace)s AND caller_id = %(caller)s AND key IN (%(key)s, %(unnamed)s)
"""
_FINISH: Final[LiteralString] = """
    UPDATE idempotency_keys SET status = %s, headers = %s::text::jsonb, body = %s
    WHERE workspace_id = %s AND caller_id = %s AND key = %s
"""

UNNAMED: Final = "sha256:"
# Callers choose their keys, and may choose the address of whom they write about.
_UNNAME: Final[LiteralString] = """
    UPDATE idempotency_keys SET key = %(unnamed)s || encode(sha256(convert_to(key, 'UTF8')), 'hex')
    WHERE workspace_id = %(workspace)s AND key !~ ('^' || %(unnamed)s || '[0-9a-f]{64}$')
        AND EXISTS (SELECT FROM unnest(%(words)s::text[]) AS word WHERE position(word IN lower(key)) > 0)
"""


@dataclass(frozen=True)
class IdempotencyKey:
    """A key of the caller's own, and a hash of what was asked for: method, path, query and body."""

    caller_id: UUID
    key: str
    request_hash: bytes

    def __post_init__(self) -> None:
        if not 1 <= len(self.key) <= MAX_KEY or not self.key.isascii() or not self.key.isprintable():
            raise invalid("Idempotency-Key", f"must have 1 to {MAX_KEY} printable ASCII characters")

    @property
    def unnamed(self) -> str:
        """How it is kept where it named somebody who has been erased since: it stays used."""
        return UNNAMED + sha256(self.key.encode()).hexdigest()


@dataclass(frozen=True)
class StoredResponse:
    status: int
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    replayed: bool = False


def begin(conn: Db, workspace_id: UUID, key: IdempotencyKey) -> StoredResponse | None:
    """Takes the key, or answers what the first request with it was answered.

    A second request waits here until the first has committed or rolled back. Refuses a key used for another request.
    """
    params = {
        "workspace": workspace_id,
        "caller": key.caller_id,
        "key": key.key,
        "unnamed": key.unnamed,
        "request": key.request_hash,
    }
    if conn.execute(_BEGIN, params).fetchone() is not None:
        return None
    row = conn.execute(_STORED, params).fetchone()
    if row is None:
        raise Refused("conflict", "A request with this Idempotency-Key was just undone; try again.")
    request_hash, status, headers, body = row
    if body is None and status is not None:
        raise Refused("not_found", "What this was answered told of somebody who has been erased since.")
    if request_hash != key.request_hash:
        raise invalid("Idempotency-Key", "was used for another request")
    return StoredResponse(status=status, body=body, headers=headers, replayed=True)


def finish(conn: Db, workspace_id: UUID, key: IdempotencyKey, response: StoredResponse) -> None:
    headers = msgspec.json.encode(response.headers).decode()
    here = (workspace_id, key.caller_id, key.key)
    conn.execute(_FINISH, (response.status, headers, response.body, *here))


def unname(conn: Db, words: Collection[str]) -> None:
    """Keeps of the workspace's keys that have one of these words in them no more than by what they are known again."""
    here = {"workspace": conn.workspace_id, "unnamed": UNNAMED, "words": [word.lower() for word in words]}
    conn.execute(_UNNAME, here)
