"""Pipelines on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar

from msgspec import Meta

from domain.kernel import JSON, Value
from domain.kernel.money import Amount, Currency
from domain.pipeline import PipelineDetails
from domain.stage import Kind, OfStage, Probability, StageName
from domain.stage import Order as Place
from schemas.stage import StageWithDeals
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version

DealCount = Annotated[int, Meta(description="How many deals there are.")]


class FirstStage(Value, forbid_unknown_fields=True):
    """A stage of a new pipeline; behind the one before it in the list, unless its ``order`` says where."""

    name: StageName
    order: Place | None = None
    type: Kind = "open"
    probability: Annotated[Probability, OfStage] | None = None


class NewPipeline(PipelineDetails, forbid_unknown_fields=True):
    """A pipeline to create, with its stages."""

    stages: Annotated[tuple[FirstStage, ...] | None, Meta(description="Its first stages, up to 50.")] = None


class PipelineName(Value):
    """A pipeline, by its name."""

    id: Id
    name: Annotated[str, Meta(description="What it is called.")]


class PipelineView(PipelineDetails, kw_only=True):
    """A pipeline."""

    id: Id
    stage_count: Annotated[int, Meta(description="How many stages it has.")]
    deal_count: Annotated[int, Meta(description="How many deals are in it.")]
    total_value: Annotated[
        Amount, Meta(description="What all of these are worth that are in the pipeline's currency, in whole units.")
    ]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b0",
        "name": "New Business",
        "currency": "USD",
        "settings": {"rottingDays": 30},
        "stageCount": 5,
        "dealCount": 42,
        "totalValue": 1840000,
        "createdAt": "2026-01-10T08:00:00.123456Z",
        "updatedAt": "2026-01-10T08:00:00.123456Z",
        "version": 1,
    }


class DealTotal(Value):
    """Of some deals, how many there are, and what those are worth that are in the pipeline's currency."""

    deal_count: DealCount
    total_value: Annotated[Amount, Meta(description="What they are worth, in whole units of the currency.")]


class CurrencyTotal(Value):
    """All deals in one currency."""

    currency: Currency
    deal_count: DealCount
    total_value: Annotated[Amount, Meta(description="What they are worth, in whole units of the currency.")]
    weighted_value: Annotated[Amount, Meta(description="Of the open ones, each by its probability.")]


class PipelineStatistics(Value):
    """What the deals of a pipeline add up to."""

    open: Annotated[DealTotal, Meta(description="Open deals.")]
    won: Annotated[DealTotal, Meta(description="Deals that were won.")]
    lost: Annotated[DealTotal, Meta(description="Deals that were lost.")]
    weighted_value: Annotated[
        Amount, Meta(description="Of open deals in the pipeline's currency, each by its probability.")
    ]
    win_rate: Annotated[
        float | None, Meta(description="Of the deals that were won or lost, the part won, 0 to 1; null without any.")
    ]
    currencies: Annotated[list[CurrencyTotal], Meta(description="The same by currency, the most deals first.")]


class PipelineWithStages(PipelineView, kw_only=True):
    """A pipeline with its stages in order, and statistics."""

    stages: Annotated[list[StageWithDeals], Meta(description="Its stages, in order.")]
    statistics: Annotated[PipelineStatistics, Meta(description="What its deals add up to.")]

    example: ClassVar[JSON] = {
        **PipelineView.example,
        "stages": [StageWithDeals.example],
        "statistics": {
            "open": {"dealCount": 30, "totalValue": 1300000},
            "won": {"dealCount": 8, "totalValue": 384000},
            "lost": {"dealCount": 4, "totalValue": 156000},
            "weightedValue": 640000.5,
            "winRate": 0.6667,
            "currencies": [
                {"currency": "USD", "dealCount": 42, "totalValue": 1840000, "weightedValue": 640000.5},
            ],
        },
    }
