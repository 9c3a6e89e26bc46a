"""API keys: their hash in the directory, and then what happened in the workspace's log."""

from __future__ import annotations

import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from uuid import UUID

from application.calling import directory
from application.calling.caller import Caller
from application.calling.services import Services
from application.identity import hashed
from domain import api_key
from domain.api_key import API_KEY, ApiKey, CreateApiKey, RevokeApiKey
from domain.kernel import Refused, invalid
from domain.user import USER, User
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.unit_of_work import Done
from eventstore.work import Work

KEY_PREFIX: Final = "dbk_"


@dataclass(frozen=True)
class MadeKey:
    """A new key of a user's, and the key itself, which nothing keeps."""

    key: Current[ApiKey]
    creator: Current[User] | None
    raw: str = field(repr=False)


def create_api_key(
    services: Services,
    caller: Caller,
    name: str,
    scopes: tuple[str, ...] = ("*",),
    expires_at: datetime | None = None,
) -> Done[MadeKey]:
    """A new key of the caller's. It may do no more than the caller may."""
    _no_more_than(caller, scopes)
    raw = KEY_PREFIX + secrets.token_urlsafe(32)
    key_id = new_id()
    command = CreateApiKey(
        name=name, key_prefix=raw[:12], user_id=caller.account_id, scopes=scopes, expires_at=expires_at
    )

    def work(unit: Work) -> MadeKey:
        if expires_at is not None and expires_at.tzinfo is not None and expires_at <= unit.now:
            raise invalid("expiresAt", "must be in the future")
        key = unit.begin(API_KEY, key_id, command)
        return MadeKey(key, unit.load(USER, [caller.account_id]).get(caller.account_id), raw)

    directory.add_key(services.directory, hashed(raw), caller.workspace_id, key_id, caller.account_id)
    try:
        done = services.store.run(caller.origin(), work)
    except Refused:
        directory.remove_key(services.directory, hashed(raw))
        raise
    directory.settle_key(services.directory, hashed(raw))
    return done


def _no_more_than(caller: Caller, scopes: tuple[str, ...]) -> None:
    held = set(caller.scopes)
    if held & {"*", "admin"}:
        return
    for scope in scopes:
        try:
            known = ":" in api_key.scope(scope)
        except ValueError as error:
            raise invalid("scopes", str(error)) from None
        if not known or not caller.may(scope):
            raise invalid("scopes", f"{scope[:64]} is more than you may do yourself")


def revoke_api_key(unit: Work, key_id: UUID) -> None:
    """No request with the key is accepted once this is committed, whatever the directory has; twice is no error."""
    unit.execute(API_KEY, key_id, RevokeApiKey())


def last_used(services: Services, caller: Caller) -> dict[UUID, datetime | None]:
    """When each key of the caller's workspace was last used."""
    return directory.last_used(services.directory, caller.workspace_id)
