"""Deliveries of webhooks over HTTP: looked at, and sent again."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Act, Ask
from api.http.routes import get, post
from application import webhook as webhooks
from domain.kernel import not_found
from eventstore.work import Work
from projections import webhook_delivery as rows
from projections.webhook import WEBHOOKS
from schemas.webhook import DeliveryDetail, DeliveryStatus, DeliveryView, Replayed, ReplayRange
from schemas.wire.page import One, Page, PageRequest


class WebhookDeliveryController(Controller):
    path = "/webhooks/{webhook_id:uuid}"
    tags = ["Webhooks"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/deliveries",
        operation_id="listWebhookDeliveries",
        summary="List a webhook endpoint's deliveries",
        scope="webhooks:read",
    )
    def list_deliveries(
        self,
        ask: NamedDependency[Ask],
        webhook_id: FromPath[UUID],
        wanted: NamedDependency[PageRequest],
        status: Annotated[DeliveryStatus | None, QueryParameter(description="Only those of this status.")] = None,
        event_type: Annotated[
            str | None, QueryParameter(name="eventType", max_length=100, description="Only of this event.")
        ] = None,
    ) -> Json[Page[DeliveryView]]:
        """In order of the events, newest first. Completed ones are kept for 30 days."""
        with ask.reading() as conn:
            ask.found(conn, WEBHOOKS, webhook_id)
            return ask.page(wanted, *rows.listed(conn, webhook_id, wanted, rows.DeliveryQuery(status, event_type)))

    @get(
        "/deliveries/{delivery_id:uuid}",
        operation_id="getWebhookDelivery",
        summary="Get one delivery with its attempts",
        scope="webhooks:read",
    )
    def get_delivery(
        self, ask: NamedDependency[Ask], webhook_id: FromPath[UUID], delivery_id: FromPath[UUID]
    ) -> Json[One[DeliveryDetail]]:
        with ask.reading() as conn:
            ask.found(conn, WEBHOOKS, webhook_id)
            found = rows.detail(conn, webhook_id, delivery_id)
        if found is None:
            raise not_found("delivery")
        return ask.told(found)

    @post(
        "/deliveries/{delivery_id:uuid}/replay",
        operation_id="replayWebhookDelivery",
        summary="Send one delivery again",
        scope="webhooks:write",
        status=202,
    )
    def replay_delivery(
        self, act: NamedDependency[Act], webhook_id: FromPath[UUID], delivery_id: FromPath[UUID]
    ) -> Json[One[DeliveryView]]:
        """Whatever became of it, and with the retry schedule from its beginning. The id of the event stays."""
        return act.answer(lambda unit: Answer(webhooks.replay_one(unit, webhook_id, delivery_id), status=202))

    @post(
        "/replay",
        operation_id="replayWebhookDeliveries",
        summary="Send many deliveries again",
        scope="webhooks:write",
        example={"status": "failed", "since": "2026-03-15T00:00:00Z"},
        status=202,
    )
    def replay_deliveries(
        self, act: NamedDependency[Act], webhook_id: FromPath[UUID], data: RequestBody[ReplayRange]
    ) -> Json[One[Replayed]]:
        """Those that were made from `since` up to `until`, of one `status`: `{"status": "failed", "since": …}` is all
        that failed since. Answers how many; what is pending anyway is not among them.
        """

        def work(unit: Work) -> Answer:
            return Answer(Replayed(replayed=webhooks.replay_range(unit, webhook_id, data)), status=202)

        return act.answer(work)
