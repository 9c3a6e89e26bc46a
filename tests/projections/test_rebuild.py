"""Rebuilding rows from the log: the same rows, counts and protection as before, and nothing lost while others write."""

from __future__ import annotations

import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

import pytest

from daybook.embedded import EmbeddedPostgres
from domain.contact import CONTACT, Contact, CreateContact, DeleteContact, TagContact, UntagContact, UpdateContact
from domain.kernel import Refused
from domain.tag import TAG, CreateTag, DeleteTag, TagRef
from eventstore.append import Origin
from eventstore.database import Db, Pool, open_pool, reading
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from projections.catalogue import ROWS, TABLES
from projections.contact import CONTACTS
from projections.table.column import TEXT, Column
from projections.table.rebuild import ensure_tables, rebuild
from projections.table.rows import RowTable
from projections.tag_row import TAGS
from schemas.log import Actor
from tests.conftest import make_workspace
from tests.logs import log_end, whole_log
from tests.servers import another_database

DEFINITION = """
    SELECT indexname, indexdef FROM pg_indexes WHERE tablename = %(table)s UNION ALL
    SELECT column_name, concat_ws(' ', data_type, collation_name, is_nullable, ordinal_position)
        FROM information_schema.columns WHERE table_name = %(table)s UNION ALL
    SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE conrelid = to_regclass(%(table)s) AND contype <> 'n' UNION ALL
    SELECT grantee, privilege_type FROM information_schema.role_table_grants WHERE table_name = %(table)s UNION ALL
    SELECT policyname, qual FROM pg_policies WHERE tablename = %(table)s UNION ALL
    SELECT relname, concat_ws(' ', relrowsecurity, relforcerowsecurity, relowner) FROM pg_class WHERE relname = %(table)s
    ORDER BY 1, 2
"""


@dataclass
class House:
    """A database of its own, with two workspaces in which all kinds of things have happened."""

    owner: Db
    pool: Pool
    store: EventStore
    workspaces: list[UUID]

    def origin(self, workspace: UUID) -> Origin:
        return Origin(workspace, Actor(type="system"))

    def rows(self, table: str) -> list[tuple[Any, ...]]:
        return self.owner.execute(f"SELECT * FROM {table} ORDER BY workspace_id, id").fetchall()

    def counts(self) -> dict[tuple[UUID, str], int]:
        found = self.owner.execute("SELECT workspace_id, kind, n FROM row_counts WHERE n <> 0").fetchall()
        return {(workspace, kind): n for workspace, kind, n in found}

    def definition(self, table: str) -> list[tuple[str, str]]:
        return self.owner.execute(DEFINITION, {"table": table}).fetchall()


@pytest.fixture
def house(postgres: EmbeddedPostgres) -> Iterator[House]:
    with another_database(postgres, "rebuilding") as url, connect(url) as owner, service_pool(postgres) as pool:
        house = House(owner, pool, EventStore(pool, ROWS), [make_workspace(owner) for _ in range(2)])
        for number, workspace in enumerate(house.workspaces):
            live(house, workspace, random.Random(number), 40)
        yield house


def service_pool(postgres: EmbeddedPostgres) -> Pool:
    return open_pool(postgres.url(user="daybook_app", database="rebuilding"), size=12, timeout=30)


def live(house: House, workspace: UUID, chance: random.Random, units: int, stop: threading.Event | None = None) -> None:
    """Random commands, as many or until told to stop."""
    contacts: list[UUID] = []
    tags: list[UUID] = []

    def work(unit: Work) -> None:
        for _ in range(chance.randint(1, 3)):
            contact_id, tag_id = chance.choice([*contacts, None]), chance.choice([*tags, None])
            if contact_id is None:
                address = f"{chance.randint(0, 10**9)}@engine.org"
                contacts.append(unit.begin(CONTACT, new_id(), CreateContact(first_name="Ada", email=address)).id)
            elif tag_id is None:
                tags.append(unit.begin(TAG, new_id(), CreateTag(name=f"tag {chance.randint(0, 10**9)}")).id)
            else:
                unit.execute(
                    CONTACT,
                    contact_id,
                    chance.choice(
                        [
                            UpdateContact(city=f"city {chance.random()}"),
                            TagContact(tags=(TagRef(id=tag_id, name="tag"),)),
                            UntagContact(tags=(TagRef(id=tag_id, name="tag"),)),
                            DeleteContact(),
                        ]
                    ),
                )
                if chance.random() < 0.05:
                    unit.execute(TAG, tag_id, DeleteTag())

    for _ in range(units):
        try:
            house.store.run(house.origin(workspace), work, bulk=chance.random() < 0.2)
        except Refused as refusal:
            assert refusal.code in {"not_found", "conflict", "validation_failed"}, refusal  # noqa: PT017 - others are a failure of the test
        if stop is not None and stop.is_set():
            return


