"""Rebuilding rows from the log: the same rows, counts and protection as before, and nothing lost while others write."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from domain.contact import Contact
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.migrate import connect
from projections.catalogue import TABLES
from projections.contact import CONTACTS
from projections.table.column import TEXT, Column
from projections.table.rebuild import ensure_tables, rebuild
from projections.table.rows import RowTable
from projections.table.swapping import SCHEMA
from projections.tag_row import TAGS
from tests.logs import log_end, whole_log
from tests.projections.house import House, left_over, live


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
        assert left_over(house.owner) == []


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
    house.owner.execute(f"CREATE TABLE {SCHEMA}.{CONTACTS.table} (left_over integer)")
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
    monkeypatch.setattr("projections.table.parts.PART", 10)
    told: list[tuple[int, int]] = []
    rebuild(house.owner, CONTACTS, lambda *said: told.append(said))
    (events,) = house.owner.execute("SELECT count(*) FROM events WHERE stream_type = 'contact'").fetchone() or (0,)
    assert sum(more for more, _ in told) == events
    assert {total for _, total in told} == {events}
    assert len(told) >= events // 10


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
