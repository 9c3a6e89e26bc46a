"""Webhook endpoints over HTTP.

No response with a secret in it is kept. What is kept under an idempotency key is the response without it; the secret is
put in on the way out, from where it is sealed, for the first request as for a repeated one.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec
from anyio import to_thread
from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, RawBody, RequestBody

from api.http.answers import Answer, Asked, Json, command, if_match, one, page, plain
from api.http.operation import errors, needs
from api.http.paging import page_request
from application import webhook as webhooks
from application import webhook_ping
from application.calling.services import Services
from domain.kernel import not_found
from domain.webhook import Webhook
from eventstore.database import reading
from eventstore.rows import Current
from eventstore.unit_of_work import Work
from projections import webhook as rows
from projections import webhook_delivery as deliveries
from schemas.webhook import NewWebhook, Ping, WebhookPatch, WebhookView
from schemas.wire.page import One, Page, PageRequest, page_meta

LATEST: Final = 20
"""Deliveries shown with an endpoint."""

_NOT_KEPT: Final = {"cache-control": "no-store"}


class WebhookController(Controller):
    path = "/webhooks"
    tags = ["Webhooks"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="listWebhooks",
        summary="List webhook endpoints",
        description="With the secret of each, for callers who may change webhooks.",
        opt=needs("webhooks:read"),
        responses=errors(),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_webhooks(
        self, services: NamedDependency[Services], request: Asked, wanted: NamedDependency[PageRequest]
    ) -> Json[Page[WebhookView]]:
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            found = rows.LISTING.fetch(conn, wanted)
            views = rows.views(conn, found.rows)
            secrets = webhooks.secrets(services, conn, caller, [view.id for view in views])
        shown = [_with_secret(view, secrets.get(view.id)) for view in views]
        answer = page(Page(data=shown, meta=page_meta(wanted, found.total, found.next_cursor)))
        answer.headers.update(_NOT_KEPT)
        return answer

    @post(
        "",
        operation_id="createWebhook",
        summary="Register a webhook endpoint",
        description=(
            "From here on it is sent the events it names (`contact.created`), those of a kind (`contact.*`) or all (`*`),"
            " signed as Standard Webhooks has it with the `secret` answered. The URL must be https and lead to a public"
            " address, unless the installation allows others."
        ),
        opt=needs(
            "webhooks:write",
            example={"url": "https://hooks.example.com/daybook", "events": ["contact.created", "tag.*"]},
        ),
        responses=errors("validation_failed"),
        sync_to_thread=True,
    )
    def create_webhook(
        self, services: NamedDependency[Services], request: Asked, body: RawBody, data: RequestBody[NewWebhook]
    ) -> Json[One[WebhookView]]:
        def work(unit: Work) -> Answer:
            webhook = webhooks.create(unit, services, data)
            return Answer(_view(webhook), webhook.version, 201, f"/api/v1/webhooks/{webhook.id}")

        return _secret_put_in(services, request, command(request, body, services, work))

    @get(
        "/{webhook_id:uuid}",
        operation_id="getWebhook",
        summary="Get one webhook endpoint with its latest deliveries",
        opt=needs("webhooks:read"),
        responses=errors("not_found"),
        sync_to_thread=True,
    )
    def get_webhook(
        self, services: NamedDependency[Services], request: Asked, webhook_id: FromPath[UUID]
    ) -> Json[One[WebhookView]]:
        with reading(services.pool, request.user.workspace_id) as conn:
            webhook = rows.WEBHOOKS.load(conn, [webhook_id]).get(webhook_id)
            if webhook is None:
                raise not_found("webhook")
            (view,) = rows.views(conn, [webhook])
            latest = deliveries.latest(conn, webhook_id, LATEST)
            secrets = webhooks.secrets(services, conn, request.user, [webhook_id])
        view = msgspec.structs.replace(_with_secret(view, secrets.get(webhook_id)), deliveries=latest)
        answer = one(request, view, webhook.version, alone=False)
        answer.headers.update(_NOT_KEPT)
        return answer

    @patch(
        "/{webhook_id:uuid}",
        operation_id="updateWebhook",
        summary="Change a webhook endpoint, or switch it on or off",
        description=(
            "Switching it off cancels its pending deliveries; they can be replayed later. Events that happen while it is"
            " off are not delivered."
        ),
        opt=needs("webhooks:write", example={"active": False}),
        responses=errors("not_found", "precondition_failed", "validation_failed"),
        sync_to_thread=True,
    )
    def update_webhook(
        self,
        services: NamedDependency[Services],
        request: Asked,
        body: RawBody,
        webhook_id: FromPath[UUID],
        data: RequestBody[WebhookPatch],
    ) -> Json[One[WebhookView]]:
        def work(unit: Work) -> Answer:
            webhook = webhooks.update(unit, services, webhook_id, data, if_match(request))
            return Answer(rows.views(unit.conn, [webhook])[0], webhook.version)

        return _secret_put_in(services, request, command(request, body, services, work))

    @delete(
        "/{webhook_id:uuid}",
        operation_id="deleteWebhook",
        summary="Delete a webhook endpoint",
        description="No further events are delivered; pending deliveries are cancelled.",
        opt=needs("webhooks:write"),
        responses=errors("not_found", "precondition_failed"),
        status_code=204,
        sync_to_thread=True,
    )
    def delete_webhook(
        self, services: NamedDependency[Services], request: Asked, webhook_id: FromPath[UUID]
    ) -> Response[None]:
        def work(unit: Work) -> Answer:
            webhooks.delete(unit, webhook_id, if_match(request))
            return Answer(status=204)

        return command(request, b"", services, work)

    @post(
        "/{webhook_id:uuid}/test",
        operation_id="testWebhook",
        summary="Send a test event at once",
        description="A `test.ping`, signed as any other; whether or not the endpoint is active. It is not repeated.",
        opt=needs("webhooks:write"),
        responses=errors("not_found", "delivery_failed"),
        status_code=200,
    )
    async def test_webhook(
        self, services: NamedDependency[Services], request: Asked, webhook_id: FromPath[UUID]
    ) -> Json[Ping]:
        workspace_id = request.user.workspace_id
        endpoint = await to_thread.run_sync(webhook_ping.endpoint, services, workspace_id, webhook_id)
        return plain(await webhook_ping.ping(services, workspace_id, webhook_id, endpoint))

    @post(
        "/{webhook_id:uuid}/rotate-secret",
        operation_id="rotateWebhookSecret",
        summary="Give a webhook endpoint a new secret",
        description=(
            "The old one goes on signing beside it for 24 hours: `webhook-signature` has both signatures, separated by a"
            " space. A repeated request under the same `Idempotency-Key` rotates once and answers the present secret."
        ),
        opt=needs("webhooks:write", repeatable=True),
        responses=errors("not_found", "precondition_failed"),
        status_code=200,
        sync_to_thread=True,
    )
    def rotate_secret(
        self, services: NamedDependency[Services], request: Asked, webhook_id: FromPath[UUID]
    ) -> Json[One[WebhookView]]:
        def work(unit: Work) -> Answer:
            webhook = webhooks.rotate_secret(unit, services, webhook_id, if_match(request))
            return Answer(rows.views(unit.conn, [webhook])[0], webhook.version)

        return _secret_put_in(services, request, command(request, b"", services, work))


def _view(webhook: Current[Webhook]) -> WebhookView:
    """A new endpoint, that was never sent anything."""
    return WebhookView(**rows.fields(webhook, rows.Health()))


def _with_secret(view: WebhookView, secret: str | None) -> WebhookView:
    return view if secret is None else msgspec.structs.replace(view, secret=secret)


def _secret_put_in(services: Services, request: Asked, answer: Json[Any]) -> Json[Any]:
    """The answer with the endpoint's present secret; without one where it was deleted since."""
    body = msgspec.json.decode(answer.content)
    webhook_id = UUID(body["data"]["id"])
    with reading(services.pool, request.user.workspace_id) as conn:
        secrets = webhooks.secrets(services, conn, request.user, [webhook_id])
    if webhook_id in secrets:
        body["data"]["secret"] = secrets[webhook_id]
    headers: dict[str, str] = {**answer.headers, **_NOT_KEPT}
    return plain(body, answer.status_code or 200, headers)