def test_a_rebuilt_table_has_the_same_rows_and_counts(house: House) -> None:
    for table in TABLES:
        rows, counts = house.rows(table.table), house.counts()
        assert rebuild(house.owner, table) == len(rows)
        assert house.rows(table.table) == rows
        assert house.counts() == counts
    assert house.rows(CONTACTS.table)
    assert any(kind.startswith("contact.tags:") for _, kind in house.counts())


def test_it_is_defined_and_protected_as_before(house: House) -> None:
    for table in TABLES:
        before = house.definition(table.table)
        rebuild(house.owner, table)
        assert house.definition(table.table) == before
        assert "daybook_app" in dict(before)
        assert house.owner.execute("SELECT to_regclass(%s)", (f"{table.table}_rebuilt",)).fetchone() == (None,)


def test_a_spoilt_row_and_a_spoilt_count_are_put_right(house: House) -> None:
    rows, counts = house.rows(CONTACTS.table), house.counts()
    house.owner.execute(f"UPDATE {CONTACTS.table} SET state = state || '{{\"city\": \"Atlantis\"}}', name = 'nobody'")
    house.owner.execute(f"DELETE FROM {CONTACTS.table} WHERE id = %s", (rows[0][1],))
    house.owner.execute("UPDATE row_counts SET n = n + 7")
    house.owner.execute("INSERT INTO row_counts VALUES (%s, %s, 3)", (house.workspaces[0], f"contact.tags:{new_id()}"))

    for table in TABLES:
        rebuild(house.owner, table)

    assert house.rows(CONTACTS.table) == rows
    assert house.counts() == counts


def test_what_an_interrupted_rebuild_left_behind_is_replaced(house: House) -> None:
    rows = house.rows(CONTACTS.table)
    house.owner.execute(f"CREATE TABLE {CONTACTS.table}_rebuilt (left_over integer)")
    rebuild(house.owner, CONTACTS)
    assert house.rows(CONTACTS.table) == rows


def test_a_new_version_of_a_table_is_built_by_itself(house: House) -> None:
    wider: RowTable[Contact] = replace(
        CONTACTS,
        version=CONTACTS.version + 1,
        columns=(*CONTACTS.columns, Column("city", TEXT, indexed=True)),
    )
    said: list[str] = []
    before = len(house.rows(CONTACTS.table))

    assert ensure_tables(house.owner, (wider, TAGS), said.append) == ["contacts"]

    assert said == [f"built contacts (version {wider.version}, {before} rows)"]
    cities = house.owner.execute(f"SELECT city, coalesce(state->>'city', '') FROM {wider.table}").fetchall()
    assert len(cities) == before
    assert all(city == wanted for city, wanted in cities)
    assert "contacts_with_city" in dict(house.definition(wider.table))
    assert ensure_tables(house.owner, (wider, TAGS)) == []


def test_progress_is_told(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("projections.table.rebuild.BATCH", 10)
    told: list[int] = []
    rebuild(house.owner, CONTACTS, told.append)
    (events,) = house.owner.execute("SELECT count(*) FROM events WHERE stream_type = 'contact'").fetchone() or (0,)
    assert events - 10 * len(house.workspaces) < sum(told) <= events


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_is_lost_while_others_write_and_read(house: House, seed: int) -> None:
    before = {workspace: log_end(house.pool, workspace)[0] for workspace in house.workspaces}
    stop = threading.Event()
    writers = [(workspace, random.Random(f"{seed} {writer}")) for writer in range(3) for workspace in house.workspaces]

    def look() -> None:
        while not stop.is_set():
            with reading(house.pool, house.workspaces[0]) as conn:
                conn.execute(f"SELECT count(*) FROM {CONTACTS.table}").fetchone()

    with ThreadPoolExecutor(len(writers) + 1) as threads:
        writing = [threads.submit(live, house, workspace, chance, 10_000, stop) for workspace, chance in writers]
        looking = threads.submit(look)
        try:
            for _ in range(3):
                for table in (CONTACTS, TAGS):
                    rebuild(house.owner, table)
        finally:
            stop.set()
        for future in (*writing, looking):
            future.result()

    for workspace in house.workspaces:
        assert len(whole_log(house.pool, workspace)) > before[workspace] + 40
    for table in (CONTACTS, TAGS):
        rows, counts = house.rows(table.table), house.counts()
        rebuild(house.owner, table)
        assert house.rows(table.table) == rows
        assert house.counts() == counts


def test_a_slow_reader_does_not_make_the_service_wait(house: House) -> None:
    """The swap gives way: while it cannot have the table, everybody else goes on."""
    workspace = house.workspaces[0]
    with connect(house.owner.info.dsn) as slow, ThreadPoolExecutor(1) as thread:
        with slow.transaction():
            slow.execute(f"SELECT count(*) FROM {CONTACTS.table}")
            rebuilding = thread.submit(rebuild, house.owner, CONTACTS)
            for _ in range(3):
                live(house, workspace, random.Random(5), 3)
            assert not rebuilding.done()
        assert rebuilding.result(timeout=30) == len(house.rows(CONTACTS.table))
