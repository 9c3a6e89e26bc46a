"""The outbox: mails that are written in the transaction of what they tell of, and sent by a worker, or kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from eventstore.database import Db
from projections.table import keyset
from schemas.outbox import MailStatus
from schemas.wire.page import PageRequest

_ADD: Final[LiteralString] = """
    INSERT INTO outbox (workspace_id, id, about, owners_only, recipient, subject, sealed, status)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s)
"""
_WITHDRAW: Final[LiteralString] = """
    UPDATE outbox SET sealed = NULL, lease = NULL, status = CASE WHEN status = 'sent' THEN status ELSE 'withdrawn' END
    WHERE workspace_id = %s AND about = %s
"""
_RECENT: Final[LiteralString] = """
    SELECT count(*) FROM outbox WHERE workspace_id = %s AND created_at > now() - interval '1 day'
"""
_SHOWN: Final[LiteralString] = """
    SELECT id, recipient, subject, sealed, status, attempts, error, created_at, sent_at FROM outbox
    WHERE workspace_id = %(workspace)s AND (NOT owners_only OR %(owner)s)
        AND (%(status)s::text IS NULL OR status = %(status)s)
"""
_NEWEST_FIRST: Final = "-id"


@dataclass(frozen=True)
class NewMail:
    """``about``: what it tells of; ``owners_only``: its link is worth more than admins may have."""

    id: UUID
    about: UUID
    owners_only: bool
    recipient: str
    subject: str
    sealed: bytes = field(repr=False)
    status: MailStatus


@dataclass(frozen=True)
class Mail:
    """As it stands; its text is sealed, and gone once it is of no use."""

    id: UUID
    recipient: str
    subject: str
    sealed: bytes | None = field(repr=False)
    status: MailStatus
    attempts: int
    error: str | None
    created_at: datetime
    sent_at: datetime | None


def add(conn: Db, mail: NewMail) -> None:
    values = (mail.about, mail.owners_only, mail.recipient, mail.subject, mail.sealed, mail.status)
    conn.execute(_ADD, (conn.workspace_id, mail.id, *values))


def withdraw(conn: Db, about: UUID) -> None:
    """Nothing that tells of this is to be sent any more, or read."""
    conn.execute(_WITHDRAW, (conn.workspace_id, about))


def of_a_day(conn: Db) -> int:
    """How many mails the workspace has written within a day."""
    row = conn.execute(_RECENT, (conn.workspace_id,)).fetchone()
    return 0 if row is None else int(row[0])


def listed(
    conn: Db, request: PageRequest, status: MailStatus | None, *, owner: bool
) -> tuple[list[Mail], int, str | None]:
    """A page of mails, newest first, how many there are, and the cursor of the next page."""
    (before,) = (None,) if request.cursor is None else keyset.read(request.cursor, _NEWEST_FIRST, UUID)
    params: dict[str, Any] = {"workspace": conn.workspace_id, "owner": owner, "status": status, "before": before}
    behind = " AND (%(before)s::uuid IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s OFFSET %(skipped)s"
    skipped = 0 if request.cursor else request.skipped
    rows = conn.execute(_SHOWN + behind, {**params, "limit": request.limit + 1, "skipped": skipped})
    total = conn.execute("SELECT count(*) FROM (" + _SHOWN + ") AS found", params)
    page, cursor = keyset.page(rows.fetchall(), request.limit, lambda row: keyset.written(_NEWEST_FIRST, row[0]))
    count = total.fetchone()
    return [Mail(*row) for row in page], count[0] if count else 0, cursor
