"""API keys over HTTP."""

from __future__ import annotations

from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, RequestBody

from api.http.answers import Answer, Asked, Json, command, page, plain
from api.http.operation import errors, needs
from api.http.paging import page_request
from application import identity
from application.calling.services import Services
from domain.user import USER
from eventstore.database import reading
from eventstore.unit_of_work import Work
from projections import identity as rows
from projections.api_key import LISTING
from schemas.identity import ApiKeyCreated, ApiKeyView, NewApiKey
from schemas.wire.page import One, Page, PageRequest, page_meta


class ApiKeyController(Controller):
    path = "/api-keys"
    tags = ["API keys"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="listApiKeys",
        summary="List the workspace's API keys",
        description="Revoked keys stay listed, with `isActive` false.",
        opt=needs("api-keys:read"),
        responses=errors(),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_keys(
        self, services: NamedDependency[Services], request: Asked, wanted: NamedDependency[PageRequest]
    ) -> Json[Page[ApiKeyView]]:
        workspace_id = request.user.workspace_id
        with reading(services.pool, workspace_id) as conn:
            found = LISTING.fetch(conn, wanted)
            views = rows.api_keys(conn, workspace_id, found.rows)
        return page(Page(data=views, meta=page_meta(wanted, found.total, found.next_cursor)))

    @post(
        "",
        operation_id="createApiKey",
        summary="Create an API key",
        description=(
            "`rawKey` is answered this once. The key acts with its creator's role, in any workspace of theirs that"
            " `X-Workspace-Id` names. A repeated request makes another key: no response with a key in it is kept."
        ),
        opt=needs(
            "api-keys:write",
            example={
                "name": "Web shop",
                "scopes": ["contacts:write", "tags:read"],
                "expiresAt": "2027-03-15T00:00:00Z",
            },
            headers=("Daybook-Seq",),
        ),
        responses=errors("validation_failed"),
        sync_to_thread=True,
    )
    def create_key(
        self, services: NamedDependency[Services], request: Asked, data: RequestBody[NewApiKey]
    ) -> Json[One[ApiKeyCreated]]:
        caller = request.user

        def work(unit: Work) -> ApiKeyCreated:
            key, raw = identity.create_api_key(unit, caller, data.name, data.scopes, data.expires_at)
            creator = unit.load(USER, [caller.account_id]).get(caller.account_id)
            fields = rows.api_key_fields(caller.workspace_id, key, creator, None)
            return ApiKeyCreated(**fields, raw_key=raw)

        done = services.store.run(caller.origin(), work)
        return plain({"data": done.value}, 201, {"cache-control": "no-store", "daybook-seq": str(done.seq)})

    @delete(
        "/{key_id:uuid}",
        operation_id="revokeApiKey",
        summary="Revoke an API key",
        description="From the answer on, no request with the key is accepted.",
        opt=needs("api-keys:write"),
        responses=errors("not_found"),
        status_code=204,
        sync_to_thread=True,
    )
    def revoke_key(self, services: NamedDependency[Services], request: Asked, key_id: FromPath[UUID]) -> Response[None]:
        def work(unit: Work) -> Answer:
            identity.revoke_api_key(unit, key_id)
            return Answer(status=204)

        return command(request, b"", services, work)
