"""Webhook endpoints, their deliveries, and what receivers are sent."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON, Command, Value
from domain.webhook import Active, Address, Description, Events, WebhookDetails, WhyDisabled
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version, WorkspaceId

DeliveryStatus = Literal["pending", "succeeded", "failed", "cancelled"]
CompletedStatus = Literal["succeeded", "failed", "cancelled"]


class NewWebhook(Command):
    """``events`` are names such as ``contact.created``, ``contact.*`` for all of a kind, or ``*`` for all there are."""

    url: Address
    events: Events
    active: Active = True
    description: Description | None = None


class WebhookPatch(Command):
    """What to change."""

    url: Address | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    active: Active | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET


class DeliveryView(Value):
    """An event on its way to an endpoint. ``attemptCount`` counts all attempts, those before a replay included.

    ``nextAttemptAt`` is null unless it is pending.
    """

    id: Id
    webhook_id: Annotated[UUID, Meta(description="The endpoint.")]
    event_id: Annotated[UUID, Meta(description="The event's id, as in the log.")]
    event_type: Annotated[str, Meta(description="The event's public name, such as `contact.created`.")]
    seq: Annotated[int, Meta(description="Its place in the workspace's log, from 1 without a gap.")]
    status: Annotated[DeliveryStatus, Meta(description="How it stands.")]
    attempt_count: Annotated[int, Meta(description="All attempts so far.")]
    last_status: Annotated[
        int | None, Meta(description="The HTTP status last answered; null when there was no answer.")
    ]
    last_error: Annotated[str | None, Meta(description="Why the last attempt failed.")]
    last_attempt_at: Annotated[datetime | None, Meta(description="When it was last tried.")]
    next_attempt_at: Annotated[datetime | None, Meta(description="When it is tried next; null unless it is pending.")]
    created_at: CreatedAt
    completed_at: Annotated[datetime | None, Meta(description="When it was over, whatever came of it.")]

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

    attempt: Annotated[int, Meta(description="Its number, from 1.")]
    started_at: Annotated[datetime, Meta(description="When it began.")]
    duration_ms: Annotated[int, Meta(description="Milliseconds until the answer, or until it was given up.")]
    status_code: Annotated[
        int | None, Meta(description="The HTTP status that the receiver answered; null when there was no answer.")
    ]
    error: Annotated[str | None, Meta(description="Why there was no answer, or why it counts as a failure.")]
    response_excerpt: Annotated[str | None, Meta(description="How the receiver's answer began.")]

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

    attempts: Annotated[list[AttemptView], Meta(description="The latest first.")]

    example: ClassVar[JSON] = {**DeliveryView.example, "attempts": [AttemptView.example]}


class WebhookView(WebhookDetails, kw_only=True):
    """A webhook endpoint. ``secret`` is there for callers who may change webhooks, and left out for others.

    ``disabledReason`` is why Daybook itself switched it off. ``lastDelivery`` is when it was last sent something and
    ``lastStatus`` the HTTP status it answered, null when it gave no answer. ``deliveries`` are its latest, newest first,
    where one webhook is asked for.
    """

    id: Id
    disabled_reason: WhyDisabled | None
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version
    last_delivery: Annotated[datetime | None, Meta(description="When it was last sent something.")]
    last_status: Annotated[
        int | None, Meta(description="The HTTP status last answered; null when there was no answer.")
    ]
    secret: Annotated[
        str | UnsetType,
        Meta(description="What its deliveries are signed with; left out for callers who may not change webhooks."),
    ] = UNSET
    deliveries: Annotated[
        list[DeliveryView] | UnsetType,
        Meta(description="Its latest deliveries, newest first, where one endpoint is asked for."),
    ] = UNSET

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

    since: Annotated[datetime | None, Meta(description="Made at this time or later.")] = None
    until: Annotated[datetime | None, Meta(description="Made before this time.")] = None
    status: Annotated[CompletedStatus | None, Meta(description="Only deliveries of this status.")] = None


class Replayed(Value):
    """How many deliveries will be sent again."""

    replayed: Annotated[int, Meta(description="How many.")]

    example: ClassVar[JSON] = {"replayed": 17}


class Ping(Value):
    """The receiver took the test: its HTTP status, and how long it took in milliseconds."""

    success: Annotated[bool, Meta(description="Whether it was taken.")]
    status_code: Annotated[int, Meta(description="The HTTP status that the receiver answered.")]
    response_time: Annotated[int, Meta(description="Milliseconds until the answer.")]
    event: Annotated[str, Meta(description="What was sent: `test.ping`.")]

    example: ClassVar[JSON] = {"success": True, "statusCode": 200, "responseTime": 54, "event": "test.ping"}


class Subject(Value):
    """What an event happened to."""

    type: Annotated[str, Meta(description="What kind of thing.")]
    id: Annotated[UUID, Meta(description="Which one.")]


class WebhookEnvelope(Value):
    """The body of a webhook: an event of the log, under the same ``id``, ``type`` and ``seq`` as there.

    It is sent at least once, and roughly in order: an event that had to be retried comes after later ones. ``id`` is
    also the ``webhook-id`` header and the same on every attempt, so a receiver that remembers ids can drop what it has
    had; ``seq`` says what came first. A ``test.ping`` is no event of the log and has no ``seq``; nor is a
    ``log.checkpoint_signed``, whose ``seq`` is that of the head that was signed.
    """

    id: Annotated[UUID, Meta(description="The event's id, the same on every attempt.")]
    type: Annotated[str, Meta(description="What kind it is.")]
    timestamp: Annotated[str, Meta(description="When it was written down.")]
    workspace_id: WorkspaceId
    seq: Annotated[int | None, Meta(description="Its place in the workspace's log; null for `test.ping`.")]
    subject: Annotated[Subject, Meta(description="What it happened to.")]
    data: Annotated[msgspec.Raw, Meta(description="What was asked for.")]
    erased: Annotated[
        bool | UnsetType,
        Meta(
            description="True where the person whom it is about was erased since: what is personal is gone from `data`."
        ),
    ] = UNSET
