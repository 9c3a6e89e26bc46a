"""Webhook endpoints: made with a secret that only its own table keeps, changed, switched off, and deleted."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Final, LiteralString
from urllib.parse import urlsplit
from uuid import UUID

from msgspec import UNSET

from application.calling.caller import Caller
from application.calling.secretbox import SecretBox
from application.calling.services import Services
from domain.catalogue import EVENTS
from domain.kernel import Refused, invalid, not_found, values
from domain.kernel.check import Check
from domain.webhook import (
    WEBHOOK,
    CreateWebhook,
    DeleteWebhook,
    DisabledReason,
    DisableWebhook,
    RotateWebhookSecret,
    UpdateWebhook,
    Webhook,
    patterns,
)
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from gateways.address import may_be_public
from gateways.webhook_signature import new_secret, sealing_context
from projections import webhook as rows
from projections import webhook_delivery as deliveries
from schemas.verification import CHECKPOINT_SIGNED
from schemas.webhook import DeliveryView, NewWebhook, ReplayRange, WebhookPatch

PING: Final = "test.ping"
"""An event that is in no log: it is sent on demand. Subscribing to it changes nothing, and is no error."""

OVERLAP_HOURS: Final = 24
MOST_SIGNING: Final = 5
"""Secrets that sign side by side; of more rotations within a day the oldest drop out."""

_NAMES: Final = frozenset({*EVENTS, CHECKPOINT_SIGNED})
_NOUNS: Final = frozenset(name.split(".")[0] for name in _NAMES)

_KEEP: Final[LiteralString] = """
    INSERT INTO webhook_secrets (workspace_id, webhook_id, id, sealed, created_at)
    VALUES (%s, %s, %s, %s, clock_timestamp())
"""
_RETIRE: Final[LiteralString] = """
    UPDATE webhook_secrets SET expires_at = now() + make_interval(hours => %s)
    WHERE workspace_id = %s AND webhook_id = %s AND expires_at IS NULL
"""
_FORGET_OLD: Final[LiteralString] = """
    DELETE FROM webhook_secrets WHERE workspace_id = %s AND webhook_id = %s AND (
        expires_at <= now() OR id NOT IN (
            SELECT id FROM webhook_secrets WHERE workspace_id = %s AND webhook_id = %s
            ORDER BY created_at DESC LIMIT %s))
"""
_FORGET_ALL: Final[LiteralString] = """
    DELETE FROM webhook_secrets WHERE workspace_id = %s AND webhook_id = %s
"""
_FORGET_HEALTH: Final[LiteralString] = """
    DELETE FROM webhook_health WHERE workspace_id = %s AND webhook_id = %s
"""
_NEW_CHANCE: Final[LiteralString] = """
    UPDATE webhook_health SET failing_since = NULL WHERE workspace_id = %s AND webhook_id = %s
