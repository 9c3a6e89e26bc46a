"""Deal rows: their columns, and how they are listed and shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from domain.deal import DEAL, Deal
from domain.kernel.filter import Filter
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.custom_field_asked import order
from projections.stage import STAGES
from projections.table.asking.asked import asked
from projections.table.asking.compiled import TRUE, Compiled
from projections.table.column import DAY, DECIMAL, FOLDED, ID, MAP, NUMBER, TEXT, Column
from projections.table.listing import Listed, Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.deal import DealView
from schemas.wire.page import PageRequest, Sort

DEALS: RowTable[Deal] = RowTable(
    name="deals",
    decider=DEAL,
    version=4,
    columns=(
        Column("name", FOLDED, sort=True, searched=True),
        Column("value", DECIMAL, lambda deal: deal.value.decimal, sort=True),
        Column("currency", TEXT, lambda deal: deal.value.currency),
        Column("status", TEXT),
        Column("pipeline_id", ID),
        Column("stage_id", ID),
        Column("probability", NUMBER),
        Column("contact_id", ID),
        Column("company_id", ID),
        Column("assigned_to", ID),
        Column("expected_close_date", DAY, sort=True),
        Column("custom_fields", MAP, wire="custom", searched=True, by_key=True),
    ),
    owner="assigned_to",
    times=("created_at", "updated_at"),
)

LISTING: Final = Listing(DEALS, default=Sort(field="updatedAt", descending=True), own=order, led=(CONTACTS,))


def listed(conn: Db, request: PageRequest, wanted: Filter | None = None, search: str | None = None) -> Listed[Deal]:
    """Deals that the filter and the search find, those changed last first unless sorted in another way."""
    return LISTING.search(conn, request, search, where(wanted))


def where(wanted: Filter | None) -> Compiled:
    """What a filter asks of deals."""
    return TRUE if wanted is None else asked(wanted, DEALS.fields).where()


def views(conn: Db, deals: Sequence[Current[Deal]]) -> list[DealView]:
    """The deals as callers see them: as likely to be won as their stages are, unless they say themselves."""
    stages = STAGES.load(conn, list({deal.state.stage_id for deal in deals})) if deals else {}
    return [view(deal, stages[deal.state.stage_id].state.probability) for deal in deals]


def view(deal: Current[Deal], likely: float) -> DealView:
    own, value = deal.state.probability, deal.state.value
    return shown(
        DealView, deal, value=value.decimal, currency=value.currency, probability=likely if own is None else own
    )


def any_in(conn: Db, stage_id: UUID) -> bool:
    """Whether there are deals in a stage, whoever may see them."""
    (stage,) = (found for found in DEALS.references if found.field == "stage_id")
    return bool(DEALS.referring(conn, stage, stage_id, 1))
