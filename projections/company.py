"""Company rows, and how many contacts belong to each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.company import COMPANY, Company
from domain.kernel.filter import Condition
from eventstore.database import Db, planned_anew
from eventstore.rows import Current
from projections import contact as contacts
from projections import contact_view
from projections.custom_field_asked import order
from projections.table.column import FOLDED, LOWERED, MAP, TEXT, Column
from projections.table.counting import referring
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.company import CompanyView, CompanyWithContacts
from schemas.wire.page import MAX_LIMIT, PageRequest, Sort

COMPANIES: RowTable[Company] = RowTable(
    name="companies",
    decider=COMPANY,
    version=5,
    columns=(
        Column("name", FOLDED, sort=True, searched=True),
        Column("domain", LOWERED, sort=True, searched=True),
        Column("industry", FOLDED, sort=True),
        Column("size", TEXT),
        Column("custom_fields", MAP, wire="custom", searched=True, by_key=True),
    ),
    times=("created_at", "updated_at"),
)

_BY_NAMES: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at, name FROM {COMPANIES.table}
    WHERE workspace_id = %s AND name = ANY(%s) ORDER BY created_at, id
"""

LISTING: Final = Listing(COMPANIES, default=Sort(field="createdAt", descending=True), own=order)


def by_names(conn: Db, names: Sequence[str]) -> dict[str, Current[Company]]:
    """The companies of these folded names, by name; of several of one name the oldest."""
    found: dict[str, Current[Company]] = {}
    with planned_anew(conn):
        for row in conn.execute(_BY_NAMES, (conn.workspace_id, list(names))):
            found.setdefault(row[5], COMPANIES.current(row))
    return found


def views(conn: Db, companies: Sequence[Current[Company]]) -> list[CompanyView]:
    counts = _counts(conn, companies)
    return [shown(CompanyView, company, contact_count=counts[company.id]) for company in companies]


def with_contacts(conn: Db, companies: Sequence[Current[Company]]) -> list[CompanyWithContacts]:
    """The companies with the contacts of each that the caller may see, the newest hundred."""
    return [_with_contacts(conn, company) for company in companies]


def without_contacts(conn: Db, companies: Sequence[Current[Company]]) -> list[CompanyWithContacts]:
    """The companies for who may not read contacts."""
    counts = _counts(conn, companies)
    return [
        shown(CompanyWithContacts, company, contact_count=counts[company.id], contacts=None) for company in companies
    ]


def _counts(conn: Db, companies: Sequence[Current[Company]]) -> Mapping[UUID, int]:
    return referring(conn, contacts.CONTACTS, "company_id", [company.id for company in companies])


def _with_contacts(conn: Db, company: Current[Company]) -> CompanyWithContacts:
    theirs = Condition(field="companyId", operator="eq", value=str(company.id))
    found = contacts.listed(conn, PageRequest(limit=MAX_LIMIT), theirs)
    linked = contact_view.views(conn, found.rows)
    return shown(CompanyWithContacts, company, contact_count=found.total, contacts=linked)
