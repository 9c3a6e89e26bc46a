"""A table in parts: every stream is in one of them, whoever copies it, and what comes meanwhile is not lost."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
import pytest

from daybook.sharing import sharing
from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.migrate import MigrationError, connect
from projections.catalogue import TABLES
from projections.contact import CONTACTS
from projections.table import parts
from projections.table.parts import Copied, Part, batches, copy
from projections.table.rebuild import ensure_tables, rebuild
from projections.table.rows import RowTable
from projections.verify import verify
from tests.logs import log_end
from tests.projections.house import House, left_over, live
from tests.projections.test_swap import wait_until


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 7)


def events_of(house: House, workspace: UUID) -> list[UUID]:
    rows = house.owner.execute(
        "SELECT stream_id FROM events WHERE workspace_id = %s AND stream_type = 'contact'", (workspace,)
    )
    return [row[0] for row in rows]


def test_each_stream_is_in_one_part(house: House) -> None:
    found = [part for batch in batches(house.owner, CONTACTS) for part in batch]
    for workspace in house.workspaces:
        streams = events_of(house, workspace)
        theirs = [part for part in found if part.workspace_id == workspace]
        assert len(theirs) > 3
        assert all(sum(part.first <= stream <= part.last for part in theirs) == 1 for stream in streams)
        assert sum(part.events for part in theirs) == len(streams)


def test_parts_are_as_large_as_said_but_for_long_streams(house: House) -> None:
    for batch in batches(house.owner, CONTACTS):
        assert len(batch) == 1 or sum(part.events for part in batch) <= parts.PART
        for part in batch:
            streams = Counter(
                stream for stream in events_of(house, part.workspace_id) if part.first <= stream <= part.last
            )
            assert sum(streams.values()) < parts.PART + max(streams.values(), default=0)


def test_small_logs_are_a_batch_together(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 10_000)
    (batch,) = batches(house.owner, CONTACTS)
    assert {part.workspace_id for part in batch} == set(house.workspaces)


def test_of_a_kind_of_which_nothing_has_happened_there_is_nothing_to_do(house: House) -> None:
    (imports,) = (table for table in TABLES if table.decider.stream_type == "contact_import")
    assert batches(house.owner, imports) == []


class Meanwhile:
    """Copies parts in the reverse order, and has something happen to their streams before each."""

    def __init__(self, house: House) -> None:
        self._house = house
        self.parts = 0

    def __call__(self, table: RowTable[Any], into: str, found: Iterable[Sequence[Part]]) -> Iterator[Copied]:
        for part in [part for batch in found for part in batch][::-1]:
            live(self._house, part.workspace_id, random.Random(self.parts), 2)
            with connect(self._house.owner.info.dsn) as writer:
                yield copy(self._house.owner, writer, table, into, part, EventMapper())
            self.parts += 1


def test_what_happens_between_two_parts_is_caught_up_with(house: House) -> None:
    meanwhile = Meanwhile(house)
    before = [log_end(house.pool, workspace)[0] for workspace in house.workspaces]
    rebuild(house.owner, CONTACTS, share=meanwhile)
    assert meanwhile.parts > 6
    assert [log_end(house.pool, workspace)[0] for workspace in house.workspaces] > before
    assert verify(house.owner).finding is None


def children(pid: int | None = None) -> list[psutil.Process]:
    """The processes that share work; the interpreter has one more that looks after semaphores."""
    return [child for child in psutil.Process(pid).children(recursive=True) if "spawn_main" in command(child)]


def command(process: psutil.Process) -> str:
    """What it was started with; nothing of one that has ended."""
    try:
        return " ".join(process.cmdline())
    except psutil.NoSuchProcess:
        return ""


def test_several_processes_make_the_same_rows_and_counts_as_one(house: House) -> None:
    rows, counts = {table: house.rows(table.table) for table in TABLES}, house.counts()
    with sharing(house.owner.info.dsn, 2) as share:
        for table in TABLES:
            assert rebuild(house.owner, table, share=share) == len(rows[table])
        assert len(children()) == 2
    assert {table: house.rows(table.table) for table in TABLES} == rows
    assert house.counts() == counts
    assert children() == []
    assert left_over(house.owner) == []


def test_a_new_version_is_built_by_several(house: House) -> None:
    house.owner.execute("UPDATE projection_versions SET version = version - 1 WHERE name = 'contacts'")
    rows = house.rows(CONTACTS.table)
    with sharing(house.owner.info.dsn, 2) as share:
        assert ensure_tables(house.owner, TABLES, share=share) == ["contacts"]
        assert children()
    assert house.rows(CONTACTS.table) == rows


def test_where_there_is_little_to_do_nobody_is_started(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parts, "PART", 10_000)
    with sharing(house.owner.info.dsn, 2) as share:
        rebuild(house.owner, CONTACTS, share=share)
        assert children() == []


def test_one_process_shares_nothing(house: House) -> None:
    with sharing(house.owner.info.dsn, 1) as share:
        assert share is None


def spoil(conn: Db, workspace: UUID) -> None:
    conn.execute(
        "UPDATE events SET version = 99 WHERE workspace_id = %s AND stream_type = 'contact' AND version = 1"
        " AND seq = (SELECT min(seq) FROM events WHERE workspace_id = %s AND stream_type = 'contact' AND version = 1)",
        (workspace, workspace),
    )


def test_what_one_of_them_cannot_read_is_told_and_nothing_changes(house: House) -> None:
    rows = house.rows(CONTACTS.table)
    house.owner.execute("ALTER TABLE events DISABLE TRIGGER USER")
    spoil(house.owner, house.workspaces[1])
    with sharing(house.owner.info.dsn, 2) as share, pytest.raises(Exception, match="is missing, or of no known type"):
        rebuild(house.owner, CONTACTS, share=share)
    assert house.rows(CONTACTS.table) == rows
    assert children() == []
    assert left_over(house.owner) == []


def test_where_one_of_them_is_killed_nothing_changes(house: House) -> None:
    rows = house.rows(CONTACTS.table)
    with sharing(house.owner.info.dsn, 2) as share:
        assert share is not None

        def killing(table: RowTable[Any], into: str, found: Iterable[Sequence[Part]]) -> Iterator[Copied]:
            for number, copied in enumerate(share(table, into, found)):
                if number == 0:
                    children()[0].send_signal(signal.SIGKILL)
                    time.sleep(0.2)
                yield copied
            # All may have been done already: the next finds that one is gone.
            yield from share(table, into, found)

        with pytest.raises(MigrationError, match="has ended before its time; nothing has changed"):
            rebuild(house.owner, CONTACTS, share=killing)
    assert house.rows(CONTACTS.table) == rows
    assert left_over(house.owner) == []


_PROGRAM = """
import sys
from uuid import UUID
from daybook.sharing import sharing
from projections.contact import CONTACTS
from projections.table.parts import Part
if __name__ == "__main__":
    with sharing(sys.argv[1], 2) as share:
        list(share(CONTACTS, "rebuilding.nowhere", [[Part(UUID(int=n), 1)] for n in range(2)]))
"""


def test_they_end_with_who_started_them_however_that_ends(house: House, tmp_path: Path) -> None:
    program = tmp_path / "program.py"
    program.write_text(_PROGRAM)
    with connect(house.owner.info.dsn) as other, other.transaction():
        other.execute("LOCK TABLE log_heads IN ACCESS EXCLUSIVE MODE")
        started = subprocess.Popen(
            [sys.executable, str(program), house.owner.info.dsn], env={**os.environ, "PYTHONPATH": str(Path.cwd())}
        )
        try:
            wait_until(lambda: len(children(started.pid)) == 2 and waiting(house) == 2)
            theirs = children(started.pid)
        finally:
            started.kill()
            started.wait()
        gone, alive = psutil.wait_procs(theirs, timeout=20)
    assert len(gone) == 2
    assert alive == []


def waiting(house: House) -> int:
    """Sessions that wait for a table."""
    row = house.owner.execute(
        "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'log_heads'::regclass"
    ).fetchone()
    return 0 if row is None else int(row[0])
