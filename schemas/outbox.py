"""The outbox on the wire: mails to people outside, and what became of them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from domain.kernel import JSON, Value
from schemas.wire.words import CreatedAt, Id

MailStatus = Literal["kept", "pending", "sent", "failed", "withdrawn"]


class MailView(Value):
    """A mail, such as an invitation."""

    id: Id
    to: Annotated[str, Meta(description="Whom it is to.")]
    subject: Annotated[str, Meta(description="Its subject.")]
    text: Annotated[
        str | None, Meta(description="What it says, with the secret link; null once it is sent, or is not to be sent.")
    ]
    status: Annotated[
        MailStatus,
        Meta(
            description="`kept`: there is no mail server, so hand it on yourself; `withdrawn`: what it is about is no more."
        ),
    ]
    attempts: Annotated[int, Meta(description="How often it was tried to send it.")]
    error: Annotated[str | None, Meta(description="What was wrong the last time.")]
    created_at: CreatedAt
    sent_at: Annotated[datetime | None, Meta(description="When the mail server took it.")]

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0320",
        "to": "mara@example.com",
        "subject": "Olga Owner invites you to Acme Sales",
        "text": "Hello,\n\nOlga Owner invites you …",
        "status": "kept",
        "attempts": 0,
        "error": None,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "sentAt": None,
    }
