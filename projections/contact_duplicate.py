"""Rows of pairs of contacts of which somebody has said that they are two."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.contact_duplicate import CONTACT_DUPLICATE, DismissedDuplicate
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.table.asking.compiled import TRUE, Compiled, every
from projections.table.column import ID, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.contact_duplicate import DismissalView
from schemas.wire.page import Sort

CONTACT_DUPLICATES: RowTable[DismissedDuplicate] = RowTable(
    name="contact_duplicates",
    decider=CONTACT_DUPLICATE,
    version=1,
    columns=(Column("contact_id", ID), Column("other_id", ID)),
    called="dismissal",
    hangs_on={"contact_id": CONTACTS, "other_id": CONTACTS},
)

LISTING: Final = Listing(CONTACT_DUPLICATES, default=Sort(field="createdAt", descending=True))

_TWO: Final = Compiled("contact_id <> other_id")
"""They are one as long as they are merged; what was said of them is there again when that is undone."""
_AMONG: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {CONTACT_DUPLICATES.table}
    WHERE workspace_id = %s AND contact_id = ANY(%s) AND other_id = ANY(%s) AND contact_id <> other_id ORDER BY id
"""


def where(contact_id: UUID | None) -> Compiled:
    """Pairs, of which one is this contact if there is any."""
    one = Compiled("contact_id = %s OR other_id = %s", (contact_id, contact_id))
    return every(_TWO, TRUE if contact_id is None else one)


def among(conn: Db, ids: Sequence[UUID]) -> list[Current[DismissedDuplicate]]:
    """What was said of any two of these contacts, the first first."""
    rows = conn.execute(_AMONG, (conn.workspace_id, list(ids), list(ids)))
    return [CONTACT_DUPLICATES.current(row) for row in rows]


def views(conn: Db, pairs: Sequence[Current[DismissedDuplicate]]) -> list[DismissalView]:
    """With what the two are called now."""
    ids = {key for pair in pairs for key in (pair.state.contact_id, pair.state.other_id)}
    known = CONTACTS.load(conn, sorted(ids)).values()
    names = {contact.id: contact.state.name for contact in known if CONTACTS.visible(conn, contact, conn.visible_to)}
    return [
        shown(
            DismissalView,
            pair,
            contact_name=names.get(pair.state.contact_id),
            other_name=names.get(pair.state.other_id),
        )
        for pair in pairs
    ]
