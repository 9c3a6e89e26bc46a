"""Real servers for tests: an embedded Postgres with Daybook's schema, and an embedded NATS."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from eventstore.migrate import connect, migrate
from projections.catalogue import TABLES, VIEWS
from projections.table.rebuild import ensure_tables
from projections.view.rebuild import ensure_views

FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "max_connections": "200"}
"""Nobody needs a test's data after a power cut."""


@contextmanager
def running_postgres(data: Path) -> Iterator[EmbeddedPostgres]:
    """A Postgres with Daybook's schema and row tables, whose data is in a directory of its own."""
    with EmbeddedPostgres(data, options=FAST) as postgres:
        prepare(postgres.url())
        yield postgres


@contextmanager
def running_nats(data: Path) -> Iterator[EmbeddedNats]:
    with EmbeddedNats(data) as nats:
        yield nats


def prepare(owner_url: str) -> None:
    """Brings a database up to date, as ``daybook migrate`` does."""
    with connect(owner_url) as conn:
        migrate(conn)
        ensure_tables(conn, TABLES)
        ensure_views(conn, VIEWS)


@contextmanager
def another_database(postgres: EmbeddedPostgres, name: str, *, prepared: bool = True) -> Iterator[str]:
    """A database of its own on the same server, for a test that changes the schema; the owner's URL."""
    with connect(postgres.url()) as conn:
        conn.execute(f"CREATE DATABASE {name}".encode())
        try:
            url = postgres.url(database=name)
            if prepared:
                prepare(url)
            yield url
        finally:
            conn.execute(f"DROP DATABASE {name} WITH (FORCE)".encode())
