"""Note rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.note import NOTE, Note
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.deal import DEALS
from projections.table.column import ID, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.note import NoteView
from schemas.wire.page import Sort

NOTES: RowTable[Note] = RowTable(
    name="notes",
    decider=NOTE,
    version=2,
    columns=(Column("kept_by", ID), Column("contact_id", ID), Column("deal_id", ID)),
    owner="kept_by",
    times=("created_at", "updated_at"),
    hangs_on={"contact_id": CONTACTS, "deal_id": DEALS},
)

LISTING: Final = Listing(NOTES, default=Sort(field="createdAt", descending=True), led=(CONTACTS,))


def views(_: Db, notes: Sequence[Current[Note]]) -> list[NoteView]:
    return [shown(NoteView, note) for note in notes]
