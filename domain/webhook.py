"""A webhook endpoint: where to send which events. Its signing secret is never in the log."""

from __future__ import annotations

import re
from typing import Final, Literal, assert_never

import msgspec
from msgspec import UNSET, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found, values
from domain.kernel.changes import applied, difference
from domain.kernel.check import Check

MAX_PATTERNS: Final = 100
DisabledReason = Literal["gone", "failing"]

_PATTERN = re.compile(r"\*|[a-z][a-z_]*\.(\*|[a-z][a-z_]*)")


class Webhook(State):
    url: str
    events: tuple[str, ...]
    active: bool = True
    description: str | None = None
    disabled_reason: DisabledReason | None = None
    """Why Daybook itself switched it off: the receiver said 410 Gone, or failed for five days."""


class CreateWebhook(Command):
    url: str
    events: tuple[str, ...]
    active: bool = True
    description: str | None = None
    allow_http: bool = False


class UpdateWebhook(Command):
    url: str | UnsetType = UNSET
    events: tuple[str, ...] | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    allow_http: bool = False


class RotateWebhookSecret(Command):
    """The old secret goes on signing beside the new one for a while."""


class DisableWebhook(Command):
    reason: DisabledReason


class DeleteWebhook(Command):
    """No further events are delivered."""


class WebhookChanges(Value):
    url: str | UnsetType = UNSET
    events: tuple[str, ...] | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    description: str | UnsetType | None = UNSET
    disabled_reason: DisabledReason | UnsetType | None = UNSET


class WebhookCreated(Event, name="webhook.created", action="created"):
    url: str
    events: tuple[str, ...]
    active: bool
    description: str | None


class WebhookUpdated(Event, name="webhook.updated", action="updated"):
    changed: WebhookChanges
    previous: WebhookChanges


class WebhookSecretRotated(Event, name="webhook.secret_rotated", action="updated"):
    """By whom and when is in the event's metadata."""


class WebhookDisabled(Event, name="webhook.disabled", action="updated"):
    reason: DisabledReason


class WebhookDeleted(Event, name="webhook.deleted", action="deleted"):
    """Where it pointed to is in the events before."""


WebhookCommand = CreateWebhook | UpdateWebhook | RotateWebhookSecret | DisableWebhook | DeleteWebhook
WebhookEvent = WebhookCreated | WebhookUpdated | WebhookSecretRotated | WebhookDisabled | WebhookDeleted


def patterns(given: tuple[str, ...]) -> tuple[str, ...]:
    """Event names, ``contact.*`` or ``*``; each once, sorted. Whether a name is known is for the catalogue to say."""
    if not 1 <= len(given) <= MAX_PATTERNS:
        raise ValueError(f"must name 1 to {MAX_PATTERNS} events")
    for entry in given:
        if not _PATTERN.fullmatch(entry):
            raise ValueError(f"{entry[:64]!r} must be an event name such as contact.created, contact.* or *")
    return tuple(sorted(set(given)))


def matches(pattern: str, event_name: str) -> bool:
    """Whether an endpoint that asked for ``pattern`` gets ``event_name``."""
    return pattern in ("*", event_name) or (pattern.endswith(".*") and event_name.startswith(pattern[:-1]))


def _url(allow_http: bool) -> tuple[str, ...]:
    return ("https", "http") if allow_http else ("https",)


def decide(command: WebhookCommand, webhook: Webhook | None) -> list[WebhookEvent]:
    match command, webhook:
        case CreateWebhook(), None:
            return [_created(command)]
        case CreateWebhook(), _:
            raise Refused("conflict", "This webhook exists already.")
        case _, None:
            raise not_found("webhook")
        case UpdateWebhook(), Webhook():
            return _updated(command, webhook)
        case RotateWebhookSecret(), Webhook():
            return [WebhookSecretRotated()]
        case DisableWebhook(reason=reason), Webhook(active=active):
            return [WebhookDisabled(reason=reason)] if active else []
        case DeleteWebhook(), Webhook():
            return [WebhookDeleted()]
        case never, _:
            assert_never(never)


def _created(command: CreateWebhook) -> WebhookCreated:
    check = Check()
    url = check.field("url", lambda value: values.web_url(value, _url(command.allow_http)), command.url)
    events = check.field("events", patterns, command.events)
    description = check.optional("description", values.text_or_none, command.description)
    check.done()
    return WebhookCreated(url=url or "", events=events or (), active=command.active, description=description)


def _updated(command: UpdateWebhook, webhook: Webhook) -> list[WebhookEvent]:
    check = Check()
    wanted: dict[str, object] = {
        "url": check.given("url", lambda value: values.web_url(value, _url(command.allow_http)), command.url),
        "events": check.given("events", patterns, command.events),
        "active": command.active,
        "description": check.given("description", values.text_or_none, command.description),
    }
    check.done()
    if command.active is True:
        wanted["disabled_reason"] = None
    changed, previous = difference({name: value for name, value in wanted.items() if value is not UNSET}, webhook)
    return [WebhookUpdated(changed=WebhookChanges(**changed), previous=WebhookChanges(**previous))] if changed else []


def evolve(webhook: Webhook | None, event: WebhookEvent) -> Webhook | None:
    match event, webhook:
        case WebhookCreated(url=url, events=events, active=active, description=description), _:
            return Webhook(url=url, events=events, active=active, description=description)
        case WebhookDeleted(), _:
            return None
        case _, None:
            return None
        case WebhookUpdated(changed=changed), Webhook():
            return applied(webhook, changed)
        case WebhookSecretRotated(), Webhook():
            return webhook
        case WebhookDisabled(reason=reason), Webhook():
            return msgspec.structs.replace(webhook, active=False, disabled_reason=reason)
        case never, _:
            assert_never(never)


WEBHOOK: Decider[WebhookCommand, WebhookEvent, Webhook] = Decider(
    stream_type="webhook",
    state=Webhook,
    commands=(CreateWebhook, UpdateWebhook, RotateWebhookSecret, DisableWebhook, DeleteWebhook),
    events=(WebhookCreated, WebhookUpdated, WebhookSecretRotated, WebhookDisabled, WebhookDeleted),
    decide=decide,
    evolve=evolve,
)
