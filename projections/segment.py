"""Segment rows, and the contacts that a segment's filter holds of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from domain.contact import Contact
from domain.kernel.filter import Group
from domain.segment import SEGMENT, Segment
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact_asked import found
from projections.table.asking.asked import Fields
from projections.table.column import FOLDED, Column
from projections.table.listing import Listed, Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.segment import PreviewedContact, PreviewedContacts, SegmentView
from schemas.wire.page import PageRequest, Sort

SEGMENTS: RowTable[Segment] = RowTable(
    name="segments",
    decider=SEGMENT,
    version=1,
    columns=(Column("name", FOLDED, sort=True, searched=True),),
    times=("created_at", "updated_at"),
)

LISTING: Final = Listing(SEGMENTS, default=Sort(field="name"))


def views(_: Db, segments: Sequence[Current[Segment]]) -> list[SegmentView]:
    return [shown(SegmentView, segment) for segment in segments]


def preview(conn: Db, asked: Group, known: Fields) -> PreviewedContacts:
    """How many contacts the filter holds of, and the newest fifty of those that the caller may see."""
    listed = found(conn, PageRequest(exact=True), asked, known, at="filter")
    return PreviewedContacts(count=listed.total, contacts=[_previewed(contact) for contact in listed.rows])


def _previewed(contact: Current[Contact]) -> PreviewedContact:
    state = contact.state
    return PreviewedContact(
        id=contact.id, name=state.name, email=state.email, first_name=state.first_name, last_name=state.last_name
    )


def members(
    conn: Db, request: PageRequest, segment: Current[Segment], known: Fields, search: str | None = None
) -> Listed[Contact]:
    """The segment's contacts, as they are now."""
    return found(conn, request, segment.state.filter, known, search, at="filter")
