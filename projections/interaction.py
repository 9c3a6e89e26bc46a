"""Interaction rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.interaction import INTERACTION, Interaction
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.table.column import ID, TEXT, TIME, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.interaction import InteractionView
from schemas.wire.page import Sort

INTERACTIONS: RowTable[Interaction] = RowTable(
    name="interactions",
    decider=INTERACTION,
    version=1,
    columns=(Column("contact_id", ID), Column("type", TEXT), Column("occurred_at", TIME, sort=True)),
    hangs_on={"contact_id": CONTACTS},
)

LISTING: Final = Listing(INTERACTIONS, default=Sort(field="occurredAt", descending=True))


def views(_: Db, interactions: Sequence[Current[Interaction]]) -> list[InteractionView]:
    return [shown(InteractionView, interaction) for interaction in interactions]
