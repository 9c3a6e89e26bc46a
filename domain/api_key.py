"""An API key: who made it, what it may do, until when. The key and its hash are never in the log."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, assert_never
from uuid import UUID

import msgspec

from domain.kernel import Command, Decider, Event, Refused, State, not_found, values
from domain.kernel.check import Check

RESOURCES: Final = ("contacts", "tags", "webhooks", "activities", "log", "jobs", "workspace", "api-keys")
"""What a scope can name. ``contacts:read``, ``contacts:write``; ``*`` is everything that the user's role allows."""

_SCOPE = re.compile(rf"\*|admin|({'|'.join(RESOURCES)}):(read|write)")


class ApiKey(State):
    name: str
    key_prefix: str
    user_id: UUID
    scopes: tuple[str, ...] = ("*",)
    expires_at: datetime | None = None
    is_active: bool = True


class CreateApiKey(Command):
    name: str
    key_prefix: str
    user_id: UUID
    scopes: tuple[str, ...] = ("*",)
    expires_at: datetime | None = None


class RevokeApiKey(Command):
    """For good; the record stays, inactive."""


class ApiKeyCreated(Event, name="api_key.created", action="created"):
    name: str
    key_prefix: str
    user_id: UUID
    scopes: tuple[str, ...]
    expires_at: datetime | None


class ApiKeyRevoked(Event, name="api_key.revoked", action="deleted"):
    """No request with the key is accepted from here on."""


ApiKeyCommand = CreateApiKey | RevokeApiKey
ApiKeyEvent = ApiKeyCreated | ApiKeyRevoked


def scope(value: str) -> str:
    if not _SCOPE.fullmatch(value):
        known = ", ".join(f"{resource}:read, {resource}:write" for resource in RESOURCES)
        raise ValueError(f"must be *, admin or one of {known}")
    return value


def scopes(given: tuple[str, ...]) -> tuple[str, ...]:
    if not 1 <= len(given) <= 50:
        raise ValueError("must have 1 to 50 entries")
    return tuple(sorted({scope(entry) for entry in given}))


def decide(command: ApiKeyCommand, key: ApiKey | None) -> list[ApiKeyEvent]:
    match command, key:
        case CreateApiKey(), None:
            check = Check()
            name = check.field("name", values.text, command.name)
            allowed = check.field("scopes", scopes, command.scopes)
            if command.expires_at is not None and command.expires_at.tzinfo is None:
                check.fail("expiresAt", "must have a time zone, such as 2027-01-31T00:00:00Z")
            check.done()
            created = ApiKeyCreated(
                name=name or "",
                key_prefix=command.key_prefix,
                user_id=command.user_id,
                scopes=allowed or (),
                expires_at=command.expires_at,
            )
            return [created]
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
