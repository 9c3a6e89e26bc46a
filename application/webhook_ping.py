"""The test of a webhook endpoint: an event of no consequence, sent at once and once."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, LiteralString
from uuid import UUID

import msgspec

from application.calling.services import Services
from application.webhook import PING
from domain.kernel import Refused, not_found
from eventstore.chain import timestamp
from eventstore.database import reading
from eventstore.ids import new_id
from gateways.webhook import WebhookSender
from gateways.webhook_signature import sealing_context
from projections.webhook import WEBHOOKS
from schemas.webhook import Ping, Subject, WebhookEnvelope

_SIGNING: Final[LiteralString] = """
    SELECT sealed FROM webhook_secrets
    WHERE workspace_id = %s AND webhook_id = %s AND (expires_at IS NULL OR expires_at > now())
    ORDER BY created_at DESC
"""


@dataclass(frozen=True)
class Endpoint:
    """Where to send, and the secrets to sign with."""

    url: str
    secrets: tuple[str, ...]


def endpoint(services: Services, workspace_id: UUID, webhook_id: UUID) -> Endpoint:
    """An endpoint whether or not it is active: testing comes before switching on."""
    with reading(services.pool, workspace_id) as conn:
        webhook = WEBHOOKS.load(conn, [webhook_id]).get(webhook_id)
        sealed = [bytes(row[0]) for row in conn.execute(_SIGNING, (workspace_id, webhook_id))]
    if webhook is None:
        raise not_found("webhook")
    context = sealing_context(workspace_id, webhook_id)
    return Endpoint(webhook.state.url, tuple(services.box.open(secret, context).decode() for secret in sealed))


async def ping(services: Services, workspace_id: UUID, webhook_id: UUID, to: Endpoint) -> Ping:
    """Sends a ``test.ping``; refuses with ``delivery_failed`` where the receiver does not answer 2xx."""
    message_id = new_id()
    envelope = WebhookEnvelope(
        id=message_id,
        type=PING,
        timestamp=timestamp(datetime.now(UTC)),
        workspace_id=workspace_id,
        seq=None,
        subject=Subject(type="webhook", id=webhook_id),
        data=msgspec.Raw(b"{}"),
    )
    async with WebhookSender(allow_private=services.allow_private_webhooks) as sender:
        sent = await sender.send(to.url, message_id, msgspec.json.encode(envelope), to.secrets)
    if sent.error is not None or sent.status is None:
        raise Refused("delivery_failed", sent.error or "The receiver gave no answer.")
    return Ping(success=True, status_code=sent.status, response_time=sent.duration_ms, event=PING)
