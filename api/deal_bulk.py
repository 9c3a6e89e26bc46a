"""What is done to many deals, over HTTP: by jobs, to each by itself."""

from __future__ import annotations

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Json
from api.http.ask import Act
from api.http.routes import post
from api.job import begun
from application import deal_bulk as deals
from schemas.deal_bulk import DealUpdates
from schemas.job import BulkAnswer


class DealBulkController(Controller):
    path = "/bulk/deals"
    tags = ["Bulk"]  # noqa: RUF012 - what Litestar reads

    @post(
        "/update",
        operation_id="updateDeals",
        summary="Change many deals",
        scope="deals:write",
        example={"ids": ["0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00a0"], "updates": {"value": 5000}},
        status=202,
        headers=("Location",),
    )
    def update_deals(self, act: NamedDependency[Act], data: RequestBody[DealUpdates]) -> Json[BulkAnswer]:
        """The same changes for each; with a stage they go through it as one deal does, with its events."""
        return begun(act, lambda unit: deals.update(unit, act.caller, data))
