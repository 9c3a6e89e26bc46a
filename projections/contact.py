"""Contact rows: their columns, and the list and search queries."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final
from uuid import UUID

import msgspec

from domain.contact import CONTACT, Contact
from domain.kernel.filter import Filter
from eventstore.database import Db
from eventstore.rows import Current
from projections.contact_merge import leads_to
from projections.custom_field_asked import order
from projections.table import known
from projections.table.asking import stated
from projections.table.asking.asked import asked
from projections.table.asking.compiled import TRUE, Compiled
from projections.table.asking.named import Named
from projections.table.column import BOOLEAN, FOLDED, ID, IDS, LOWERED, MAP, PHONE, TEXT, Column
from projections.table.listing import Listed, Listing
from projections.table.rows import Beside, RowTable
from projections.tag_meant import MEANT
from projections.tag_row import TAGS
from schemas.tag import TagView
from schemas.wire.page import PageRequest, Sort

_TAGS: Final = f"""
    SELECT json_agg(json_build_object('id', id, 'name', state->>'name', 'slug', slug, 'color', state->>'color'))
    FROM {TAGS.table} WHERE workspace_id = %s AND id = ANY(ARRAY(SELECT unnest(page.tags) FROM page))
"""
_decode: Final = msgspec.json.Decoder(list[TagView]).decode


def _tags(found: str | None) -> dict[UUID, TagView]:
    return {} if found is None else {tag.id: tag for tag in _decode(found)}


CONTACTS: RowTable[Contact] = RowTable(
    name="contacts",
    decider=CONTACT,
    version=6,
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
        Column("tags", IDS, asked=Named(MEANT)),
        Column("custom_fields", MAP, wire="custom", searched=True, by_key=True),
    ),
    owner="assigned_to",
    times=("created_at", "updated_at"),
    beside=Beside(_TAGS, _tags, of=("tags",)),
    leads_to=leads_to,
)

STATED: Final = {
    "notes": "notes", "jobTitle": "job_title", "website": "website", "language": "language", "address": "address",
    "city": "city", "state": "state", "zipcode": "zipcode", "country": "country",
}  # fmt: skip
"""By the name that callers use, the state's fields of text that have no column."""

_OTHERS: Final = {
    **{wire: known.of_text(stated.text(name, wire).column.sql) for wire, name in STATED.items()},
    **{name: known.of_text(name) for name in ("phone", "status", "type")},
    "birthday": known.or_last("(state ->> 'birthday' COLLATE \"C\")", "text", str | None, known.LAST_TEXT),
}

LISTING = Listing(CONTACTS, default=Sort(field="createdAt", descending=True), own=order, others=_OTHERS)


def listed(conn: Db, request: PageRequest, wanted: Filter | None = None, search: str | None = None) -> Listed[Contact]:
    """Contacts that the filter and the search find."""
    return LISTING.search(conn, request, search, where(wanted))


def where(wanted: Filter | None) -> Compiled:
    """What a filter asks of contacts."""
    return TRUE if wanted is None else asked(wanted, CONTACTS.fields).where()


def by_emails(conn: Db, emails: Sequence[str]) -> dict[str, Current[Contact]]:
    """Contacts by normalised e-mail address."""
    rows = conn.execute(
        f"SELECT id, state::text, version, created_at, updated_at, email FROM {CONTACTS.table}"
        " WHERE workspace_id = %s AND email = ANY(%s) AND email <> ''",
        (conn.workspace_id, list(emails)),
    )
    return {row[5]: CONTACTS.current(row) for row in rows}
