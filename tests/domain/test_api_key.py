"""Rules of API keys."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest

from domain.api_key import API_KEY, ApiKey, ApiKeyCreated, ApiKeyRevoked, CreateApiKey, RevokeApiKey, scope
from tests.language import given

USER = UUID("018f0000-0000-7000-8000-000000000001")
NEW_YEAR = datetime(2027, 1, 1, tzinfo=UTC)
created = ApiKeyCreated(name="Import", key_prefix="dbk_4fzz", user_id=USER, scopes=("*",), expires_at=None)


def create(name: str = "Import", scopes: tuple[str, ...] = ("*",), expires_at: datetime | None = None) -> CreateApiKey:
    return CreateApiKey(name=name, key_prefix="dbk_4fzz", user_id=USER, scopes=scopes, expires_at=expires_at)


def test_a_key_may_do_everything_unless_scopes_narrow_it() -> None:
    state = given(API_KEY).when(create()).then(created)
    assert state == ApiKey(name="Import", key_prefix="dbk_4fzz", user_id=USER, scopes=("*",))


def test_scopes_are_kept_once_each_and_sorted() -> None:
    events = given(API_KEY).when(create(scopes=("tags:read", "contacts:write", "tags:read"))).events
    assert [event.scopes for event in events if isinstance(event, ApiKeyCreated)] == [("contacts:write", "tags:read")]


def test_an_expiry_is_kept() -> None:
    state = given(API_KEY).when(create(expires_at=NEW_YEAR)).state
    assert state is not None
    assert state.expires_at == NEW_YEAR


def test_an_expiry_has_a_time_zone() -> None:
    given(API_KEY).when(create(expires_at=datetime(2027, 1, 1))).refused(  # noqa: DTZ001 - what is refused
        "validation_failed", field="expiresAt", says="time zone"
    )


@pytest.mark.parametrize(
    "wrong", ["contacts", "contacts:", "contacts:delete", "contact:read", "**", "*\n", "admin:read", ""]
)
def test_an_unknown_scope_is_refused(wrong: str) -> None:
    given(API_KEY).when(create(scopes=("contacts:read", wrong))).refused("validation_failed", field="scopes")


@pytest.mark.parametrize("known", ["*", "admin", "contacts:read", "api-keys:write"])
def test_a_known_scope_is_kept(known: str) -> None:
    assert scope(known) == known


def test_a_key_has_a_name_and_a_scope() -> None:
    given(API_KEY).when(create(name="", scopes=())).refused("validation_failed", fields=["name", "scopes"])


def test_a_revoked_key_stays_as_a_record() -> None:
    state = given(API_KEY, created).when(RevokeApiKey()).then(ApiKeyRevoked())
    assert state is not None
    assert not state.is_active
    assert state.name == "Import"


def test_a_key_is_revoked_once() -> None:
    given(API_KEY, created, ApiKeyRevoked()).when(RevokeApiKey()).nothing()
    given(API_KEY).when(RevokeApiKey()).refused("not_found")


def test_a_key_is_created_once() -> None:
    given(API_KEY, created).when(create()).refused("conflict")
