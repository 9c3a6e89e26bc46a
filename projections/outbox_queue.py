"""The queue of mails that are to be sent: claimed by a lease, and what came of each attempt written down.

A claim is a lease: when its worker dies, the mail is due again as soon as it has run out, and is sent once more.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, LiteralString
from uuid import UUID

from eventstore.database import Db, within
from eventstore.ids import new_id

_LOOKED_AT: Final = 20
"""Mails found that others may claim meanwhile."""

# Over all workspaces, and only a look.
_DUE: Final[LiteralString] = """
    SELECT workspace_id, id FROM outbox WHERE status = 'pending' AND due_at <= now() ORDER BY due_at LIMIT %s
"""
_CLAIM: Final[LiteralString] = """
    UPDATE outbox SET lease = %(lease)s, due_at = now() + make_interval(secs => %(seconds)s), attempts = attempts + 1
    WHERE workspace_id = %(workspace)s AND id = (
        SELECT id FROM outbox WHERE workspace_id = %(workspace)s AND id = %(mail)s AND status = 'pending'
            AND due_at <= now() FOR UPDATE SKIP LOCKED)
    RETURNING workspace_id, id, lease, recipient, subject, sealed, attempts
"""
_SENT: Final[LiteralString] = """
    UPDATE outbox SET status = 'sent', sealed = NULL, lease = NULL, error = NULL, sent_at = now()
    WHERE workspace_id = %s AND id = %s AND lease = %s
"""
_PUT_OFF: Final[LiteralString] = """
    UPDATE outbox SET lease = NULL, error = %s, due_at = now() + make_interval(secs => %s)
    WHERE workspace_id = %s AND id = %s AND lease = %s
"""
_FAILED: Final[LiteralString] = """
    UPDATE outbox SET status = 'failed', lease = NULL, error = %s WHERE workspace_id = %s AND id = %s AND lease = %s
"""


@dataclass(frozen=True)
class Claimed:
    """A mail that this worker, for a while, is the one to send; ``attempts``: this one included."""

    workspace_id: UUID
    id: UUID
    lease: UUID
    recipient: str
    subject: str
    sealed: bytes = field(repr=False)
    attempts: int

    @property
    def key(self) -> tuple[UUID, UUID, UUID]:
        return self.workspace_id, self.id, self.lease


def claim(conn: Db, seconds: float) -> Claimed | None:
    """The mail that is due for longest; on an autocommitting connection that, as a worker's, sees all workspaces."""
    for workspace_id, mail_id in conn.execute(_DUE, (_LOOKED_AT,)).fetchall():
        params = {"lease": new_id(), "seconds": seconds, "workspace": workspace_id, "mail": mail_id}
        with within(conn, workspace_id):
            row = conn.execute(_CLAIM, params).fetchone()
        if row is not None:
            return Claimed(*row)
    return None


def sent(conn: Db, mail: Claimed) -> None:
    """The server has it; what it says is kept no longer."""
    conn.execute(_SENT, mail.key)


def put_off(conn: Db, mail: Claimed, error: str, seconds: float) -> None:
    """It is due again in so many seconds."""
    conn.execute(_PUT_OFF, (error, seconds, *mail.key))


def failed(conn: Db, mail: Claimed, error: str) -> None:
    """It is not tried again."""
    conn.execute(_FAILED, (error, *mail.key))
