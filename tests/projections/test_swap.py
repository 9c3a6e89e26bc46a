"""Putting a rebuilt table in its place while the service goes on, others hold the live one, or the rebuild is killed."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, Self
from uuid import UUID

import psycopg
import pytest

from daybook.embedded import EmbeddedPostgres
from domain.contact import CONTACT, Contact, CreateContact
from eventstore.database import Db, OtherVersion, reading
from eventstore.ids import new_id
from eventstore.migrate import alone, connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS, TABLES
from projections.contact import CONTACTS
from projections.table import swapping
from projections.table.column import TEXT, Column
from projections.table.following import Following, TooFarBehindError, events
from projections.table.rebuild import Rebuilding, ensure_tables, rebuild
from projections.table.rows import RowTable
from projections.table.swapping import SCHEMA, NotSwappedError
from projections.timeline import TIMELINE
from projections.verify import verify
from projections.view.rebuild import rebuild as rebuild_view
from tests.conftest import make_workspace
from tests.logs import log_end
from tests.projections.house import House, left_over, live
from tests.verify.tampering import write_contacts

NOBODY_WAITS_LONGER: Final = 0.25
"""Seconds for a table that is being replaced."""

_WAITING: Final = """
    SELECT coalesce(max(extract(epoch FROM clock_timestamp() - l.waitstart)), 0)::float8
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE NOT l.granted AND l.locktype = 'relation' AND a.usename = 'daybook_app'
        AND a.datname = current_database()
"""

WIDER: RowTable[Contact] = replace(
    CONTACTS, version=CONTACTS.version + 1, columns=(*CONTACTS.columns, Column("city", TEXT, indexed=True))
)
"""As the next version of Daybook may have it."""


@contextmanager
def held(house: House, table: str) -> Iterator[Db]:
    """Another session's transaction that has read the table, and is open."""
    with connect(house.owner.info.dsn) as other, other.transaction():
        other.execute(f"SELECT count(*) FROM {table}".encode())
        yield other


@contextmanager
def going_on(house: House, writers: int = 3) -> Iterator[None]:
    """Commands and reads, all the while."""
    stop = threading.Event()

    def look() -> None:
        while not stop.is_set():
            with reading(house.pool, house.workspaces[0]) as conn:
                conn.execute(f"SELECT count(*) FROM {CONTACTS.table}").fetchone()

    with ThreadPoolExecutor(writers + 1) as threads:
        done = [threads.submit(look)]
        for number in range(writers):
            workspace = house.workspaces[number % len(house.workspaces)]
            done.append(threads.submit(live, house, workspace, random.Random(f"on {number}"), 10**6, stop))
        try:
            yield
        finally:
            stop.set()
        for future in done:
            future.result()


