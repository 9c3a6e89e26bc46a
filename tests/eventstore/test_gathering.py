"""What is asked in a pipeline goes out at once, when somebody waits."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest
from psycopg.errors import DivisionByZero

from application import contact as contacts
from domain.contact import CONTACT, CreateContact
from eventstore import gathering
from eventstore.append import Origin
from eventstore.database import Db, Pool, connection, one, reading
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections import contact as rows
from projections import contact_view
from schemas.contact import ContactView, NewContact
from schemas.wire.page import PageRequest


def activity_of(owner: Db, conn: Db) -> str:
    row = one(owner, "SELECT state FROM pg_stat_activity WHERE pid = %s", (conn.info.backend_pid,))
    assert row is not None
    return str(row[0])


class TestPipelines:
    def test_nothing_is_sent_before_somebody_waits(self, pool: Pool, owner: Db) -> None:
        with connection(pool) as conn, conn.pipeline():
            conn.say(b"BEGIN")
            found = conn.execute("SELECT 7")
            assert activity_of(owner, conn) == "idle"
            assert found.fetchone() == (7,)
            assert activity_of(owner, conn) == "active"
            conn.say(b"COMMIT")
        assert activity_of(owner, conn) == "idle"

    def test_answers_belong_to_their_statements_whatever_is_waited_for_first(self, pool: Pool) -> None:
        with connection(pool) as conn, conn.pipeline():
            found = [conn.execute("SELECT %s", (number,)) for number in range(300)]
            assert found[200].fetchone() == (200,)
            assert [cursor.fetchone() for cursor in found[:3]] == [(0,), (1,), (2,)]
        assert found[299].fetchone() == (299,)

    def test_an_error_is_raised_where_somebody_waits_and_the_connection_goes_on(self, pool: Pool) -> None:
        with connection(pool) as conn:
            with conn.pipeline():
                conn.execute("SELECT 1/0")
                after = conn.execute("SELECT 1")
                with pytest.raises(DivisionByZero):
                    after.fetchone()
            assert one(conn, "SELECT 2") == (2,)

    def test_what_is_larger_than_any_buffer_goes_out_too(self, pool: Pool) -> None:
        text = "x" * 3_000_000
        with connection(pool) as conn, conn.pipeline():
            found = [conn.execute("SELECT length(%s), %s", (text, text)) for _ in range(5)]
        assert [cursor.fetchone() for cursor in found] == [(3_000_000, text)] * 5

    def test_a_transaction_within_is_committed(self, pool: Pool, workspace: UUID) -> None:
        with reading(pool, workspace) as conn, conn.pipeline():
            assert conn.execute("SELECT current_workspace()").fetchone() == (workspace,)


class TestReadingInOne:
    def test_nothing_can_be_asked_behind_it(self, pool: Pool, workspace: UUID) -> None:
        with reading(pool, workspace, single=True) as conn:
            assert rows.CONTACTS.read(conn, [new_id()]) == []
            with pytest.raises(RuntimeError, match="no workspace"):
                rows.CONTACTS.read(conn, [new_id()])

    def test_its_connection_is_for_nobody_behind_it(self, pool: Pool, workspace: UUID) -> None:
        with reading(pool, workspace, single=True) as conn:
            rows.CONTACTS.read(conn, [new_id()])
            assert one(conn, "SELECT current_workspace()") == (None,)


@pytest.fixture
def trips(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many answers were waited for at a time, in pipelines."""
    found: list[int] = []
    fetch = gathering._Gathering._fetch_gen

    def counting(self: gathering._Gathering, *, flush: bool) -> object:
        if self.result_queue:
            found.append(len(self.result_queue))
        return fetch(self, flush=flush)

    monkeypatch.setattr(gathering._Gathering, "_fetch_gen", counting)
    return found


def tagged(unit: Work, email: str) -> ContactView:
    form = NewContact(first_name="Ann", email=email, tags=["VIP", "Lead"])
    return contacts.view(unit, contacts.create(unit, form))


class TestRoundTrips:
    """How often is waited for Postgres."""

    def test_a_contact_is_created_in_one(self, store: EventStore, origin: Origin, trips: list[int]) -> None:
        def create(unit: Work) -> None:
            unit.begin(CONTACT, new_id(), CreateContact(first_name="Ann"))

        store.run(origin, create)  # now the workspace's custom fields are known
        trips.clear()
        store.run(origin, create)
        assert len(trips) == 1

    def test_with_tags_that_there_are_in_two(self, store: EventStore, origin: Origin, trips: list[int]) -> None:
        store.run(origin, partial(tagged, email="a@example.com"))
        trips.clear()
        made = store.run(origin, partial(tagged, email="b@example.com")).value
        assert made.tags == ["VIP", "Lead"]
        assert [tag.slug for tag in made.tag_details] == ["vip", "lead"]
        assert len(trips) == 2

    def test_it_is_shown_in_one_with_its_tags(self, store: EventStore, origin: Origin, trips: list[int]) -> None:
        made = store.run(origin, partial(tagged, email="a@example.com")).value
        trips.clear()
        with reading(store.pool, origin.workspace_id, single=True) as conn:
            assert contact_view.views(conn, rows.CONTACTS.read(conn, [made.id])) == [made]
        assert len(trips) == 1

    def test_contacts_are_listed_in_one_with_their_tags(
        self, store: EventStore, origin: Origin, trips: list[int]
    ) -> None:
        made = [store.run(origin, partial(tagged, email=f"{name}@example.com")).value for name in "abc"]
        plain = store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), CreateContact(first_name="Bo"))).value
        trips.clear()
        with reading(store.pool, origin.workspace_id, single=True) as conn:
            found = rows.LISTING.fetch(conn, PageRequest())
            shown = contact_view.views(conn, found.rows)
        assert (shown[0].id, shown[1:], found.total) == (plain.id, made[::-1], 4)
        assert len(trips) == 1
