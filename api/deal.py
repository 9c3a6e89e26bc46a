"""Deals over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Change
from api.http.paging import SearchOfOwn
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import deal as deals
from domain.deal import DEAL, DeleteDeal
from domain.kernel.filter import Conditions, every_given
from domain.stage import DealStatus
from projections import deal as rows
from projections.deal_details import with_details
from schemas.deal import DealPatch, DealView, DealWithDetails, NewDeal
from schemas.job import JobView
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {
    "name": "Northwind Logistics",
    "value": 42000,
    "pipelineId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b0",
    "stageId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b2",
    "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
    "expectedCloseDate": "2026-05-15",
    "customFields": {"seats": 120},
}


def asked_deals(
    pipeline_id: Annotated[
        UUID | None, QueryParameter(name="pipelineId", description="In the pipeline of this id.")
    ] = None,
    stage_id: Annotated[UUID | None, QueryParameter(name="stageId", description="In the stage of this id.")] = None,
    assigned_to: Annotated[
        UUID | None, QueryParameter(name="assignedTo", description="Owned by the user of this id.")
    ] = None,
    contact_id: Annotated[
        UUID | None, QueryParameter(name="contactId", description="With the contact of this id.")
    ] = None,
    company_id: Annotated[
        UUID | None, QueryParameter(name="companyId", description="With the company of this id.")
    ] = None,
    status: Annotated[DealStatus | None, QueryParameter(description="Those that stand so.")] = None,
) -> Conditions | None:
    """All given filters must hold."""
    return every_given(
        ("pipelineId", pipeline_id),
        ("stageId", stage_id),
        ("assignedTo", assigned_to),
        ("contactId", contact_id),
        ("companyId", company_id),
        ("status", status),
    )


class DealController(Controller):
    path = "/deals"
    tags = ["Deals"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="listDeals",
        summary="List and search deals",
        description=(
            "Those changed last come first, unless sorted by"
            f" {', '.join(rows.LISTING.sorts)} or `custom.<key>`. All filters that are given must hold. Members limited to what is assigned"
            " to them see only that."
        ),
        scope="deals:read",
        asked=asked_deals,
    )
    def list_deals(
        self,
        recall: NamedDependency[Recall],
        wanted: NamedDependency[PageRequest],
        asked: NamedDependency[Conditions | None],
        search: SearchOfOwn = None,
    ) -> Json[Page[DealView]]:
        return recall.listed(wanted, lambda conn: rows.listed(conn, wanted, asked, search), rows.views)

    @post(operation_id="createDeal", summary="Create a deal in a stage", scope="deals:write", example=_NEW)
    def create_deal(self, act: NamedDependency[Act], data: RequestBody[NewDeal]) -> Json[One[DealView]]:
        """`value` is in whole units of the currency, with no more decimals than that has: 42000.5 is $42,000.50. The stage
        must be one of the pipeline's.
        """
        return act.create(lambda unit: deals.create(unit, data), deals.view)

    @get(
        "/{deal_id:uuid}",
        operation_id="getDeal",
        summary="Get one deal with its pipeline, stage, contact and company",
        scope="deals:read",
    )
    def get_deal(self, recall: NamedDependency[Recall], deal_id: FromPath[UUID]) -> Json[One[DealWithDetails]]:
        may = recall.caller.may
        views = partial(with_details, contacts=may("contacts:read"), companies=may("companies:read"))
        return recall.one(rows.DEALS, deal_id, views)

    @patch(
        "/{deal_id:uuid}",
        operation_id="updateDeal",
        summary="Change a deal, move it to another stage, or close it",
        scope="deals:write",
        example={"value": 48000, "status": "won"},
    )
    def update_deal(
        self, change: NamedDependency[Change], deal_id: FromPath[UUID], data: RequestBody[DealPatch]
    ) -> Json[One[DealView]]:
        """Another `stageId` moves it, into another pipeline with that one's `pipelineId`. `status` closes it as `won` or
        `lost`, or opens it again. Entering a stage for won or lost deals closes it, too, and leaving one opens it again.
        """
        return change(lambda unit: deals.update(unit, deal_id, data, change.if_version), deals.view)

    @delete("/{deal_id:uuid}", operation_id="deleteDeal", summary="Delete a deal", scope="deals:write", large=True)
    def delete_deal(self, change: NamedDependency[Change], deal_id: FromPath[UUID]) -> Json[One[JobView]]:
        """For good. Its tasks, notes and calls stay, without a deal. What happened to it stays in the log."""
        return change.end(DEAL, deal_id, DeleteDeal())
