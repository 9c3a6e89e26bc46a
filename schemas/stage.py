"""Stages on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.kernel import JSON, Value
from domain.kernel.money import Amount
from domain.stage import Kind, OfStage, Order, Probability, StageDetails, StageName
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewStage(Value, forbid_unknown_fields=True):
    """A stage to create. Where another stands at its place, that and those right behind it go one further."""

    name: StageName
    order: Order
    type: Kind = "open"
    probability: Annotated[Probability, OfStage] | None = None


class StageView(StageDetails, kw_only=True):
    """A stage of a pipeline."""

    id: Id
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b2",
        "pipelineId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b0",
        "name": "Proposal",
        "order": 3,
        "type": "open",
        "probability": 0.6,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }


class StageWithDeals(StageView, kw_only=True):
    """A stage with what the deals in it add up to."""

    deal_count: Annotated[int, Meta(description="How many deals are in it.")]
    total_value: Annotated[Amount, Meta(description="What those are worth that are in the pipeline's currency.")]
    weighted_value: Annotated[
        Amount, Meta(description="Of the open ones, each by its probability: what may be expected of them.")
    ]

    example: ClassVar[JSON] = {**StageView.example, "dealCount": 12, "totalValue": 420000, "weightedValue": 252000}
