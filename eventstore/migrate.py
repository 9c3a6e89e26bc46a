"""Brings the schema up to date: numbered SQL files, each once, in one transaction each, under a lock."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import resources
from typing import Final

import psycopg
from psycopg import sql

from eventstore.database import Db
from eventstore.patience import within_time

LOCK: Final = 0x64617962
"""Advisory lock ("dayb"): one migration at a time."""

_LEAKPROOF: Final = (
    "textlike(text, text)", "textnlike(text, text)", "arraycontains(anyarray, anyarray)",
    "arrayoverlap(anyarray, anyarray)", "jsonb_contains(jsonb, jsonb)",
)  # fmt: skip


class MigrationError(Exception):
    """The schema cannot be brought up to date; the message says why."""


def connect(url: str) -> Db:
    """An autocommitting connection as the owner of the schema."""
    return Db.connect(within_time(url), autocommit=True)


def migrate(conn: Db, say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Applies what is missing and answers its names.

    Raises ``MigrationError`` when an applied file has changed since, or the role may not do what one does.
    """
    applied = []
    with alone(conn):
        conn.execute(
            "CREATE TABLE IF NOT EXISTS schema_migrations"
            " (name text PRIMARY KEY, digest bytea NOT NULL, applied_at timestamptz NOT NULL DEFAULT now())"
        )
        for name, text in files():
            try:
                with conn.transaction():
                    new = _apply(conn, name, text)
            except psycopg.errors.InsufficientPrivilege as error:
                raise MigrationError(_refused(conn, name, error)) from error
            if new:
                say(f"applied {name}")
                applied.append(name)
        _allow_index_use(conn)
    return applied


@contextmanager
def alone(conn: Db) -> Iterator[None]:
    """Waits until nobody else migrates or rebuilds, and keeps others waiting; may be nested."""
    conn.execute("SELECT pg_advisory_lock(%s)", (LOCK,))
    try:
        yield
    finally:
        if not conn.broken:
            conn.execute("SELECT pg_advisory_unlock(%s)", (LOCK,))


def make_tenant_table(conn: Db, name: str, statement: str) -> None:
    """Makes a table of which each row is a workspace's; nobody ever sees it unprotected.

    Migrations call the procedure themselves. Where tables are spread over machines, it is the place that says by what.
    """
    with conn.transaction():
        conn.execute(statement.encode())
        conn.execute("CALL protect_tenant_table(%s::regclass, 'SELECT, INSERT, UPDATE, DELETE')", (name,))


def set_password(conn: Db, role: str, password: str) -> None:
    """Sets a role's password; what is sent is already hashed (SCRAM), so that no server log has it."""
    hashed = conn.pgconn.encrypt_password(password.encode(), role.encode(), b"scram-sha-256").decode()
    conn.execute(sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(role), sql.Literal(hashed)))


def files() -> list[tuple[str, str]]:
    """The migrations that come with this version: name and text, in order."""
    folder = resources.files("eventstore") / "migrations"
    return sorted((file.name, file.read_text()) for file in folder.iterdir() if file.name.endswith(".sql"))


def _apply(conn: Db, name: str, text: str) -> bool:
    digest = sha256(text.encode()).digest()
    row = conn.execute("SELECT digest FROM schema_migrations WHERE name = %s", (name,)).fetchone()
    if row is not None:
        if row[0] != digest:
            raise MigrationError(f"{name} was applied in another form than this version has; it must not be edited")
        return False
    conn.execute(text.encode())
    conn.execute("INSERT INTO schema_migrations (name, digest) VALUES (%s, %s)", (name, digest))
    return True


def _refused(conn: Db, name: str, error: psycopg.Error) -> str:
    """What Postgres refused, and the right that is missing where it is the one to make schemas and extensions."""
    said = f"{name} cannot be applied: {error.diag.message_primary}"
    row = conn.execute(
        "SELECT format('GRANT CREATE ON DATABASE %I TO %I', current_database(), current_user),"
        " has_database_privilege(current_database(), 'CREATE')"
    ).fetchone()
    assert row is not None
    grant, has_it = row
    return said if has_it else f"{said}. Its role must be able to make schemas in the database: {grant}"


def _allow_index_use(conn: Db) -> None:
    """Lets searches use their indexes under row-level security (docs/adr/0003).

    Postgres evaluates a tenant policy before any operator that might leak its arguments in an error, and so cannot
    use an index for one. These operators' errors never show a row's value. Marking them takes a superuser; without
    one everything works, and searches scan the workspace.
    """
    row = conn.execute("SELECT rolsuper FROM pg_roles WHERE rolname = current_user").fetchone()
    if row is not None and row[0]:
        for function in _LEAKPROOF:
            conn.execute(sql.SQL("ALTER FUNCTION pg_catalog.{} LEAKPROOF").format(sql.SQL(function)))
