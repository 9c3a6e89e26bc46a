"""API keys over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask
from api.http.routes import delete, get, post
from application import api_key as api_keys
from projections import identity as rows
from projections.api_key import LISTING
from schemas.identity import ApiKeyCreated, ApiKeyView, NewApiKey
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {"name": "Web shop", "scopes": ["contacts:write", "tags:read"], "expiresAt": "2027-03-15T00:00:00Z"}


class ApiKeyController(Controller):
    path = "/api-keys"
    tags = ["API keys"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listApiKeys", summary="List the workspace's API keys", scope="api-keys:read")
    def list_keys(self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest]) -> Json[Page[ApiKeyView]]:
        """Revoked and expired keys stay listed, with `isActive` false."""
        used = api_keys.last_used(ask.services, ask.caller)
        return ask.many(LISTING, wanted, lambda conn, keys: rows.api_keys(conn, keys, used))

    @post(
        operation_id="createApiKey",
        summary="Create an API key",
        scope="api-keys:write",
        example=_NEW,
        headers=("Daybook-Seq",),
    )
    def create_key(self, ask: NamedDependency[Ask], data: RequestBody[NewApiKey]) -> Json[One[ApiKeyCreated]]:
        """`rawKey` is answered this once. The key acts with its creator's role, in any workspace of theirs that
        `X-Workspace-Id` names. A repeated request makes another key: no response with a key in it is kept.
        """
        done = api_keys.create_api_key(ask.services, ask.caller, data.name, data.scopes, data.expires_at)
        made = done.value
        fields = rows.api_key_fields(ask.caller.workspace_id, made.key, made.creator, None)
        created = ApiKeyCreated(**fields, raw_key=made.raw)
        return ask.told(created, 201, {"daybook-seq": str(done.seq)})

    @delete("/{key_id:uuid}", operation_id="revokeApiKey", summary="Revoke an API key", scope="api-keys:write")
    def revoke_key(self, act: NamedDependency[Act], key_id: FromPath[UUID]) -> Json[None]:
        """From the answer on, no request with the key is accepted."""
        return act.done(lambda unit: api_keys.revoke_api_key(unit, key_id))
