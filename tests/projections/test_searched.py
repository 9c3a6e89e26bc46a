"""Words and phone numbers in custom fields are found by the index of what a search looks in."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.contact import Contact
from domain.kernel.values import CustomValue
from eventstore.database import Db, Pool, reading, writing
from eventstore.ids import new_id
from eventstore.lasting import in_bulk
from eventstore.rows import Change, Current
from projections.contact import CONTACTS
from projections.table.search import searching
from tests.conftest import make_workspace
from tests.projections.test_asking import START

MANY = 10_000


@pytest.fixture(scope="module")
def workspace(owner: Db, pool: Pool) -> UUID:
    """Many contacts, of whom the last alone has what is looked for."""
    found = make_workspace(owner)
    states = [
        Contact(first_name="A", email=f"a{number}@example.com", custom_fields={"plan": f"plan {number}"})
        for number in range(MANY)
    ]
    own: dict[str, CustomValue] = {"mobile": "+14155552671", "motto": "Per Áspera", "desk": "info@rare.example"}
    states.append(Contact(first_name="Rare", email="ada.king@example.com", custom_fields=own))
    rows = [Current(new_id(), state, 1, START, START) for state in states]
    with writing(pool, found) as conn, in_bulk(conn):
        CONTACTS.write(conn, found, [Change(row.id, None, row) for row in rows], bulk=True)
    owner.execute(f"VACUUM ANALYZE {CONTACTS.table}")
    return found


FOUND = [
    "aspera",
    "rare PER",
    "4155552671",
    "(415) 555-2671",
    "415 555",
    "ada.king@example.com",
    "king@exam",
    "info@rare",
]


@pytest.mark.parametrize("text", FOUND)
def test_it_is_found_by_the_index(pool: Pool, workspace: UUID, text: str) -> None:
    names, plan = looked_for(pool, workspace, text)
    assert names == ["Rare"]
    assert "contacts_by_search" in plan, plan
    assert "Seq Scan" not in plan, plan


@pytest.mark.parametrize(
    ("text", "asked"),
    [("ada.king@example.com", "ada.king"), ("king@exam", "king"), ("info@rare", "info@rare"), ("@rare", "@rare")],
)
def test_of_an_address_the_index_is_asked_for_what_few_have(pool: Pool, workspace: UUID, text: str, asked: str) -> None:
    names, plan = looked_for(pool, workspace, text)
    assert names == ["Rare"]
    (condition,) = (line for line in plan.splitlines() if "Index Cond" in line)
    assert f"'%{asked}%'" in condition


def test_the_rest_of_an_address_must_be_there(pool: Pool, workspace: UUID) -> None:
    assert looked_for(pool, workspace, "king@exampel")[0] == []


def looked_for(pool: Pool, workspace: UUID, text: str) -> tuple[list[str], str]:
    """The first names of whom a search finds, and how Postgres goes about it."""
    where = searching(text, phones=CONTACTS.phoned)
    query = f"SELECT state ->> 'firstName' FROM {CONTACTS.table} WHERE workspace_id = %s AND ({where.sql})"
    params = (workspace, *where.params_in(workspace))
    with reading(pool, workspace) as conn:
        names = [row[0] for row in conn.execute(query.encode(), params)]
        return names, "\n".join(row[0] for row in conn.execute(f"EXPLAIN {query}".encode(), params))
