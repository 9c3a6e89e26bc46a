"""Webhook endpoint rows."""

from __future__ import annotations

from domain.webhook import WEBHOOK, Webhook
from projections.listing import Listing
from projections.rows import RowTable
from schemas.page import Sort

WEBHOOKS: RowTable[Webhook] = RowTable(
    table="webhooks",
    decider=WEBHOOK,
    version=1,
    columns={"url": "text NOT NULL", "events": "text[] NOT NULL", "active": "boolean NOT NULL"},
    project=lambda webhook: (webhook.state.url, list(webhook.state.events), webhook.state.active),
    indexes={"webhooks_by_created": "(workspace_id, created_at, id)"},
    unique={},
)

LISTING = Listing(table=WEBHOOKS, sorts={"createdAt": "created_at"}, default=Sort(field="createdAt", descending=True))
