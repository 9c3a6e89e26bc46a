"""Webhook endpoints over HTTP.

No response with a secret in it is kept. What is kept under an idempotency key is the response without it; the secret is
put in on the way out, from where it is sealed, for the first request as for a repeated one.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json, plain
from api.http.ask import Act, Ask, Change
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from api.http.turns import in_turn
from application import webhook as webhooks
from application import webhook_ping
from domain.webhook import Webhook
from eventstore.database import Db
from eventstore.rows import Current
from eventstore.work import Work
from projections import webhook as rows
from projections import webhook_delivery as deliveries
from schemas.webhook import NewWebhook, Ping, WebhookPatch, WebhookView
from schemas.wire.page import One, Page, PageRequest

LATEST: Final = 20
"""Deliveries shown with an endpoint."""

_NEW: Final = {"url": "https://hooks.example.com/daybook", "events": ["contact.created", "tag.*"]}


class WebhookController(Controller):
    path = "/webhooks"
    tags = ["Webhooks"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listWebhooks", summary="List webhook endpoints", scope="webhooks:read")
    def list_webhooks(self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest]) -> Json[Page[WebhookView]]:
        """With the secret of each, for callers who may change webhooks."""

        def views(conn: Db, found: Sequence[Current[Webhook]]) -> list[WebhookView]:
            return _views(ask, conn, found)

        return ask.many(rows.LISTING, wanted, views)

    @post(operation_id="createWebhook", summary="Register a webhook endpoint", scope="webhooks:write", example=_NEW)
    def create_webhook(self, act: NamedDependency[Act], data: RequestBody[NewWebhook]) -> Json[One[WebhookView]]:
        """From here on it is sent the events it names (`contact.created`), those of a kind (`contact.*`) or all (`*`),
        signed as Standard Webhooks has it with the `secret` answered. The URL must be https and lead to a public
        address, unless the installation allows others.
        """
        return _secret_put_in(act, act.create(lambda unit: webhooks.create(unit, act.services, data), _new))

    @get(
        "/{webhook_id:uuid}",
        operation_id="getWebhook",
        summary="Get one webhook endpoint with its latest deliveries",
        scope="webhooks:read",
    )
    def get_webhook(self, recall: NamedDependency[Recall], webhook_id: FromPath[UUID]) -> Json[One[WebhookView]]:
        """As of a moment, without what is not in the log: its secret, and how it had fared."""

        def views(conn: Db, found: Sequence[Current[Webhook]]) -> list[WebhookView]:
            latest = deliveries.latest(conn, webhook_id, LATEST)
            return [msgspec.structs.replace(view, deliveries=latest) for view in _views(recall, conn, found)]

        return recall.one(rows.WEBHOOKS, webhook_id, views if recall.then is None else rows.views)

    @patch(
        "/{webhook_id:uuid}",
        operation_id="updateWebhook",
        summary="Change a webhook endpoint, or switch it on or off",
        scope="webhooks:write",
        example={"active": False},
    )
    def update_webhook(
        self, change: NamedDependency[Change], webhook_id: FromPath[UUID], data: RequestBody[WebhookPatch]
    ) -> Json[One[WebhookView]]:
        """Switching it off cancels its pending deliveries; they can be replayed later. Events that happen while it is
        off are not delivered.
        """

        def work(unit: Work) -> Current[Webhook]:
            return webhooks.update(unit, change.services, webhook_id, data, change.if_version)

        return _secret_put_in(change, change(work, _changed))

    @delete(
        "/{webhook_id:uuid}", operation_id="deleteWebhook", summary="Delete a webhook endpoint", scope="webhooks:write"
    )
    def delete_webhook(self, change: NamedDependency[Change], webhook_id: FromPath[UUID]) -> Json[None]:
        """No further events are delivered; pending deliveries are cancelled."""
        return change.done(lambda unit: webhooks.delete(unit, webhook_id, change.if_version))

    @post(
        "/{webhook_id:uuid}/test",
        operation_id="testWebhook",
        summary="Send a test event at once",
        scope="webhooks:write",
        errors=("delivery_failed",),
        status=200,
    )
    async def test_webhook(self, ask: NamedDependency[Ask], webhook_id: FromPath[UUID]) -> Json[Ping]:
        """A `test.ping`, signed as any other; whether or not the endpoint is active. It is not repeated."""
        services, workspace_id = ask.services, ask.caller.workspace_id
        endpoint = await in_turn(webhook_ping.endpoint, services, workspace_id, webhook_id)
        return plain(await webhook_ping.ping(services, workspace_id, webhook_id, endpoint))

    @post(
        "/{webhook_id:uuid}/rotate-secret",
        operation_id="rotateWebhookSecret",
        summary="Give a webhook endpoint a new secret",
        scope="webhooks:write",
        status=200,
    )
    def rotate_secret(self, change: NamedDependency[Change], webhook_id: FromPath[UUID]) -> Json[One[WebhookView]]:
        """The old one goes on signing beside it for 24 hours: `webhook-signature` has both signatures, separated by a
        space. A repeated request under the same `Idempotency-Key` rotates once and answers the present secret.
        """

        def work(unit: Work) -> Current[Webhook]:
            return webhooks.rotate_secret(unit, change.services, webhook_id, change.if_version)

        return _secret_put_in(change, change(work, _changed))


def _views(ask: Ask, conn: Db, found: Sequence[Current[Webhook]]) -> list[WebhookView]:
    """Endpoints as the caller is shown them: with their secrets, if they may change webhooks."""
    views = rows.views(conn, found)
    secrets = webhooks.secrets(ask.services, conn, ask.caller, [view.id for view in views])
    return [msgspec.structs.replace(view, secret=secrets[view.id]) if view.id in secrets else view for view in views]


def _new(_: Work, webhook: Current[Webhook]) -> WebhookView:
    """An endpoint that was never sent anything."""
    return rows.view(webhook, rows.Health())


def _changed(unit: Work, webhook: Current[Webhook]) -> WebhookView:
    return rows.views(unit.conn, [webhook])[0]


def _secret_put_in(act: Act, answer: Json[Any]) -> Json[Any]:
    """The answer with the endpoint's present secret; without one where it was deleted since."""
    body = msgspec.json.decode(answer.content)
    webhook_id = UUID(body["data"]["id"])
    with act.reading() as conn:
        secrets = webhooks.secrets(act.services, conn, act.caller, [webhook_id])
    if webhook_id in secrets:
        body["data"]["secret"] = secrets[webhook_id]
    return plain(body, answer.status_code or 200, answer.headers)
