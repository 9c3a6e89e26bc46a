"""Lists of what a filter or a search finds: of very many, no more are counted than somebody comes to."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from domain.contact import CONTACT, Contact, CreateContact
from domain.kernel.filter import Condition
from eventstore.append import Origin
from eventstore.database import Pool, reading
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import contact as contacts
from projections.table import listing
from projections.table.listing import Listed
from schemas.wire.page import PageRequest, Sort

COUNTED = 20
MANY = 60
"""Of 200 contacts those whose company is Acme; their last names are the last in order."""


@pytest.fixture(autouse=True)
def few_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "COUNTED", COUNTED)


@pytest.fixture
def crowd(store: EventStore, origin: Origin) -> UUID:
    def work(unit: Work) -> None:
        for number in range(200):
            acme = number % 10 < 3
            unit.begin(
                CONTACT,
                new_id(),
                CreateContact(
                    first_name=f"N{number * 7 % 200:03}",
                    last_name=f"{'Z' if acme else 'A'}{number}",
                    company="Acme" if acme else "Other",
                    source="web" if number < 5 else "fair",
                ),
            )

    store.run(origin, work, bulk=True)
    return origin.workspace_id


def listed(
    pool: Pool, workspace: UUID, search: str | None = "acme", wanted: Condition | None = None, **request: Any
) -> Listed[Contact]:
    with reading(pool, workspace) as conn:
        return contacts.listed(conn, PageRequest(**request), wanted, search)


def ids(found: Listed[Contact]) -> list[UUID]:
    return [row.id for row in found.rows]


class TestTotals:
    def test_of_few_it_is_exact(self, pool: Pool, crowd: UUID) -> None:
        found = listed(pool, crowd, "acme web")
        assert (found.total, found.exact) == (0, True)
        web = Condition(field="source", operator="eq", value="web")
        found = listed(pool, crowd, None, web, limit=2)
        assert (found.total, found.exact, len(found.rows)) == (5, True, 2)

    def test_of_many_it_says_that_there_are_more_than_were_counted(self, pool: Pool, crowd: UUID) -> None:
        acme = Condition(field="company", operator="eq", value="Acme")
        for found in (listed(pool, crowd, limit=5), listed(pool, crowd, None, acme, limit=5)):
            assert (found.total, found.exact, len(found.rows)) == (COUNTED + 1, False, 5)

    def test_it_is_exact_for_who_asks(self, pool: Pool, crowd: UUID) -> None:
        found = listed(pool, crowd, limit=5, exact=True)
        assert (found.total, found.exact) == (MANY, True)
        assert ids(found) == ids(listed(pool, crowd, limit=5))

    def test_without_a_filter_it_is_exact(self, pool: Pool, crowd: UUID) -> None:
        found = listed(pool, crowd, None, limit=5)
        assert (found.total, found.exact) == (200, True)

    def test_who_pages_through_finds_as_many_pages_as_there_are(self, pool: Pool, crowd: UUID) -> None:
        found = listed(pool, crowd, limit=7)
        seen, page = ids(found), 1
        while page < -(-found.total // 7):
            page += 1
            found = listed(pool, crowd, page=page, limit=7)
            seen += ids(found)
            assert found.total >= len(seen)
        assert len(seen) == len(set(seen)) == MANY
        assert (found.total, found.exact) == (MANY, True)

    def test_behind_the_last_page_it_is_exact(self, pool: Pool, crowd: UUID) -> None:
        found = listed(pool, crowd, offset=MANY + 50, limit=7)
        assert (found.rows, found.total, found.exact) == ([], MANY, True)


class TestPages:
    @pytest.mark.parametrize("descending", [True, False])
    @pytest.mark.parametrize("field", ["createdAt", "firstName", "lastName", "company"])
    def test_all_are_found_once_and_in_order(self, pool: Pool, crowd: UUID, field: str, *, descending: bool) -> None:
        sort = Sort(field=field, descending=descending)
        whole = ids(listed(pool, crowd, sort=sort, limit=100, exact=True))
        assert len(whole) == MANY
        seen: list[UUID] = []
        cursor = None
        while len(seen) < MANY:
            found = listed(pool, crowd, sort=sort, limit=9, cursor=cursor)
            seen += ids(found)
            cursor = found.next_cursor
            assert (cursor is None) is (len(seen) == MANY)
        assert seen == whole
        numbered = [ids(listed(pool, crowd, sort=sort, limit=9, page=page)) for page in range(1, 8)]
        assert [row for page in numbered for row in page] == whole

    def test_those_of_another_workspace_are_not_among_them(
        self, pool: Pool, crowd: UUID, other_workspace: UUID
    ) -> None:
        assert len(listed(pool, crowd).rows) == 50
        found = listed(pool, other_workspace)
        assert (found.rows, found.total, found.exact) == ([], 0, True)
