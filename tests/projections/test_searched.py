"""Words and phone numbers in custom fields are found by the index of what a search looks in."""

from __future__ import annotations

from uuid import UUID

import pytest

from domain.contact import Contact
from eventstore.database import Db, Pool, in_bulk, reading, writing
from eventstore.ids import new_id
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
    states = [Contact(first_name="A", custom_fields={"plan": f"plan {number}"}) for number in range(MANY)]
    states.append(Contact(first_name="Rare", custom_fields={"mobile": "+14155552671", "motto": "Per Áspera"}))
    rows = [Current(new_id(), state, 1, START, START) for state in states]
    with writing(pool, found) as conn, in_bulk(conn):
        CONTACTS.write(conn, found, [Change(row.id, None, row) for row in rows], bulk=True)
    owner.execute(f"VACUUM ANALYZE {CONTACTS.table}")
    return found


@pytest.mark.parametrize("text", ["aspera", "rare PER", "4155552671", "(415) 555-2671", "415 555"])
def test_it_is_found_by_the_index(pool: Pool, workspace: UUID, text: str) -> None:
    where = searching(text, phones=CONTACTS.phoned)
    query = f"SELECT state ->> 'firstName' FROM {CONTACTS.table} WHERE workspace_id = %s AND ({where.sql})"
    params = (workspace, *where.params_in(workspace))
    with reading(pool, workspace) as conn:
        assert conn.execute(query.encode(), params).fetchall() == [("Rare",)]
        plan = "\n".join(row[0] for row in conn.execute(f"EXPLAIN {query}".encode(), params))
    assert "contacts_by_search" in plan, plan
    assert "Seq Scan" not in plan, plan
