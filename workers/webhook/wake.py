"""A hint from expanders to deliverers, over core NATS: of these endpoints something is due. It may be lost."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final
from uuid import UUID

from workers.webhook.claimed import Endpoint

SUBJECT: Final = "daybook_webhooks_due"

_MOST: Final = 1000


def named(workspace_id: UUID, endpoints: Collection[UUID]) -> bytes:
    """The message about these endpoints of a workspace; of very many it names none, which stands for all there are."""
    return b"" if len(endpoints) > _MOST else b"".join(each.bytes for each in (workspace_id, *endpoints))


def endpoints_of(message: bytes) -> list[Endpoint]:
    """The endpoints that a message names; none stands for all."""
    if not message or len(message) % 16:
        return []
    workspace_id, *endpoints = (UUID(bytes=message[at : at + 16]) for at in range(0, len(message), 16))
    return [Endpoint(workspace_id, webhook_id) for webhook_id in endpoints]
