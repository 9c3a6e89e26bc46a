"""Bringing the schema up to date: each file once, whole or not at all, and never in another form than it was applied."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from daybook.embedded import EmbeddedPostgres
from eventstore import migrate as migrations
from eventstore.database import Db
from eventstore.migrate import MigrationError, connect, files, migrate
from projections.catalogue import TABLES
from projections.table.rebuild import ensure_tables
from tests.servers import another_database

SHAPE = """
    SELECT table_name, column_name, data_type, column_default, is_nullable
    FROM information_schema.columns WHERE table_schema = 'public' ORDER BY 1, 2
"""


@pytest.fixture
def url(postgres: EmbeddedPostgres) -> Iterator[str]:
    """An empty database's."""
    with another_database(postgres, "migrating", prepared=False) as url:
        yield url


@pytest.fixture
def conn(url: str) -> Iterator[Db]:
    with connect(url) as conn:
        yield conn


def with_file(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """A version of Daybook that has this file too, or in this form."""
    found = sorted((dict(files()) | {name: text}).items())
    monkeypatch.setattr(migrations, "files", lambda: found)


def test_every_migration_is_applied_once_and_in_order(conn: Db) -> None:
    said: list[str] = []
    names = [name for name, _ in files()]
    assert names == sorted(names)
    assert names
    assert migrate(conn, said.append) == names
    assert said == [f"applied {name}" for name in names]

    shape = conn.execute(SHAPE).fetchall()
    assert migrate(conn, said.append) == []
    assert len(said) == len(names)
    assert conn.execute(SHAPE).fetchall() == shape


def test_row_tables_are_made_once(conn: Db) -> None:
    migrate(conn)
    said: list[str] = []
    assert ensure_tables(conn, TABLES, said.append) == [table.name for table in TABLES]
    assert len(said) == len(TABLES)
    assert ensure_tables(conn, TABLES, said.append) == []
    assert len(said) == len(TABLES)


def test_a_new_file_is_applied_to_what_is_there(conn: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(conn)
    with_file(monkeypatch, "9999_more.sql", "CREATE TABLE more (id integer); INSERT INTO more VALUES (1);")
    assert migrate(conn) == ["9999_more.sql"]
    assert migrate(conn) == []
    assert conn.execute("SELECT id FROM more").fetchall() == [(1,)]


def test_an_edited_file_is_refused(conn: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    migrate(conn)
    name, text = files()[0]
    with_file(monkeypatch, name, text + "\n-- a harmless remark\n")
    with pytest.raises(MigrationError, match=f"{name} was applied in another form"):
        migrate(conn)


def test_a_file_that_fails_leaves_nothing(conn: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    with_file(monkeypatch, "9999_broken.sql", "CREATE TABLE half (id integer); SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        migrate(conn)
    assert conn.execute("SELECT to_regclass('half'), to_regclass('events')::text").fetchone() == (None, "events")

    with_file(monkeypatch, "9999_broken.sql", "CREATE TABLE half (id integer);")
    assert migrate(conn) == ["9999_broken.sql"]


@pytest.fixture
def plain_owner(conn: Db, url: str) -> Iterator[Db]:
    """A role that owns what is in the database, but may make nothing beside the tables in it."""
    name = conn.info.dbname
    conn.execute("CREATE ROLE plain_owner LOGIN")
    conn.execute(f"REVOKE CREATE ON DATABASE {name} FROM PUBLIC".encode())
    conn.execute("CREATE EXTENSION pg_trgm; CREATE EXTENSION btree_gin")
    conn.execute("GRANT ALL ON SCHEMA public TO plain_owner WITH GRANT OPTION")
    try:
        with connect(make_conninfo(url, user="plain_owner")) as plain:
            yield plain
    finally:
        conn.execute("DROP OWNED BY plain_owner CASCADE")
        conn.execute("DROP ROLE plain_owner")


def test_an_owner_who_may_make_no_schemas_is_told_what_to_grant(conn: Db, plain_owner: Db) -> None:
    grant = f"GRANT CREATE ON DATABASE {conn.info.dbname} TO plain_owner"
    with pytest.raises(
        MigrationError, match=f"permission denied for database .* must be able to make schemas .*{grant}"
    ):
        migrate(plain_owner)
    conn.execute(grant.encode())
    assert files()[-1][0] in migrate(plain_owner)
    assert ensure_tables(plain_owner, TABLES) == [table.name for table in TABLES]


def test_what_else_an_owner_may_not_do_is_told_as_postgres_says_it(
    conn: Db, plain_owner: Db, monkeypatch: pytest.MonkeyPatch
) -> None:
    conn.execute(f"GRANT CREATE ON DATABASE {conn.info.dbname} TO plain_owner".encode())
    with_file(monkeypatch, "0000_first.sql", "SELECT pg_read_file('/etc/hostname')")
    with pytest.raises(MigrationError, match=r"0000_first.sql cannot be applied: permission denied for function \w+$"):
        migrate(plain_owner)


def test_several_may_start_at_once(url: str) -> None:
    """Every process of a new version may migrate before it serves."""

    def start(_: int) -> list[str]:
        with connect(url) as conn:
            return migrate(conn) + ensure_tables(conn, TABLES)

    with ThreadPoolExecutor(4) as threads:
        applied = list(threads.map(start, range(4)))

    wanted = sorted([name for name, _ in files()] + [table.name for table in TABLES])
    assert sorted(name for names in applied for name in names) == wanted


def test_jobs_of_an_earlier_version_keep_what_they_came_to(conn: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    everything = files()
    monkeypatch.setattr(migrations, "files", lambda: [file for file in everything if file[0] < "0010"])
    migrate(conn)
    conn.execute(
        "INSERT INTO jobs (workspace_id, id, kind, status, options, actor_type, total, processed, created, updated, skipped,"
        " errors, leased_until) SELECT gen_random_uuid(), gen_random_uuid(), 'contact_import', status, '{}', 'user', 20, 10,"
        " 4, 3, 2, 1, until FROM (VALUES ('processing', now() + interval '1 h'), ('failed', NULL)) AS jobs (status, until)"
    )
    monkeypatch.setattr(migrations, "files", lambda: everything)
    migrate(conn)
    found = conn.execute("SELECT status, total, processed, counts, due_at > now() FROM jobs ORDER BY status").fetchall()
    counts = {"created": 4, "updated": 3, "skipped": 2, "errors": 1}
    assert found == [("failed", 20, 10, counts, False), ("processing", 20, 10, counts, True)]


def test_searches_may_use_their_indexes_under_row_security(conn: Db) -> None:
    migrate(conn)
    rows = conn.execute(
        "SELECT proname FROM pg_proc WHERE proleakproof"
        " AND proname IN ('textlike', 'textnlike', 'arraycontains', 'arrayoverlap', 'jsonb_contains')"
    )
    assert {row[0] for row in rows} == {"textlike", "textnlike", "arraycontains", "arrayoverlap", "jsonb_contains"}
