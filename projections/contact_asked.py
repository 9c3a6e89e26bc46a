"""What can be asked of a contact: its own fields, its custom fields, those of its company, and those of its deals."""

from __future__ import annotations

from typing import Final

from domain.contact import Contact
from domain.kernel.filter import Filter
from eventstore.database import Db
from projections.company import COMPANIES
from projections.contact import CONTACTS, LISTING
from projections.deal import DEALS
from projections.table.asking import stated
from projections.table.asking.asked import Fields, asked
from projections.table.asking.related import of_any, of_one
from projections.table.listing import Listed
from schemas.wire.page import PageRequest

_STATED: Final = {
    "notes": "notes", "jobTitle": "job_title", "website": "website", "language": "language", "address": "address",
    "city": "city", "state": "state", "zipcode": "zipcode", "country": "country",
}  # fmt: skip
"""By the name that callers use, the state's fields that have no column: segments ask for them, lists are not sorted by them."""

FIELDS: Final = Fields(
    known={
        **CONTACTS.fields.known,
        **{wire: stated.text(name, wire) for wire, name in _STATED.items()},
        "birthday": stated.date("birthday", "birthday"),
    },
    within={
        **CONTACTS.fields.within,
        "company": of_one(CONTACTS, "company_id", COMPANIES),
        "deals": of_any(CONTACTS, DEALS, "contact_id"),
    },
)


def found(
    conn: Db, request: PageRequest, wanted: Filter, search: str | None = None, *, at: str = ""
) -> Listed[Contact]:
    """The contacts of which a filter holds, and in which all words of ``search`` are found.

    ``at`` is what callers call the filter: refusals name what in it cannot be asked.
    """
    return LISTING.search(conn, request, search, asked(wanted, FIELDS, at).where())
