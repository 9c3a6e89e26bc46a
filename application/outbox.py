"""Mails to people outside: written, sealed, into the outbox, from where a worker sends them."""

from __future__ import annotations

import logging
from typing import Final
from uuid import UUID

from cryptography.exceptions import InvalidTag

from application.calling.caller import Caller
from application.calling.secretbox import SecretBox
from application.calling.services import Services
from domain.kernel import Refused
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.work import Work
from projections import outbox as rows
from projections.outbox import Mail, NewMail
from schemas.outbox import MailStatus, MailView
from schemas.wire.page import PageRequest

MOST_A_DAY: Final = 500
"""Of a workspace: what reaches strangers' mailboxes in the installation's name has a bound."""

logger = logging.getLogger("daybook.outbox")


class TooManyMailsError(Refused):
    """The workspace has written as many mails within a day as it may."""

    def __init__(self) -> None:
        super().__init__("rate_limited", f"A workspace sends at most {MOST_A_DAY} mails a day.")
        self.headers = {"retry-after": "3600"}


def write(unit: Work, services: Services, about: UUID, to: str, subject: str, text: str, *, owners_only: bool) -> None:
    """Puts a mail into the outbox, with what is decided; one about the same thing before it is not sent any more."""
    if rows.of_a_day(unit.conn) >= MOST_A_DAY:
        raise TooManyMailsError
    rows.withdraw(unit.conn, about)
    mail_id = new_id()
    sealed = services.box.seal(text.encode(), sealing_context(unit.origin.workspace_id, mail_id))
    status: MailStatus = "pending" if services.sends_mail else "kept"
    rows.add(unit.conn, NewMail(mail_id, about, owners_only, to, subject, sealed, status))


def listed(
    services: Services, caller: Caller, conn: Db, wanted: PageRequest, status: MailStatus | None
) -> tuple[list[MailView], int, str | None]:
    """A page of the outbox: to owners all of it, to others what makes nobody an owner."""
    found, total, cursor = rows.listed(conn, wanted, status, owner=caller.role == "owner")
    return [_view(services.box, conn.workspace_id, mail) for mail in found], total, cursor


def _view(box: SecretBox, workspace_id: UUID, mail: Mail) -> MailView:
    return MailView(
        id=mail.id,
        to=mail.recipient,
        subject=mail.subject,
        text=None if mail.sealed is None else opened(box, workspace_id, mail.id, bytes(mail.sealed)),
        status=mail.status,
        attempts=mail.attempts,
        error=mail.error,
        created_at=mail.created_at,
        sent_at=mail.sent_at,
    )


def opened(box: SecretBox, workspace_id: UUID, mail_id: UUID, sealed: bytes) -> str | None:
    """What a mail says; ``None`` where it was sealed with another key than the installation's present one."""
    try:
        return box.open(sealed, sealing_context(workspace_id, mail_id)).decode()
    except InvalidTag:
        logger.error("mail %s was sealed with another key", mail_id)  # noqa: TRY400 - its traceback says no more
        return None


def sealing_context(workspace_id: UUID, mail_id: UUID) -> bytes:
    return b"outbox" + workspace_id.bytes + mail_id.bytes
