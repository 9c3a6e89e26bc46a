"""A deal with what it refers to: its pipeline, stage, contact and company, as far as the caller may see them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from msgspec.structs import asdict

from domain.deal import Deal
from eventstore.database import Db
from eventstore.rows import Current
from projections import company, contact, contact_view, stage
from projections import deal as deals
from projections.pipeline import PIPELINES
from projections.table.rows import RowTable
from schemas.deal import DealWithDetails
from schemas.pipeline import PipelineName

Views = Callable[[Db, Sequence[Current[Any]]], Sequence[Any]]


def with_details(conn: Db, found: Sequence[Current[Deal]], *, contacts: bool, companies: bool) -> list[DealWithDetails]:
    """``contacts``, ``companies``: whether the caller may read these."""
    return [_with_details(conn, deal, contacts=contacts, companies=companies) for deal in found]


def _with_details(conn: Db, deal: Current[Deal], *, contacts: bool, companies: bool) -> DealWithDetails:
    state = deal.state
    (view,) = deals.views(conn, [deal])
    pipeline = PIPELINES.load(conn, [state.pipeline_id])[state.pipeline_id]
    return DealWithDetails(
        **asdict(view),
        pipeline=PipelineName(id=pipeline.id, name=pipeline.state.name),
        stage=_seen(conn, stage.STAGES, state.stage_id, stage.views),
        contact=_seen(conn, contact.CONTACTS, state.contact_id, contact_view.views) if contacts else None,
        company=_seen(conn, company.COMPANIES, state.company_id, company.views) if companies else None,
    )


def _seen(conn: Db, table: RowTable[Any], key: UUID | None, views: Views) -> Any:
    """One thing as it is shown; None where there is none, or it is not the caller's to see."""
    found = {} if key is None else table.load(conn, [key])
    seen = [current for current in found.values() if table.visible(conn, current, conn.visible_to)]
    return next(iter(views(conn, seen)), None) if seen else None
