"""An API key: who made it, what it may do, until when. The key and its hash are never in the log."""

from __future__ import annotations

import re
from typing import Annotated, Final, assert_never
from uuid import UUID

import msgspec
from msgspec import Meta

from domain.kernel import Command, Decider, Event, Refused, State, not_found
from domain.kernel.fields import Kept, kept
from domain.kernel.types import Moment, Name

RESOURCES: Final = (
    "contacts", "companies", "pipelines", "deals", "tasks", "notes", "calls", "interactions", "segments", "tags",
    "custom-fields", "custom-values", "objects", "object-records", "webhooks", "activities", "dashboard", "log",
    "jobs", "workspace", "api-keys", "users", "outbox", "access-log", "privacy",
)  # fmt: skip
"""What a scope can name. ``contacts:read``, ``contacts:write``; ``*`` is everything that the user's role allows."""

_SCOPE = re.compile(rf"\*|admin|({'|'.join(RESOURCES)}):(read|write)")


def scope(value: str) -> str:
    if not _SCOPE.fullmatch(value):
        known = ", ".join(f"{resource}:read, {resource}:write" for resource in RESOURCES)
        raise ValueError(f"must be *, admin or one of {known}")
    return value


def scopes(given: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(given) <= 50:
        raise ValueError("must have 1 to 50 entries")
    return tuple(sorted({scope(entry) for entry in given}))


KeyName = Annotated[Name, Meta(description="Its name.")]
KeyPrefix = Annotated[Name, Meta(description="How the key begins, for telling keys apart.")]
UserId = Annotated[UUID, Meta(description="The user.")]
Scopes = Annotated[
    tuple[str, ...],
    Kept(scopes),
    Meta(description="What it may do: `contacts:read`, `tags:write` …; `*` is all that its user may."),
]
ExpiresAt = Annotated[Moment, Meta(description="From when on it is refused; null: never.")]


class ApiKey(State):
    name: KeyName
    key_prefix: KeyPrefix
    user_id: UserId
    scopes: Scopes = ("*",)
    expires_at: ExpiresAt | None = None
    is_active: bool = True


class CreateApiKey(Command):
    name: KeyName
    key_prefix: KeyPrefix
    user_id: UserId
    scopes: Scopes = ("*",)
    expires_at: ExpiresAt | None = None


class RevokeApiKey(Command):
    """For good; the record stays, inactive."""


class ApiKeyCreated(Event, name="api_key.created", action="created"):
    """The key itself is not in it."""

    name: KeyName
    key_prefix: KeyPrefix
    user_id: UserId
    scopes: Scopes
    expires_at: ExpiresAt | None


class ApiKeyRevoked(Event, name="api_key.revoked", action="deleted"):
    """No request with the key is accepted from here on."""


ApiKeyCommand = CreateApiKey | RevokeApiKey
ApiKeyEvent = ApiKeyCreated | ApiKeyRevoked


def decide(command: ApiKeyCommand, key: ApiKey | None) -> list[ApiKeyEvent]:
    match command, key:
        case CreateApiKey(), None:
            return [ApiKeyCreated(**kept(command))]
        case CreateApiKey(), _:
            raise Refused("conflict", "This API key exists already.")
        case _, None:
            raise not_found("API key")
        case RevokeApiKey(), ApiKey():
            return [ApiKeyRevoked()] if key.is_active else []
        case never, _:
            assert_never(never)


def evolve(key: ApiKey | None, event: ApiKeyEvent) -> ApiKey | None:
    match event:
        case ApiKeyCreated():
            return ApiKey(
                name=event.name,
                key_prefix=event.key_prefix,
                user_id=event.user_id,
                scopes=event.scopes,
                expires_at=event.expires_at,
            )
        case ApiKeyRevoked():
            return None if key is None else msgspec.structs.replace(key, is_active=False)
        case never:
            assert_never(never)


API_KEY: Decider[ApiKeyCommand, ApiKeyEvent, ApiKey] = Decider(
    stream_type="api_key",
    state=ApiKey,
    commands=(CreateApiKey, RevokeApiKey),
    events=(ApiKeyCreated, ApiKeyRevoked),
    decide=decide,
    evolve=evolve,
)
