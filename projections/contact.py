"""Contact rows: their columns, the list and search queries, and how a contact is shown."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

from msgspec.structs import asdict

from domain.contact import CONTACT, Contact
from domain.kernel.filter import Filter
from domain.kernel.values import folded
from eventstore.database import Db
from eventstore.rows import Current
from projections import tag as tags
from projections.table.column import BOOLEAN, FOLDED, ID, IDS, JSON, LOWERED, TEXT, Column
from projections.table.filter import TRUE, Compiled, compile_filter, every, like
from projections.table.listing import Listed, Listing
from projections.table.rows import RowTable
from schemas.contact import ContactView
from schemas.tag import TagView
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
        Column("phone", TEXT, searched=True),
        Column("company", FOLDED, sort=True, searched=True),
        Column("source", FOLDED, sort=True),
        Column("status", TEXT),
        Column("type", TEXT),
        Column("assigned_to", ID),
        Column("dnc", BOOLEAN),
        Column("globally_unsubscribed", BOOLEAN),
        Column("tags", IDS, asked="tags"),
        Column("custom_fields", JSON, wire="custom", asked="custom"),
    ),
    owner="assigned_to",
    times=("created_at", "updated_at"),
)

LISTING = Listing(CONTACTS, default=Sort(field="createdAt", descending=True))

MAX_WORDS: Final = 10


def searching(text: str) -> Compiled:
    """Every word must be found in name, e-mail, company or phone; a phone number may be written any way."""
    words = folded(text).split()[:MAX_WORDS]
    digits = "".join(letter for letter in text if letter.isdigit())
    if len(digits) >= 3 and not any(letter.isalpha() or letter == "@" for letter in text):
        return Compiled("search LIKE %s", (f"%{like(digits.lstrip('0') or digits)}%",))
    if not words:
        return TRUE
    return Compiled(" AND ".join(["search LIKE %s"] * len(words)), tuple(f"%{like(word)}%" for word in words))


def listed(
    conn: Db, request: PageRequest, wanted: Filter | None, search: str | None, visible_to: UUID | None
) -> Listed[Contact]:
    """Contacts that the filter and the search find; ``visible_to`` narrows them to those assigned to a user."""
    asked = TRUE if wanted is None else compile_filter(wanted, CONTACTS.fields)
    found = searching(search) if search else TRUE
    return LISTING.fetch(conn, request, every(asked, found), visible_to=visible_to, few=bool(search))


def views(conn: Db, contacts: Sequence[Current[Contact]]) -> list[ContactView]:
    """The contacts as callers see them: with their tags' names."""
    known = tags.refs(conn, {tag_id for contact in contacts for tag_id in contact.state.tags})
    return [view(contact, [known[tag_id] for tag_id in contact.state.tags if tag_id in known]) for contact in contacts]


def view(contact: Current[Contact], borne: list[TagView]) -> ContactView:
    state = contact.state
    fields = asdict(state)
    fields["tags"] = [tag.name for tag in borne]
    return ContactView(
        id=contact.id,
        name=state.name,
        tag_details=borne,
        created_at=contact.created_at,
        updated_at=contact.updated_at,
        version=contact.version,
        **fields,
    )


def by_emails(conn: Db, emails: Sequence[str]) -> dict[str, Current[Contact]]:
    """Contacts by normalised e-mail address."""
    rows = conn.execute(
        "SELECT id, state::text, version, created_at, updated_at, email FROM contacts"
        " WHERE workspace_id = %s AND email = ANY(%s) AND email <> ''",
        (conn.workspace_id, list(emails)),
    )
    return {row[5]: CONTACTS.current(row) for row in rows}
