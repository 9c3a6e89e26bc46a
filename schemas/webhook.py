"""Webhook endpoints, their deliveries, and what receivers are sent."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from domain.kernel import JSON, Command, Value
from domain.webhook import DisabledReason

DeliveryStatus = Literal["pending", "succeeded", "failed", "cancelled"]
CompletedStatus = Literal["succeeded", "failed", "cancelled"]


class NewWebhook(Command):
    """``events`` are names such as ``contact.created``, ``contact.*`` for all of a kind, or ``*`` for all there are."""

    url: str
    events: tuple[str, ...]
    active: bool = True
    description: str | None = None


class WebhookPatch(Command):
    url: str | UnsetType = UNSET
    events: tuple[str, ...] | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    description: str | UnsetType | None = UNSET


class DeliveryView(Value):
    """An event on its way to an endpoint. ``attemptCount`` counts all attempts, those before a replay included.

    ``nextAttemptAt`` is null unless it is pending.
    """

    id: UUID
    webhook_id: UUID
    event_id: UUID
    event_type: str
    seq: int
    status: DeliveryStatus
    attempt_count: int
    last_status: int | None
    last_error: str | None
    last_attempt_at: datetime | None
    next_attempt_at: datetime | None
    created_at: datetime
    completed_at: datetime | None

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0060",
        "webhookId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0050",
        "eventId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0070",
        "eventType": "contact.created",
        "seq": 1204,
        "status": "succeeded",
        "attemptCount": 2,
        "lastStatus": 200,
        "lastError": None,
        "lastAttemptAt": "2026-03-15T10:30:05.654321Z",
        "nextAttemptAt": None,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "completedAt": "2026-03-15T10:30:05.654321Z",
    }


class AttemptView(Value):
    """One attempt. ``responseExcerpt`` is how the receiver's answer began."""

    attempt: int
    started_at: datetime
    duration_ms: int
    status_code: int | None
    error: str | None
    response_excerpt: str | None

    example: ClassVar[JSON] = {
        "attempt": 2,
        "startedAt": "2026-03-15T10:30:05.600000Z",
        "durationMs": 54,
        "statusCode": 200,
        "error": None,
        "responseExcerpt": "ok",
    }


class DeliveryDetail(DeliveryView):
    """A delivery with all its attempts, the latest first."""

    attempts: list[AttemptView]

    example: ClassVar[JSON] = {**DeliveryView.example, "attempts": [AttemptView.example]}


class WebhookView(Value):
    """A webhook endpoint. ``secret`` is there for callers who may change webhooks, and left out for others.

    ``disabledReason`` is why Daybook itself switched it off. ``lastDelivery`` is when it was last sent something and
    ``lastStatus`` the HTTP status it answered, null when it gave no answer. ``deliveries`` are its latest, newest first,
    where one webhook is asked for.
    """

    id: UUID
    url: str
    events: tuple[str, ...]
    active: bool
    description: str | None
    disabled_reason: DisabledReason | None
    created_at: datetime
    updated_at: datetime
    last_delivery: datetime | None
    last_status: int | None
    version: int
    secret: str | UnsetType = UNSET
    deliveries: list[DeliveryView] | UnsetType = UNSET

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0050",
        "url": "https://hooks.example.com/daybook",
        "events": ["contact.created", "tag.*"],
        "active": True,
        "description": "Tells the web shop",
        "disabledReason": None,
        "createdAt": "2026-03-15T10:00:00.123456Z",
        "updatedAt": "2026-03-15T10:00:00.123456Z",
        "lastDelivery": "2026-03-15T10:30:05.654321Z",
        "lastStatus": 200,
        "version": 1,
        "secret": "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
    }


class ReplayRange(Command):
    """Which completed deliveries to send again: made from ``since`` up to ``until``, and of one status.

    At least one of the three must be given.
    """

    since: datetime | None = None
    until: datetime | None = None
    status: CompletedStatus | None = None


class Replayed(Value):
    """How many deliveries will be sent again."""

    replayed: int

    example: ClassVar[JSON] = {"replayed": 17}


class Ping(Value):
    """The receiver took the test: its HTTP status, and how long it took in milliseconds."""

    success: bool
    status_code: int
    response_time: int
    event: str

    example: ClassVar[JSON] = {"success": True, "statusCode": 200, "responseTime": 54, "event": "test.ping"}


class Subject(Value):
    """What an event happened to."""

    type: str
    id: UUID


class WebhookEnvelope(Value):
    """The body of a webhook: an event of the log, under the same ``id``, ``type`` and ``seq`` as there.

    It is sent at least once, and roughly in order: an event that had to be retried comes after later ones. ``id`` is
    also the ``webhook-id`` header and the same on every attempt, so a receiver that remembers ids can drop what it has
    had; ``seq`` says what came first. A ``test.ping`` is no event of the log and has no ``seq``.
    """

    id: UUID
    type: str
    timestamp: str
    workspace_id: UUID
    seq: int | None
    subject: Subject
    data: msgspec.Raw