class Waits:
    """The longest that any session of the service waited for a table, looked at all the while."""

    def __init__(self, house: House) -> None:
        self.longest = 0.0
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._look, args=(house.owner.info.dsn,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _look(self, dsn: str) -> None:
        with connect(dsn) as conn:
            while not self._stop.is_set():
                (waited,) = conn.execute(_WAITING).fetchone() or (0.0,)
                self.longest = max(self.longest, waited)
                time.sleep(0.005)


def assert_nothing_is_wrong(house: House) -> None:
    assert verify(house.owner).finding is None
    assert left_over(house.owner) == []


class TestOthersHoldIt:
    @pytest.mark.parametrize(
        "contacts", [0, pytest.param(200_000, marks=[pytest.mark.slow, pytest.mark.timeout(1800)])]
    )
    def test_nobody_waits_for_long_and_nothing_is_lost(
        self, house: House, contacts: int, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(swapping, "TELLING_SECONDS", 3.0)
        write_contacts(house.store, house.origin(house.workspaces[0]), contacts)
        said: list[str] = []

        def both() -> None:
            rebuild(house.owner, CONTACTS, say=said.append)
            rebuild_view(house.owner, TIMELINE)

        with going_on(house), Waits(house) as waits, ThreadPoolExecutor(1) as thread:
            with held(house, CONTACTS.table), held(house, TIMELINE.tables[0].name):
                rebuilding = thread.submit(both)
                wait_until(lambda: bool(said) or rebuilding.done(), 900)
                assert not rebuilding.done()
            rebuilding.result(timeout=900)
        assert 0 < waits.longest <= NOBODY_WAITS_LONGER
        assert_nothing_is_wrong(house)

    def test_it_is_said_who_does_and_given_up_in_the_end(self, house: House, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(swapping, "PATIENCE_SECONDS", 3.0)
        monkeypatch.setattr(swapping, "TELLING_SECONDS", 0.5)
        said: list[str] = []
        before = house.rows(CONTACTS.table)
        with held(house, CONTACTS.table) as other:
            who = f"{CONTACTS.table} is held by session {other.info.backend_pid} (postgres, idle in transaction)"
            with pytest.raises(NotSwappedError) as caught:
                rebuild(house.owner, CONTACTS, say=said.append)
        assert who in str(caught.value)
        assert len(said) >= 2
        assert all(line.startswith("waiting for ") and who in line for line in said)
        assert house.rows(CONTACTS.table) == before
        assert_nothing_is_wrong(house)

    def test_a_picture_that_an_auditor_has_made_is_not_spoilt(self, house: House) -> None:
        """Rows that were built after it would be missing from it."""
        stop = threading.Event()

        def go_on() -> None:
            while not stop.is_set():
                rebuild(house.owner, CONTACTS)

        with ThreadPoolExecutor(1) as thread, connect(house.owner.info.dsn) as auditor:
            rebuilding = thread.submit(go_on)
            try:
                findings = [verify(auditor).finding for _ in range(8)]
            finally:
                stop.set()
            rebuilding.result()
        assert findings == [None] * 8


class TestKilled:
    """With no chance to clean up."""

    @pytest.fixture
    def killed(self, house: House, point: str) -> House:
        """A house in which a rebuild of all contacts was killed at this point: it is kept from going further until then."""
        blocking, at = POINTS[point]
        url = house.owner.info.dsn
        with connect(url) as other, other.transaction():
            other.execute(blocking.encode())
            program = [sys.executable, "-m", "daybook", "projections", "rebuild", "contacts"]
            process = subprocess.Popen(program, env={**os.environ, "DATABASE_URL": url}, stdout=subprocess.DEVNULL)
            try:
                wait_until(lambda: (house.owner.execute(at.encode()).fetchone() or (False,))[0])
            finally:
                process.kill()
                process.wait()
            self.assert_nobody_gets_at_it(house)
        return house

    def assert_nobody_gets_at_it(self, house: House) -> None:
        """Not even who knows that it is there: it is closed, and protected like the others."""
        rows = house.owner.execute(
            "SELECT relname, relrowsecurity AND relforcerowsecurity AND EXISTS (SELECT FROM pg_policy p WHERE p.polrelid = c.oid)"
            f" FROM pg_class c WHERE relnamespace = '{SCHEMA}'::regnamespace AND relkind = 'r'".encode()
        ).fetchall()
        assert rows == [(CONTACTS.table, True)]
        refused = pytest.raises(psycopg.errors.InsufficientPrivilege)
        with house.pool.connection() as conn, refused:
            conn.execute(f"SELECT FROM {SCHEMA}.{CONTACTS.table}".encode())

    @pytest.mark.parametrize("point", ["filling", "waiting", "swapping"])
    def test_the_next_command_takes_away_what_is_left(self, killed: House) -> None:
        assert ensure_tables(killed.owner, TABLES) == []
        assert_nothing_is_wrong(killed)

    @pytest.mark.parametrize("point", ["filling", "waiting", "swapping"])
    def test_so_does_housekeeping_by_a_role_that_may_do_nothing_else_there(
        self, killed: House, postgres: EmbeddedPostgres
    ) -> None:
        with connect(postgres.url(user="daybook_worker", database="rebuilding")) as worker:
            wait_until(
                lambda: (
                    worker.execute("SELECT clear_rebuilding()").fetchone() is not None and not left_over(killed.owner)
                )
            )
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                worker.execute(f"CREATE TABLE {SCHEMA}.mine (id integer)".encode())
        assert_nothing_is_wrong(killed)


POINTS: Final = {
    "filling": (
        "LOCK TABLE log_heads IN ACCESS EXCLUSIVE MODE",
        f"SELECT EXISTS (SELECT FROM pg_class WHERE relname = '{CONTACTS.table}' AND relnamespace = '{SCHEMA}'::regnamespace)",
    ),
    "waiting": (
        f"LOCK TABLE {CONTACTS.table} IN ACCESS SHARE MODE",
        f"SELECT count(*) = 2 FROM pg_class WHERE relname = '{CONTACTS.name}_email'",
    ),
    "swapping": (
        f"SELECT FROM projection_versions WHERE name = '{CONTACTS.name}' FOR UPDATE",
        "SELECT EXISTS (SELECT FROM pg_locks WHERE locktype = 'transactionid' AND NOT granted)",
    ),
}
"""What keeps a rebuild from going on, and whether it has come to there."""


def wait_until(holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_what_somebody_is_rebuilding_is_not_taken_away(house: House, postgres: EmbeddedPostgres) -> None:
    with alone(house.owner), connect(postgres.url(user="daybook_worker", database="rebuilding")) as worker:
        building = Rebuilding(house.owner, CONTACTS)
        building.fill()
        assert worker.execute("SELECT clear_rebuilding()").fetchone() == ([],)
        building.index()
        building.finish()
    assert_nothing_is_wrong(house)


def create(store: EventStore, house: House, workspace: UUID) -> UUID:
    command = CreateContact(first_name="Ada", city="London")
    return store.run(house.origin(workspace), lambda unit: unit.begin(CONTACT, new_id(), command).id).value


class TestRollingDeploy:
    """Processes of two versions at a time."""

    def test_the_old_ones_are_refused_and_nothing_that_they_wrote_is_lost(self, house: House) -> None:
        workspace = house.workspaces[0]
        new = EventStore(house.pool, {**ROWS, "contact": WIDER})
        written: list[UUID] = []

        def write_until_refused() -> None:
            while True:
                written.append(create(house.store, house, workspace))

        with pytest.raises(OtherVersion):
            create(new, house, workspace)
        with ThreadPoolExecutor(2) as threads:
            writing = [threads.submit(write_until_refused) for _ in range(2)]
            wait_until(lambda: len(written) > 20)
            assert ensure_tables(house.owner, (WIDER,)) == ["contacts"]
            for each in writing:
                with pytest.raises(OtherVersion):
                    each.result(timeout=30)

        end = log_end(house.pool, workspace)
        with pytest.raises(OtherVersion):
            create(house.store, house, workspace)
        assert log_end(house.pool, workspace) == end
        written.append(create(new, house, workspace))
        with reading(house.pool, workspace) as conn:
            assert {current.state.city for current in WIDER.load(conn, written).values()} == {"London"}
            assert len(WIDER.load(conn, written)) == len(written)
        cities = house.owner.execute(f"SELECT count(*) FROM {WIDER.table} WHERE city = 'London'".encode()).fetchone()
        assert cities == (len(written),)

    def test_the_old_ones_read_nothing_that_is_of_yesterday(self, house: House) -> None:
        ensure_tables(house.owner, (WIDER,))
        with pytest.raises(OtherVersion), reading(house.pool, house.workspaces[0]) as conn:
            CONTACTS.load(conn, [new_id()])

    def test_the_older_version_can_be_gone_back_to(self, house: House) -> None:
        rows = house.rows(CONTACTS.table)
        ensure_tables(house.owner, (WIDER,))
        assert ensure_tables(house.owner, (CONTACTS,)) == ["contacts"]
        assert house.rows(CONTACTS.table) == rows
        assert_nothing_is_wrong(house)

    def test_a_table_of_before_versions_were_in_names_is_replaced(self, house: House) -> None:
        house.owner.execute(f"ALTER TABLE {CONTACTS.table} RENAME TO contacts".encode())
        assert ensure_tables(house.owner, TABLES) == ["contacts"]
        assert house.owner.execute("SELECT to_regclass('contacts')").fetchone() == (None,)
        assert_nothing_is_wrong(house)


class TestFollowing:
    def test_only_logs_that_have_grown_are_looked_at_again(self, house: House) -> None:
        following = Following(house.owner)
        behind = following.behind()
        assert {each.workspace_id for each in behind} >= set(house.workspaces)
        following.seen.update((each.workspace_id, each.seq) for each in behind)
        live(house, house.workspaces[1], random.Random(7), 3)
        (grown,) = following.behind()
        assert (grown.workspace_id, grown.seq) == (house.workspaces[1], log_end(house.pool, house.workspaces[1])[0])

    def test_what_was_under_way_at_a_look_is_seen_at_the_next(self, house: House) -> None:
        workspace = make_workspace(house.owner)
        following = Following(house.owner)
        with connect(house.owner.info.dsn) as other:
            with other.transaction():
                other.execute("UPDATE log_heads SET seq = 5 WHERE workspace_id = %s", (workspace,))
                house.owner.execute("UPDATE log_heads SET seq = seq WHERE workspace_id = %s", (house.workspaces[0],))
                following.seen.update((each.workspace_id, each.seq) for each in following.behind())
            assert [each[0] for each in following.behind()] == [workspace]

    def test_too_much_is_refused_and_seen_again(self, house: House) -> None:
        following = Following(house.owner)
        with pytest.raises(TooFarBehindError):
            following.behind(most=1)
        behind = following.behind()
        assert events(behind) == sum(log_end(house.pool, workspace)[0] for workspace in house.workspaces)
