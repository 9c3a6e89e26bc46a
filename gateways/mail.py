"""Sends mails by SMTP: one attempt, and what came of it."""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Final, Literal
from uuid import UUID

import aiosmtplib

TIMEOUT_SECONDS: Final = 30.0
"""From connecting to the server's word that it has taken the mail."""

Security = Literal["tls", "starttls", "none"]


@dataclass(frozen=True)
class MailServer:
    """Where mails are handed in, and by whom. ``security``: TLS from the first byte, by STARTTLS (never without), or none."""

    host: str
    port: int
    security: Security
    sender: Address
    username: str | None = None
    password: str | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Letter:
    """A mail to one person. Sent twice under the same id, it is the same mail."""

    id: UUID
    recipient: str
    subject: str
    text: str = field(repr=False)


@dataclass(frozen=True)
class Posted:
    """One attempt. ``error`` says in a sentence what was wrong, ``None`` when the server took it; ``for_good``: it will
    never take it.
    """

    error: str | None = None
    for_good: bool = False


async def post(server: MailServer, letter: Letter, *, timeout: float = TIMEOUT_SECONDS) -> Posted:  # noqa: ASYNC109 - of all steps together
    """Hands a mail to the server. Whatever goes wrong is in the answer, and nothing of what the mail says."""
    try:
        async with asyncio.timeout(timeout):
            await _hand_in(server, letter, timeout)
    except (aiosmtplib.SMTPException, TimeoutError, OSError, ValueError) as error:
        return Posted(_told(error, timeout), _is_for_good(error))
    return Posted()


async def _hand_in(server: MailServer, letter: Letter, seconds: float) -> None:
    await aiosmtplib.send(
        written(server.sender, letter),
        hostname=server.host,
        port=server.port,
        username=server.username,
        password=server.password,
        timeout=seconds,
        use_tls=server.security == "tls",
        start_tls=server.security == "starttls",
        tls_context=None if server.security == "none" else ssl.create_default_context(),
    )


def written(sender: Address, letter: Letter) -> EmailMessage:
    """The mail as it goes out: plain text that no program answers by itself."""
    message = EmailMessage(policy=SMTP)
    local, _, domain = letter.recipient.rpartition("@")
    message["From"] = sender
    message["To"] = Address(username=local, domain=domain)
    message["Subject"] = letter.subject
    message["Date"] = format_datetime(datetime.now(UTC))
    message["Message-ID"] = f"<{letter.id}@{sender.domain}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(letter.text)
    return message


def _is_for_good(error: Exception) -> bool:
    """Whether this very mail is refused; what is wrong with the server or the account there may be mended."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return all(500 <= refused.code < 600 for refused in error.recipients)
        case aiosmtplib.SMTPDataError():
            return 500 <= error.code < 600
        case _:
            return False


def _told(error: Exception, seconds: float) -> str:
    """In a sentence; what servers say may be long and of several lines."""
    match error:
        case aiosmtplib.SMTPRecipientsRefused():
            return _said(error.recipients[0])
        case aiosmtplib.SMTPTimeoutError() | TimeoutError():
            return f"The mail server did not take it within {seconds:g} s."
        case aiosmtplib.SMTPResponseException():
            return _said(error)
        case ssl.SSLCertVerificationError():
            return f"The mail server's certificate is not trusted: {error.verify_message}."
        case aiosmtplib.SMTPConnectError() | OSError():
            return "The mail server cannot be reached."
        case _:
            return f"The mail could not be sent: {type(error).__name__}."


def _said(error: aiosmtplib.SMTPResponseException) -> str:
    words = " ".join(error.message.split())[:200]
    return f"The mail server answered {error.code}: {''.join(letter for letter in words if letter.isprintable())}"
