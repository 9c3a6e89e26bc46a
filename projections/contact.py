"""Contact rows: their columns, the list and search queries, and how a contact is shown."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from domain.contact import CONTACT, Contact
from domain.kernel.filter import Filter
from domain.kernel.values import folded
from eventstore.database import Db
from eventstore.rows import Change, Current
from projections import tag as tags
from projections.table.filter import TRUE, Compiled, Field, compile_filter, like
from projections.table.listing import Listed, Listing
from projections.table.rows import RowTable, Unique
from schemas.contact import ContactView
from schemas.tag import TagView
from schemas.wire.page import PageRequest, Sort


def _search_text(contact: Contact) -> str:
    """What ``search`` looks in, a line each; the phone with its digits alone, so that any way of writing it is found."""
    parts = (contact.name, contact.email, contact.company, contact.phone)
    return "\n".join(folded(part) for part in parts if part)


def _columns(contact: Current[Contact]) -> tuple[Any, ...]:
    state = contact.state
    return (
        folded(state.name),
        folded(state.first_name or ""),
        folded(state.last_name or ""),
        state.email or "",
        state.phone or "",
        folded(state.company or ""),
        folded(state.source or ""),
        state.status,
        state.type,
        state.assigned_to,
        state.dnc,
        state.globally_unsubscribed,
        list(state.tags),
        msgspec.json.encode(state.custom_fields).decode(),
        _search_text(state),
    )


def _counted(change: Change) -> Iterable[tuple[str, int]]:
    before = set(change.before.state.tags) if change.before else set()
    after = set(change.after.state.tags) if change.after else set()
    for tag_id in after - before:
        yield f"tag:{tag_id}", 1
    for tag_id in before - after:
        yield f"tag:{tag_id}", -1


CONTACTS: RowTable[Contact] = RowTable(
    table="contacts",
    decider=CONTACT,
    version=1,
    columns={
        "name": 'text COLLATE "C" NOT NULL',
        "first_name": 'text COLLATE "C" NOT NULL',
        "last_name": 'text COLLATE "C" NOT NULL',
        "email": 'text COLLATE "C" NOT NULL',
        "phone": 'text COLLATE "C" NOT NULL',
        "company": 'text COLLATE "C" NOT NULL',
        "source": 'text COLLATE "C" NOT NULL',
        "status": "text NOT NULL",
        "type": "text NOT NULL",
        "assigned_to": "uuid",
        "dnc": "boolean NOT NULL",
        "globally_unsubscribed": "boolean NOT NULL",
        "tags": "uuid[] NOT NULL",
        "custom_fields": "jsonb NOT NULL",
        "search": 'text COLLATE "C" NOT NULL',
    },
    project=_columns,
    indexes={
        "contacts_by_created": "(workspace_id, created_at, id)",
        "contacts_by_updated": "(workspace_id, updated_at, id)",
        "contacts_by_name": "(workspace_id, name, id)",
        "contacts_by_first_name": "(workspace_id, first_name, id)",
        "contacts_by_last_name": "(workspace_id, last_name, id)",
        "contacts_by_email": "(workspace_id, email, id)",
        "contacts_by_company": "(workspace_id, company, id)",
        "contacts_by_source": "(workspace_id, source, id)",
        "contacts_by_assigned": "(workspace_id, assigned_to, id) WHERE assigned_to IS NOT NULL",
        "contacts_by_tag": "USING gin (workspace_id, tags)",
        "contacts_by_search": "USING gin (workspace_id, search gin_trgm_ops)",
    },
    unique={
        "contacts_email": Unique(
            columns=("email",), where="email <> ''", message="A contact with this e-mail address exists already."
        ),
    },
    counted=_counted,
    count_prefixes=("tag:",),
)

LISTING = Listing(
    table=CONTACTS,
    sorts={
        "createdAt": "created_at",
        "updatedAt": "updated_at",
        "name": "name",
        "firstName": "first_name",
        "lastName": "last_name",
        "email": "email",
        "company": "company",
        "source": "source",
    },
    default=Sort(field="createdAt", descending=True),
)

FIELDS: Final = {
    "id": Field("id", "id"),
    "name": Field("name", "folded"),
    "firstName": Field("first_name", "folded"),
    "lastName": Field("last_name", "folded"),
    "email": Field("email", "lowered"),
    "phone": Field("phone", "text"),
    "company": Field("company", "folded"),
    "source": Field("source", "folded"),
    "status": Field("status", "text"),
    "type": Field("type", "text"),
    "assignedTo": Field("assigned_to", "id"),
    "dnc": Field("dnc", "boolean"),
    "globallyUnsubscribed": Field("globally_unsubscribed", "boolean"),
    "tags": Field("tags", "tags"),
    "createdAt": Field("created_at", "time"),
    "updatedAt": Field("updated_at", "time"),
    "custom": Field("custom_fields", "custom"),
}

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
    parts = []
    if wanted is not None:
        parts.append(compile_filter(wanted, FIELDS))
    if search and (found := searching(search)) is not TRUE:
        parts.append(found)
    if visible_to is not None:
        parts.append(Compiled("assigned_to = %s", (visible_to,)))
    where = TRUE
    if parts:
        sql = " AND ".join(f"({part.sql})" for part in parts)
        where = Compiled(sql, tuple(param for part in parts for param in part.params))
    return LISTING.fetch(conn, request, where, few=bool(search))


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
        " WHERE workspace_id = current_workspace() AND email = ANY(%s) AND email <> ''",
        (list(emails),),
    )
    return {row[5]: CONTACTS.current(row) for row in rows}


def with_tag(conn: Db, tag_id: UUID) -> list[UUID]:
    """The ids of all contacts that bear a tag."""
    rows = conn.execute(
        "SELECT id FROM contacts WHERE workspace_id = current_workspace() AND tags @> ARRAY[%s::uuid] ORDER BY id",
        (tag_id,),
    )
    return [row[0] for row in rows]
