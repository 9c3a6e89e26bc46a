"""All deals that are asked for as one file, over HTTP."""

from __future__ import annotations

from typing import Final

from litestar import Controller
from litestar.di import NamedDependency

from api.deal import asked_deals
from api.http.ask import Ask
from api.http.exporting import Streamed
from api.http.file_request import HEADERS, FileRequest
from api.http.paging import Search
from api.http.routes import get
from application.deal_export import DEALS
from domain.kernel.filter import Conditions
from projections import deal as rows
from schemas.deal import DealView

_CSV: Final = "name,value,currency,status,expectedCloseDate\r\nNorthwind Logistics,42000.00,USD,open,2026-05-15\r\n"


class DealExportController(Controller):
    path = "/deals/export"
    tags = ["Deals"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="exportDeals",
        summary="Export deals as a file",
        scope="deals:read",
        asked=asked_deals,
        csv=_CSV,
        lines=DealView,
        headers=HEADERS,
    )
    async def export_deals(
        self,
        ask: NamedDependency[Ask],
        file: NamedDependency[FileRequest],
        asked: NamedDependency[Conditions | None],
        search: Search = None,
    ) -> Streamed:
        """As `GET /contacts/export`; `POST /deals/import` takes the CSV back as it is."""
        return await file.answer(ask, DEALS, "deals", rows.where(asked), search)
