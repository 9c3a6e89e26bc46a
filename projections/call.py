"""Call rows, and whom each call was with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Final
from uuid import UUID

from domain.call import CALL, Call
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact import CONTACTS
from projections.deal import DEALS
from projections.table.column import ID, TEXT, TIME, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from projections.user import USERS
from schemas.call import CalledContact, CallingUser, CallView
from schemas.wire.page import Sort

CALLS: RowTable[Call] = RowTable(
    name="calls",
    decider=CALL,
    version=2,
    columns=(
        Column("contact_id", ID),
        Column("deal_id", ID),
        Column("user_id", ID),
        Column("direction", TEXT),
        Column("status", TEXT),
        Column("started_at", TIME, sort=True),
    ),
    times=("created_at", "updated_at"),
    hangs_on={"contact_id": CONTACTS, "deal_id": DEALS},
)

LISTING: Final = Listing(CALLS, default=Sort(field="startedAt", descending=True), led=(CONTACTS,))


def views(conn: Db, calls: Sequence[Current[Call]]) -> list[CallView]:
    """The calls with whom each was with, as far as the caller sees them."""
    return _views(conn, calls, _contacts(conn, {call.state.contact_id for call in calls}))


def without_contacts(conn: Db, calls: Sequence[Current[Call]]) -> list[CallView]:
    """The calls for who may not read contacts."""
    return _views(conn, calls, {})


def _views(conn: Db, calls: Sequence[Current[Call]], contacts: Mapping[UUID, CalledContact]) -> list[CallView]:
    users = USERS.load(conn, [call.state.user_id for call in calls])
    return [
        shown(
            CallView,
            call,
            contact=contacts.get(call.state.contact_id),
            user=CallingUser(name=user.state.name) if (user := users.get(call.state.user_id)) else None,
            ended_at=call.state.ended_at,
        )
        for call in calls
    ]


def _contacts(conn: Db, ids: Collection[UUID]) -> dict[UUID, CalledContact]:
    found = CONTACTS.load(conn, list(ids)).values()
    return {
        contact.id: CalledContact(first_name=contact.state.first_name, last_name=contact.state.last_name)
        for contact in found
        if CONTACTS.visible(conn, contact, conn.visible_to)
    }