"""


def known_events(given: tuple[str, ...]) -> tuple[str, ...]:
    """Event names and patterns that can come to match something; the error names the first that cannot."""
    kept = patterns(given)
    for entry in kept:
        noun, _, verb = entry.partition(".")
        if entry not in ("*", PING) and entry not in _NAMES and not (verb == "*" and noun in _NOUNS):
            raise ValueError(f"{entry[:64]!r} is not an event")
    return kept


def receiver_url(services: Services, given: str) -> str:
    """Where this installation may send events: by https to the public internet, unless it allows more."""
    if services.allow_private_webhooks:
        return values.web_url(given)
    kept = values.web_url(given, ("https",))
    if not may_be_public(urlsplit(kept).hostname or ""):
        raise ValueError("must lead to the public internet, not to a private, loopback or link-local address")
    return kept


def _check(services: Services, form: NewWebhook | WebhookPatch) -> None:
    """What the domain cannot say: where this installation may send events, and which events there are."""
    check = Check()
    check.given("url", partial(receiver_url, services), form.url)
    check.given("events", known_events, form.events)
    check.done()


def create(unit: Work, services: Services, form: NewWebhook) -> Current[Webhook]:
    """A new endpoint, with a secret that its deliveries are signed with."""
    _check(services, form)
    webhook_id = new_id()
    command = CreateWebhook(
        url=form.url,
        events=form.events,
        active=form.active,
        description=form.description,
        allow_http=services.allow_private_webhooks,
    )
    webhook = unit.begin(WEBHOOK, webhook_id, command)
    _issue(unit, services.box, webhook_id)
    return webhook


def update(
    unit: Work, services: Services, webhook_id: UUID, form: WebhookPatch, if_version: int | None = None
) -> Current[Webhook]:
    """Changes the given fields. Switched off, its pending deliveries are cancelled; switched on, it starts afresh."""
    _check(services, form)
    command = UpdateWebhook(
        url=form.url,
        events=form.events,
        active=form.active,
        description=form.description,
        allow_http=services.allow_private_webhooks,
    )
    unit.execute(WEBHOOK, webhook_id, command, if_version=if_version)
    webhook = unit.get(WEBHOOK, webhook_id)
    if not webhook.state.active:
        deliveries.cancel_pending(unit.conn, webhook_id)
    elif form.active is True or form.url is not UNSET:
        unit.conn.execute(_NEW_CHANCE, (unit.origin.workspace_id, webhook_id))
    return webhook


def rotate_secret(unit: Work, services: Services, webhook_id: UUID, if_version: int | None = None) -> Current[Webhook]:
    """A new secret. The one before goes on signing beside it for a day, so that receivers can change over."""
    workspace_id = unit.origin.workspace_id
    unit.execute(WEBHOOK, webhook_id, RotateWebhookSecret(), if_version=if_version)
    unit.conn.execute(_RETIRE, (OVERLAP_HOURS, workspace_id, webhook_id))
    _issue(unit, services.box, webhook_id)
    unit.conn.execute(_FORGET_OLD, (workspace_id, webhook_id, workspace_id, webhook_id, MOST_SIGNING))
    return unit.get(WEBHOOK, webhook_id)


def disable(unit: Work, webhook_id: UUID, reason: DisabledReason) -> None:
    """Switches an endpoint off on Daybook's own account; one that is off or gone already stays as it is."""
    if unit.load(WEBHOOK, [webhook_id]):
        unit.execute(WEBHOOK, webhook_id, DisableWebhook(reason=reason))
        deliveries.cancel_pending(unit.conn, webhook_id)


def delete(unit: Work, webhook_id: UUID, if_version: int | None = None) -> None:
    unit.execute(WEBHOOK, webhook_id, DeleteWebhook(), if_version=if_version)
    deliveries.cancel_pending(unit.conn, webhook_id)
    unit.conn.execute(_FORGET_ALL, (unit.origin.workspace_id, webhook_id))
    unit.conn.execute(_FORGET_HEALTH, (unit.origin.workspace_id, webhook_id))


def _issue(unit: Work, box: SecretBox, webhook_id: UUID) -> None:
    workspace_id = unit.origin.workspace_id
    sealed = box.seal(new_secret().encode(), sealing_context(workspace_id, webhook_id))
    unit.conn.execute(_KEEP, (workspace_id, webhook_id, new_id(), sealed))


def secrets(services: Services, conn: Db, caller: Caller, ids: Sequence[UUID]) -> dict[UUID, str]:
    """The present secrets of these endpoints, opened; of none where the caller may not change webhooks."""
    if not caller.may("webhooks:write"):
        return {}
    return {
        webhook_id: services.box.open(sealed, sealing_context(caller.workspace_id, webhook_id)).decode()
        for webhook_id, sealed in rows.sealed_secrets(conn, ids).items()
    }


def replay_one(unit: Work, webhook_id: UUID, delivery_id: UUID) -> DeliveryView:
    """Sends one delivery again, whatever became of it."""
    _check_active(unit, webhook_id)
    found = deliveries.replay_one(unit.conn, webhook_id, delivery_id)
    if found is None:
        raise not_found("delivery")
    return found


def replay_range(unit: Work, webhook_id: UUID, wanted: ReplayRange) -> int:
    """Sends many deliveries again; answers how many."""
    check = Check()
    for name, at in (("since", wanted.since), ("until", wanted.until)):
        if at is not None and at.tzinfo is None:
            check.fail(name, "must have a time zone, such as 2026-03-15T00:00:00Z")
    check.done()
    if wanted.since is None and wanted.until is None and wanted.status is None:
        raise invalid("since", "or until or status must be given")
    _check_active(unit, webhook_id)
    return deliveries.replay_range(unit.conn, webhook_id, wanted)


def _check_active(unit: Work, webhook_id: UUID) -> None:
    if not unit.get(WEBHOOK, webhook_id).state.active:
        raise Refused("conflict", "This webhook is switched off; set active to true before replaying deliveries.")
