"""Webhook endpoint rows, and how each has fared."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.webhook import WEBHOOK, Webhook
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import BOOLEAN, TEXT, TEXTS, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.webhook import WebhookView
from schemas.wire.page import Sort

WEBHOOKS: RowTable[Webhook] = RowTable(
    name="webhooks",
    decider=WEBHOOK,
    version=3,
    columns=(Column("url", TEXT), Column("events", TEXTS), Column("active", BOOLEAN)),
)

LISTING = Listing(WEBHOOKS, default=Sort(field="createdAt", descending=True))


@dataclass(frozen=True)
class Health:
    """When an endpoint was last sent something, and the HTTP status that it answered."""

    last_delivery_at: datetime | None = None
    last_status: int | None = None


def health(conn: Db, ids: Sequence[UUID]) -> dict[UUID, Health]:
    rows = conn.execute(
        "SELECT webhook_id, last_delivery_at, last_status FROM webhook_health"
        " WHERE workspace_id = %s AND webhook_id = ANY(%s)",
        (conn.workspace_id, list(ids)),
    )
    return {row[0]: Health(row[1], row[2]) for row in rows}


def sealed_secrets(conn: Db, ids: Sequence[UUID]) -> dict[UUID, bytes]:
    """The present secret of each endpoint, sealed; not those that it has replaced."""
    rows = conn.execute(
        "SELECT webhook_id, sealed FROM webhook_secrets"
        " WHERE workspace_id = %s AND webhook_id = ANY(%s) AND expires_at IS NULL",
        (conn.workspace_id, list(ids)),
    )
    return {row[0]: bytes(row[1]) for row in rows}


def views(conn: Db, webhooks: Sequence[Current[Webhook]]) -> list[WebhookView]:
    """The endpoints as callers see them, without their secrets."""
    known = health(conn, [webhook.id for webhook in webhooks])
    return [view(webhook, known.get(webhook.id, Health())) for webhook in webhooks]


def view(webhook: Current[Webhook], known: Health) -> WebhookView:
    return shown(WebhookView, webhook, last_delivery=known.last_delivery_at, last_status=known.last_status)
