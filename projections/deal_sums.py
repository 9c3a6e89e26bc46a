"""What deals add up to, by the stage that they are in, how they stand, and their currency."""

from __future__ import annotations

from collections.abc import Sequence
from decimal import Decimal
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

from domain.kernel.money import Amount, rounded
from domain.stage import DealStatus
from eventstore.database import Db
from projections.deal import DEALS
from projections.stage import STAGES

_SUMS: Final[LiteralString] = f"""
    SELECT d.pipeline_id, d.stage_id, d.status, d.currency, count(*), sum(d.value),
        sum(d.value * coalesce(d.probability, s.probability)::numeric)
    FROM {DEALS.table} d JOIN {STAGES.table} s ON s.workspace_id = d.workspace_id AND s.id = d.stage_id
    WHERE d.workspace_id = %s AND d.pipeline_id = ANY(%s) AND (%s::uuid IS NULL OR d.assigned_to = %s)
    GROUP BY d.pipeline_id, d.stage_id, d.status, d.currency
"""


class DealSum(NamedTuple):
    """Of the deals in one stage that stand alike and are in one currency: how many there are, what they are worth, and what
    that is when each counts as much as it is likely to be won.
    """

    pipeline_id: UUID
    stage_id: UUID
    status: DealStatus
    currency: str
    deals: int
    value: Amount
    weighted: Amount


def of(conn: Db, pipelines: Sequence[UUID]) -> list[DealSum]:
    """Of the deals in these pipelines that the caller may see."""
    seen = conn.visible_to
    return [DealSum(*row) for row in conn.execute(_SUMS, (conn.workspace_id, list(pipelines), seen, seen))]


def count(sums: Sequence[DealSum]) -> int:
    return sum(found.deals for found in sums)


def value(sums: Sequence[DealSum], currency: str) -> Amount:
    """What those of them are worth together that are in this currency."""
    return rounded(sum((found.value for found in sums if found.currency == currency), Decimal(0)), currency)


def weighted(sums: Sequence[DealSum], currency: str) -> Amount:
    """What may be expected of those that are open, in this currency."""
    expected = (found.weighted for found in sums if found.currency == currency and found.status == "open")
    return rounded(sum(expected, Decimal(0)), currency)
