"""Deliveries of webhooks over HTTP: looked at, and sent again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, get, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter, RawBody, RequestBody

from api.http.answers import Answer, Asked, Json, command, page, plain
from api.http.operation import errors, needs
from api.http.paging import page_request
from application import webhook as webhooks
from application.calling.services import Services
from domain.kernel import not_found
from eventstore.database import reading
from eventstore.unit_of_work import Work
from projections import webhook_delivery as rows
from projections.webhook import WEBHOOKS
from schemas.webhook import DeliveryDetail, DeliveryStatus, DeliveryView, Replayed, ReplayRange
from schemas.wire.page import One, Page, PageRequest, page_meta


class WebhookDeliveryController(Controller):
    path = "/webhooks/{webhook_id:uuid}"
    tags = ["Webhooks"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/deliveries",
        operation_id="listWebhookDeliveries",
        summary="List a webhook endpoint's deliveries",
        description="In order of the events, newest first. Completed ones are kept for 30 days.",
        opt=needs("webhooks:read"),
        responses=errors("not_found", "validation_failed"),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_deliveries(
        self,
        services: NamedDependency[Services],
        request: Asked,
        webhook_id: FromPath[UUID],
        wanted: NamedDependency[PageRequest],
        status: Annotated[DeliveryStatus | None, QueryParameter(description="Only those of this status.")] = None,
        event_type: Annotated[
            str | None, QueryParameter(name="eventType", max_length=100, description="Only of this event.")
        ] = None,
    ) -> Json[Page[DeliveryView]]:
        with reading(services.pool, request.user.workspace_id) as conn:
            if not WEBHOOKS.load(conn, [webhook_id]):
                raise not_found("webhook")
            views, total, cursor = rows.listed(conn, webhook_id, wanted, rows.DeliveryQuery(status, event_type))
        return page(Page(data=views, meta=page_meta(wanted, total, cursor)))

    @get(
        "/deliveries/{delivery_id:uuid}",
        operation_id="getWebhookDelivery",
        summary="Get one delivery with its attempts",
        opt=needs("webhooks:read"),
        responses=errors("not_found"),
        sync_to_thread=True,
    )
    def get_delivery(
        self,
        services: NamedDependency[Services],
        request: Asked,
        webhook_id: FromPath[UUID],
        delivery_id: FromPath[UUID],
    ) -> Json[One[DeliveryDetail]]:
        with reading(services.pool, request.user.workspace_id) as conn:
            if not WEBHOOKS.load(conn, [webhook_id]):
                raise not_found("webhook")
            found = rows.detail(conn, webhook_id, delivery_id)
        if found is None:
            raise not_found("delivery")
        return plain({"data": found})

    @post(
        "/deliveries/{delivery_id:uuid}/replay",
        operation_id="replayWebhookDelivery",
        summary="Send one delivery again",
        description="Whatever became of it, and with the retry schedule from its beginning. The id of the event stays.",
        opt=needs("webhooks:write", repeatable=True),
        responses=errors("not_found", "conflict"),
        status_code=202,
        sync_to_thread=True,
    )
    def replay_delivery(
        self,
        services: NamedDependency[Services],
        request: Asked,
        webhook_id: FromPath[UUID],
        delivery_id: FromPath[UUID],
    ) -> Json[One[DeliveryView]]:
        def work(unit: Work) -> Answer:
            return Answer(webhooks.replay_one(unit, webhook_id, delivery_id), status=202)

        return command(request, b"", services, work)

    @post(
        "/replay",
        operation_id="replayWebhookDeliveries",
        summary="Send many deliveries again",
        description=(
            'Those that were made from `since` up to `until`, of one `status`: `{"status": "failed", "since": …}` is'
            " all that failed since. Answers how many; what is pending anyway is not among them."
        ),
        opt=needs("webhooks:write", example={"status": "failed", "since": "2026-03-15T00:00:00Z"}),
        responses=errors("not_found", "conflict", "validation_failed"),
        status_code=202,
        sync_to_thread=True,
    )
    def replay_deliveries(
        self,
        services: NamedDependency[Services],
        request: Asked,
        body: RawBody,
        webhook_id: FromPath[UUID],
        data: RequestBody[ReplayRange],
    ) -> Json[One[Replayed]]:
        def work(unit: Work) -> Answer:
            return Answer(Replayed(replayed=webhooks.replay_range(unit, webhook_id, data)), status=202)

        return command(request, body, services, work)
