"""What can be asked of a contact: its own fields, its custom fields, those of its company, and those of its deals."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final
from uuid import UUID

from domain.contact import Contact
from domain.kernel.filter import Filter
from eventstore.database import Db
from projections.company import COMPANIES
from projections.contact import CONTACTS, LISTING, STATED
from projections.custom_field_asked import defined
from projections.deal import DEALS
from projections.table.asking import stated
from projections.table.asking.asked import Fields, asked
from projections.table.asking.related import of_any, of_one
from projections.table.listing import Listed
from schemas.wire.page import PageRequest

_KNOWN: Final = {
    **CONTACTS.fields.known,
    **{wire: stated.text(name, wire) for wire, name in STATED.items()},
    "birthday": stated.date("birthday", "birthday"),
}

RELATED: Final = {"company": "companies", "deals": "deals"}
"""What can be asked of a contact's relations, and what a caller must be allowed to read for it."""


def fields(visible_to: UUID | None = None, may: Callable[[str], bool] = lambda _: True) -> Fields:
    """What a caller can ask for who sees only what is theirs (``visible_to``), or all where that is none, and who may what
    ``may`` says of scopes.
    """
    related = {
        "company": of_one(CONTACTS, "company_id", COMPANIES),
        "deals": of_any(CONTACTS, DEALS, "contact_id", visible_to),
    }
    readable = {name: find for name, find in related.items() if may(f"{RELATED[name]}:read")}
    return Fields(known=_KNOWN, within={**CONTACTS.fields.within, **readable})


FIELDS: Final = fields()
"""What who sees all can ask for."""


def found(
    conn: Db, request: PageRequest, wanted: Filter, known: Fields, search: str | None = None, *, at: str = ""
) -> Listed[Contact]:
    """The contacts of which a filter holds, and in which all words of ``search`` are found.

    ``at`` is what callers call the filter: refusals name what in it cannot be asked.
    """
    return LISTING.search(conn, request, search, asked(wanted, defined(conn, CONTACTS, known), at).where())
