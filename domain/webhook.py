"""A webhook endpoint: where to send which events. Its signing secret is never in the log."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final, Literal, assert_never

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, not_found, values
from domain.kernel.changes import applied, difference
from domain.kernel.check import Check
from domain.kernel.fields import Kept, kept
from domain.kernel.types import Line

MAX_PATTERNS: Final = 100
DisabledReason = Literal["gone", "failing"]

_PATTERN = re.compile(r"\*|[a-z][a-z_]*\.(\*|[a-z][a-z_]*)")


def patterns(given: tuple[str, ...]) -> tuple[str, ...]:
    """Event names, ``contact.*`` or ``*``; each once, sorted. Whether a name is known is for the catalogue to say."""
    if not 1 <= len(given) <= MAX_PATTERNS:
        raise ValueError(f"must name 1 to {MAX_PATTERNS} events")
    for entry in given:
        if not _PATTERN.fullmatch(entry):
            raise ValueError(f"{entry[:64]!r} must be an event name such as contact.created, contact.* or *")
    return tuple(sorted(set(given)))


Address = Annotated[str, Kept(values.web_url), Meta(description="Where to send events: an absolute `https` URL.")]
Events = Annotated[
    tuple[str, ...],
    Kept(patterns),
    Meta(description="The events it is sent: by name, all of a kind (`contact.*`), or all (`*`)."),
]
Active = Annotated[bool, Meta(description="Whether it is sent anything.")]
Description = Annotated[Line, Meta(description="What it is for, in your words.")]
WhyDisabled = Annotated[DisabledReason, Meta(description="Why Daybook itself switched it off; null if it did not.")]


class WebhookDetails(Value):
    url: Address
    events: Events
    active: Active
    description: Description | None


class WebhookChanges(Value):
    """The fields of a webhook endpoint that can change."""

    url: Address | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    active: Active | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    disabled_reason: WhyDisabled | UnsetType | None = UNSET


class Webhook(WebhookDetails, State):
    disabled_reason: DisabledReason | None = None
    """Why Daybook itself switched it off: the receiver said 410 Gone, or failed for five days."""


class CreateWebhook(Command):
    url: Address
    events: Events
    active: Active = True
    description: Description | None = None
    allow_http: bool = False


class UpdateWebhook(Command):
    url: Address | UnsetType = UNSET
    events: Events | UnsetType = UNSET
    active: Active | UnsetType = UNSET
    description: Description | UnsetType | None = UNSET
    allow_http: bool = False


class RotateWebhookSecret(Command):
    """The old secret goes on signing beside the new one for a while."""


class DisableWebhook(Command):
    reason: DisabledReason


class DeleteWebhook(Command):
    """No further events are delivered."""


class WebhookCreated(WebhookDetails, Event, name="webhook.created", action="created"):
    """An endpoint was registered. Its secret is not in it."""


class WebhookUpdated(Event, name="webhook.updated", action="updated"):
    """The endpoint was changed."""

    changed: WebhookChanges
    previous: WebhookChanges


class WebhookSecretRotated(Event, name="webhook.secret_rotated", action="updated"):
    """By whom and when is in the event's metadata."""


class WebhookDisabled(Event, name="webhook.disabled", action="updated"):
    """Daybook itself switched the endpoint off."""

    reason: Annotated[
        DisabledReason, Meta(description="`gone`: the receiver answered 410. `failing`: it failed for days.")
    ]


class WebhookDeleted(Event, name="webhook.deleted", action="deleted"):
    """Where it pointed to is in the events before."""


WebhookCommand = CreateWebhook | UpdateWebhook | RotateWebhookSecret | DisableWebhook | DeleteWebhook
WebhookEvent = WebhookCreated | WebhookUpdated | WebhookSecretRotated | WebhookDisabled | WebhookDeleted


def matches(pattern: str, event_name: str) -> bool:
    """Whether an endpoint that asked for ``pattern`` gets ``event_name``."""
    return pattern in ("*", event_name) or (pattern.endswith(".*") and event_name.startswith(pattern[:-1]))


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
    fields = _fields(command)
    return WebhookCreated(**fields)


def _updated(command: UpdateWebhook, webhook: Webhook) -> list[WebhookEvent]:
    wanted = _fields(command)
    if command.active is True:
        wanted["disabled_reason"] = None
    changed, previous = difference(wanted, webhook)
    return [WebhookUpdated(changed=WebhookChanges(**changed), previous=WebhookChanges(**previous))] if changed else []


def _fields(command: CreateWebhook | UpdateWebhook) -> dict[str, Any]:
    """The given fields as they are kept. Plain http takes a command that allows it."""
    check = Check()
    fields = kept(command, check)
    url = fields.get("url")
    if not fields.pop("allow_http") and isinstance(url, str) and not url.startswith("https:"):
        check.fail("url", "must be an absolute https URL")
    check.done()
    return fields


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
