"""How a page as of a moment is found: in the order of an index, in which what came since is passed over without being read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from msgspec.structs import replace

from domain.contact import Contact
from domain.kernel.filter import Condition
from domain.tag import Tag
from eventstore.database import Db, Pool, reading
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.then import Then
from projections.catalogue import PAST
from projections.contact import CONTACTS, LISTING, listed
from projections.table.rows import RowTable
from projections.tag_row import TAGS
from projections.view.past import STILL
from schemas.wire.page import PageRequest, Sort
from tests.conftest import make_workspace
from tests.projections.test_asking import START

CONTACT_COUNT = 500
SINCE = 9
"""Versions of each that came behind the moment."""
RARE = new_id()
"""A tag that three of them have."""
MOMENT = Then(
    seq=CONTACT_COUNT,
    at=START,
    latest=START + timedelta(hours=1),
    view=(PAST.name, PAST.version),
    reached=CONTACT_COUNT,
)


@pytest.fixture(scope="module")
def workspace(owner: Db) -> UUID:
    """Contacts of which each was changed time and again behind the moment, in the past alone."""
    found = make_workspace(owner)
    rows = [row for number in range(CONTACT_COUNT) for row in versions(number)]
    put(owner, found, CONTACTS, rows)
    tag = Current(RARE, Tag(name="Rare", slug="rare", color=None), 1, START, START)
    put(owner, found, TAGS, [(*TAGS.values(found, tag)[1:], 1, STILL)])
    return found


def put(owner: Db, workspace: UUID, table: RowTable[Any], rows: list[tuple[Any, ...]]) -> None:
    (past,) = (found for found in PAST.tables if found.name == f"past_{table.name}")
    owner.execute(past.put(past.name).encode(), (*past.written(rows), workspace))
    owner.execute(f"VACUUM ANALYZE {past.name}")


def versions(number: int) -> Iterator[tuple[Any, ...]]:
    state = Contact(first_name=f"Ada {number}", email=f"{number}@example.com", tags=(RARE,) if number < 3 else ())
    contact_id = new_id()
    for version in range(SINCE + 1):
        changed, begun = START + timedelta(days=version), 1 + number + CONTACT_COUNT * version
        current = Current(contact_id, replace(state, job_title=f"{version}"), version + 1, START, changed)
        yield (*CONTACTS.values(contact_id, current)[1:], begun, begun + CONTACT_COUNT)


def plan(
    pool: Pool, workspace: UUID, monkeypatch: pytest.MonkeyPatch, sort: str, wanted: Condition | None = None
) -> str:
    """How what was asked last for a page as of the moment is carried out, measured."""
    asked: list[tuple[bytes, Any]] = []
    execute = Db.execute

    def heard(conn: Db, query: Any, params: Any = None, **how: Any) -> Any:
        asked.append((query, params))
        return execute(conn, query, params, **how)

    request = PageRequest(limit=20, sort=Sort(field=sort.removeprefix("-"), descending=sort.startswith("-")))
    with reading(pool, workspace, then=MOMENT) as conn:
        with monkeypatch.context() as patched:
            patched.setattr(Db, "execute", heard)
            assert listed(conn, request, wanted).rows
        query, params = asked[-1]
        return "\n".join(row[0] for row in conn.execute(b"EXPLAIN (ANALYZE) " + query, params))


@pytest.mark.parametrize("sort", [f"{sign}{name}" for name in sorted(LISTING.sorts) for sign in ("", "-")])
def test_a_page_in_any_order_reads_no_version_that_came_since(
    pool: Pool, workspace: UUID, monkeypatch: pytest.MonkeyPatch, sort: str
) -> None:
    column = LISTING.sorts[sort.removeprefix("-")].column
    lines = plan(pool, workspace, monkeypatch, sort).splitlines()
    (at,) = (at for at, line in enumerate(lines) if f"past_contacts_by_{column.removesuffix('_at')} " in line)
    walk = "\n".join(lines[at : at + 5])
    assert "Index Scan" in walk, lines
    assert "from_seq <=" in walk.partition("Filter:")[0], walk
    assert (f"{column} <=" in walk) == (column in CONTACTS.times), walk
    assert "Rows Removed by Filter" not in walk, walk


def test_a_tag_is_found_by_its_index(pool: Pool, workspace: UUID, monkeypatch: pytest.MonkeyPatch) -> None:
    found = plan(pool, workspace, monkeypatch, "name", Condition(field="tags", operator="has", value=str(RARE)))
    assert "Bitmap Index Scan on past_contacts_referring_by_tags" in found, found


def test_a_page_as_of_then_is_planned_as_read_from_memory(pool: Pool, workspace: UUID) -> None:
    """Else all that stood then is sorted, as wide as it is, where a filter finds much of some ten thousand."""
    with reading(pool, workspace, then=MOMENT) as conn:
        assert conn.execute("SHOW random_page_cost").fetchone() == ("1.1",)


def test_no_more_processes_are_started_for_a_page_as_of_then(pool: Pool, workspace: UUID) -> None:
    with reading(pool, workspace, then=MOMENT) as conn:
        assert conn.execute("SHOW max_parallel_workers_per_gather").fetchone() == ("0",)
    with reading(pool, workspace) as conn:
        assert conn.execute("SHOW max_parallel_workers_per_gather").fetchone() != ("0",)
