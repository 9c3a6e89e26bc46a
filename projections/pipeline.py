"""Pipeline rows, with their stages and what their deals add up to."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

from domain.pipeline import PIPELINE, Pipeline
from domain.stage import DealStatus, Stage
from eventstore.database import Db
from eventstore.rows import Current
from projections import deal_sums
from projections import stage as stages
from projections.deal_sums import DealSum
from projections.table.column import FOLDED, TEXT, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.pipeline import CurrencyTotal, DealTotal, PipelineStatistics, PipelineView, PipelineWithStages
from schemas.stage import StageWithDeals
from schemas.wire.page import Sort

PIPELINES: RowTable[Pipeline] = RowTable(
    name="pipelines",
    decider=PIPELINE,
    version=1,
    columns=(Column("name", FOLDED, sort=True, searched=True), Column("currency", TEXT)),
    times=("created_at", "updated_at"),
)

LISTING: Final = Listing(PIPELINES, default=Sort(field="createdAt"))


def views(conn: Db, pipelines: Sequence[Current[Pipeline]]) -> list[PipelineView]:
    """With the number of their stages and deals, and what these are worth together."""
    return [
        shown(PipelineView, pipeline, **_totals(pipeline.state, theirs, sums))
        for pipeline, theirs, sums in _told(conn, pipelines)
    ]


def with_stages(conn: Db, pipelines: Sequence[Current[Pipeline]]) -> list[PipelineWithStages]:
    """With their stages in order, and statistics."""
    return [
        shown(
            PipelineWithStages,
            pipeline,
            **_totals(pipeline.state, theirs, sums),
            stages=[_with_deals(stage, sums, pipeline.state.currency) for stage in theirs],
            statistics=_statistics(sums, pipeline.state.currency),
        )
        for pipeline, theirs, sums in _told(conn, pipelines)
    ]


def stages_with_deals(conn: Db, found: Sequence[Current[Stage]]) -> list[StageWithDeals]:
    """Stages with what the deals in each add up to."""
    ids = list({stage.state.pipeline_id for stage in found})
    pipelines, sums = PIPELINES.load(conn, ids), deal_sums.of(conn, ids)
    return [_with_deals(stage, sums, pipelines[stage.state.pipeline_id].state.currency) for stage in found]


def _told(
    conn: Db, pipelines: Sequence[Current[Pipeline]]
) -> list[tuple[Current[Pipeline], list[Current[Stage]], list[DealSum]]]:
    """Each with its stages, and what its deals add up to."""
    ids = [pipeline.id for pipeline in pipelines]
    found, sums = stages.of(conn, ids), deal_sums.of(conn, ids)
    return [
        (
            pipeline,
            [stage for stage in found if stage.state.pipeline_id == pipeline.id],
            [one for one in sums if one.pipeline_id == pipeline.id],
        )
        for pipeline in pipelines
    ]


def _totals(pipeline: Pipeline, theirs: Sequence[Current[Stage]], sums: Sequence[DealSum]) -> dict[str, Any]:
    return {
        "stage_count": len(theirs),
        "deal_count": deal_sums.count(sums),
        "total_value": deal_sums.value(sums, pipeline.currency),
    }


def _with_deals(stage: Current[Stage], sums: Sequence[DealSum], currency: str) -> StageWithDeals:
    within = [one for one in sums if one.stage_id == stage.id]
    return shown(
        StageWithDeals,
        stage,
        deal_count=deal_sums.count(within),
        total_value=deal_sums.value(within, currency),
        weighted_value=deal_sums.weighted(within, currency),
    )


def _statistics(sums: Sequence[DealSum], currency: str) -> PipelineStatistics:
    def total(status: DealStatus) -> DealTotal:
        alike = [one for one in sums if one.status == status]
        return DealTotal(deal_count=deal_sums.count(alike), total_value=deal_sums.value(alike, currency))

    won, lost = total("won"), total("lost")
    closed = won.deal_count + lost.deal_count
    return PipelineStatistics(
        open=total("open"),
        won=won,
        lost=lost,
        weighted_value=deal_sums.weighted(sums, currency),
        win_rate=round(won.deal_count / closed, 4) if closed else None,
        currencies=_by_currency(sums),
    )


def _by_currency(sums: Sequence[DealSum]) -> list[CurrencyTotal]:
    counts: Counter[str] = Counter()
    for one in sums:
        counts[one.currency] += one.deals
    return [
        CurrencyTotal(
            currency=currency,
            deal_count=count,
            total_value=deal_sums.value(sums, currency),
            weighted_value=deal_sums.weighted(sums, currency),
        )
        for currency, count in sorted(counts.items(), key=lambda item: (-item[1], item[0]))
    ]
