"""A hint from expanders to deliverers, over core NATS: of these endpoints something is due. It may be lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

SUBJECT: Final = "daybook_webhooks_due"

_MOST: Final = 1000


def named(endpoints: Collection[UUID]) -> bytes:
    """The message about these endpoints; of very many it names none, which stands for all."""
    return b"" if len(endpoints) > _MOST else b"".join(webhook_id.bytes for webhook_id in endpoints)


def endpoints_of(message: bytes) -> list[UUID]:
    """The endpoints that a message names; none stands for all."""
    if len(message) % 16:
        return []
    return [UUID(bytes=message[at : at + 16]) for at in range(0, len(message), 16)]
