"""The outbox over HTTP."""

from __future__ import annotations

from typing import Annotated

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.answers import Json
from api.http.ask import Ask
from api.http.routes import get
from application import outbox
from schemas.outbox import MailStatus, MailView
from schemas.wire.page import Page, PageRequest


class OutboxController(Controller):
    path = "/outbox"
    tags = ["Users"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listOutbox", summary="List mails, sent or kept", scope="outbox:read")
    def list_outbox(
        self,
        ask: NamedDependency[Ask],
        paged: NamedDependency[PageRequest],
        status: Annotated[MailStatus | None, QueryParameter(description="Only those that stand so.")] = None,
    ) -> Json[Page[MailView]]:
        """Newest first, of the last 30 days. Without a mail server all mails are `kept` here, with their links, for you to
        hand on. Admins do not see those that make somebody an owner.
        """
        with ask.reading() as conn:
            mails, total, cursor = outbox.listed(ask.services, ask.caller, conn, paged, status)
        return ask.page(paged, mails, total, cursor)
