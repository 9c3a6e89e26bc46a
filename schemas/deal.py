"""Deals on the wire. What they are worth is told in whole units of the currency, with its decimals."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import UNSET, Meta, UnsetType

from domain.deal import DealChanges, DealDetails, DealValue, Status
from domain.kernel import JSON
from domain.kernel.money import Amount, Currency
from domain.stage import InPipeline, InStage, Probability
from schemas.company import CompanyView
from schemas.contact import ContactView
from schemas.pipeline import PipelineName
from schemas.stage import StageView
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewDeal(DealDetails, forbid_unknown_fields=True, kw_only=True):
    """A deal to create."""

    value: DealValue
    currency: Annotated[Currency | None, Meta(description="By its ISO 4217 code; the pipeline's unless given.")] = None
    pipeline_id: InPipeline
    stage_id: InStage
    status: Annotated[
        Status | None, Meta(description="How it stands; as its stage makes it unless given: `open`, in most.")
    ] = None


class DealPatch(DealChanges, forbid_unknown_fields=True):
    """What to change."""

    value: DealValue | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    pipeline_id: InPipeline | UnsetType = UNSET
    stage_id: InStage | UnsetType = UNSET
    status: Status | UnsetType = UNSET


class DealView(DealDetails, kw_only=True):
    """A deal."""

    id: Id
    value: Annotated[Amount, Meta(description="What it is worth, in whole units of its currency.")]
    currency: Currency
    pipeline_id: InPipeline
    stage_id: InStage
    status: Status
    probability: Annotated[
        Probability, Meta(description="How likely it is to be won, 0 to 1: as it was set, else as its stage says.")
    ]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00a0",
        "name": "Northwind Logistics",
        "value": 42000,
        "currency": "USD",
        "pipelineId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b0",
        "stageId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b2",
        "status": "open",
        "probability": 0.55,
        "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "companyId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0090",
        "assignedTo": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "expectedCloseDate": "2026-05-15",
        "customFields": {"seats": 120},
        "createdAt": "2026-04-01T14:22:03.123456Z",
        "updatedAt": "2026-04-14T09:11:47.654321Z",
        "version": 4,
    }


class DealWithDetails(DealView, kw_only=True):
    """A deal with its pipeline, stage, contact and company."""

    pipeline: Annotated[PipelineName, Meta(description="The pipeline.")]
    stage: Annotated[StageView, Meta(description="The stage.")]
    contact: Annotated[
        ContactView | None, Meta(description="The contact; null without one, or where the caller may not see it.")
    ]
    company: Annotated[
        CompanyView | None, Meta(description="The company; null without one, or where the caller may not see it.")
    ]

    example: ClassVar[JSON] = {
        **DealView.example,
        "pipeline": {"id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b0", "name": "New Business"},
        "stage": StageView.example,
        "contact": ContactView.example,
        "company": CompanyView.example,
    }
