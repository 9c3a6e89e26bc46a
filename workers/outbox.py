"""Sends the mails of the outbox, one after the other, and tries again those that the mail server did not take."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import dataclass
from typing import Final

from prometheus_client import Counter

from application.calling.secretbox import SecretBox
from application.outbox import opened
from eventstore.database import Unavailable, connection, writing
from gateways.mail import TIMEOUT_SECONDS, Letter, MailServer, Posted, post
from projections import outbox_queue as queue
from projections.outbox_queue import Claimed
from workers.running.context import WorkerContext
from workers.running.waiting import Backoff, pause

ATTEMPTS: Final = Counter("daybook_mail_attempts", "Attempts to send a mail, by what came of them.", ["result"])

logger = logging.getLogger("daybook.outbox")


@dataclass(frozen=True)
class Sending:
    """How mails are sent; times are in seconds. ``schedule`` has the wait after each failed attempt; behind its end it is
    given up. ``lease`` is longer than ``timeout`` by what may pass before and behind.
    """

    schedule: tuple[float, ...] = (30, 120, 600, 1800, 3600, 7200, 14400, 14400)
    timeout: float = TIMEOUT_SECONDS
    lease: float = 60.0
    poll: float = 2.0


AS_DOCUMENTED: Final = Sending()


async def run(context: WorkerContext, *, settings: Sending = AS_DOCUMENTED) -> None:
    """Sends until asked to stop, finishing the mail in hand. Any number of processes may; without a mail server none does."""
    server = context.config.mail_server
    if server is None:
        await context.stop.wait()
        return
    backoff = Backoff()
    while not context.stop.is_set():
        try:
            worked = await _send_one(context, server, settings)
        except Unavailable as error:
            logger.warning("putting off mails: %s", error.__cause__ or error)
            await pause(context.stop, backoff.next())
            continue
        backoff.reset()
        if not worked:
            await pause(context.stop, settings.poll)


async def _send_one(context: WorkerContext, server: MailServer, settings: Sending) -> bool:
    """Whether there was one to be sent."""
    mail = await asyncio.to_thread(_claimed, context, settings.lease)
    if mail is None:
        return False
    text = opened(SecretBox(context.config.secret_key), mail.workspace_id, mail.id, bytes(mail.sealed))
    if text is None:
        posted = Posted("It was sealed with another key than the installation's present one.", for_good=True)
    else:
        letter = Letter(mail.id, mail.recipient, mail.subject, text)
        posted = await post(server, letter, timeout=settings.timeout)
    await asyncio.to_thread(_record, context, mail, posted, settings)
    return True


def _claimed(context: WorkerContext, seconds: float) -> Claimed | None:
    with connection(context.pool) as conn:
        return queue.claim(conn, seconds)


def _record(context: WorkerContext, mail: Claimed, posted: Posted, settings: Sending) -> None:
    ATTEMPTS.labels("failed" if posted.error else "sent").inc()
    with writing(context.pool, mail.workspace_id) as conn:
        if posted.error is None:
            queue.sent(conn, mail)
        elif posted.for_good or mail.attempts > len(settings.schedule):
            logger.error("mail %s is given up: %s", mail.id, posted.error)
            queue.failed(conn, mail, posted.error)
        else:
            logger.warning("mail %s is put off: %s", mail.id, posted.error)
            queue.put_off(conn, mail, posted.error, settings.schedule[mail.attempts - 1])
