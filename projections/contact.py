"""Contact rows: their columns, and the list and search queries."""

from __future__ import annotations

from collections.abc import Sequence

from domain.contact import CONTACT, Contact
from domain.kernel.filter import Filter
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import BOOLEAN, FOLDED, ID, IDS, JSON, LOWERED, PHONE, TEXT, Column
from projections.table.filter import TRUE, compile_filter
from projections.table.listing import Listed, Listing
from projections.table.rows import RowTable
from schemas.wire.page import PageRequest, Sort

CONTACTS: RowTable[Contact] = RowTable(
    table="contacts",
    decider=CONTACT,
    version=2,
    columns=(
        Column("name", FOLDED, sort=True, searched=True),
        Column("first_name", FOLDED, sort=True),
        Column("last_name", FOLDED, sort=True),
        Column("email", LOWERED, sort=True, searched=True, unique="A contact with this e-mail address exists already."),
        Column("phone", PHONE, searched=True),
        Column("company", FOLDED, sort=True, searched=True),
        Column("source", FOLDED, sort=True),
        Column("status", TEXT),
        Column("type", TEXT),
        Column("assigned_to", ID),
        Column("company_id", ID),
        Column("dnc", BOOLEAN),
        Column("globally_unsubscribed", BOOLEAN),
        Column("tags", IDS, asked="tags"),
        Column("custom_fields", JSON, wire="custom", asked="custom"),
    ),
    owner="assigned_to",
    times=("created_at", "updated_at"),
)

LISTING = Listing(CONTACTS, default=Sort(field="createdAt", descending=True))


def listed(conn: Db, request: PageRequest, wanted: Filter | None = None, search: str | None = None) -> Listed[Contact]:
    """Contacts that the filter and the search find."""
    asked = TRUE if wanted is None else compile_filter(wanted, CONTACTS.fields)
    return LISTING.search(conn, request, search, asked)


def by_emails(conn: Db, emails: Sequence[str]) -> dict[str, Current[Contact]]:
    """Contacts by normalised e-mail address."""
    rows = conn.execute(
        "SELECT id, state::text, version, created_at, updated_at, email FROM contacts"
        " WHERE workspace_id = %s AND email = ANY(%s) AND email <> ''",
        (conn.workspace_id, list(emails)),
    )
    return {row[5]: CONTACTS.current(row) for row in rows}
