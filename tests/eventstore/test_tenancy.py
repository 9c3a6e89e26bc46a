"""One workspace never sees or touches another's data: the database itself keeps them apart, whatever the code does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
import pytest
from psycopg import sql
from psycopg.errors import InsufficientPrivilege

from daybook.embedded import EmbeddedPostgres
from eventstore.database import Db, entering
from eventstore.ids import new_id
from eventstore.migrate import connect
from projections.contact import CONTACTS
from tests.servers import another_database

OPEN: Final = {"account_workspaces", "sessions", "api_key_secrets"}
"""They say which workspace a request is for, so they are read before one is known; no customer's data is in them."""

WORKERS_SEE_ALL: Final = {"log_heads", "consumer_checkpoints", "webhook_deliveries", "jobs", "outbox"}
"""What workers look through to find out where there is something to do."""

NEVER_CHANGED: Final = {"events", "log_checkpoints"}

VALUES: Final[dict[str, Any]] = {
    "uuid": None,  # a new one each time
    "bigint": 1,
    "integer": 1,
    "smallint": 1,
    "boolean": True,
    "numeric": 1,
    "double precision": 1,
    "text": "text",
    "bytea": bytes(32),
    "jsonb": "{}",
    "timestamp with time zone": "2026-03-15T10:30:00Z",
    "date": "2026-03-15",
    "smallint[]": "{}",
    "text[]": "{}",
    "uuid[]": "{}",
}
CHECKED: Final = {
    ("webhook_deliveries", "status"): "pending",
    ("jobs", "status"): "processing",
    ("outbox", "status"): "pending",
}

_TENANT_TABLES: Final[LiteralString] = """
    SELECT c.relname, c.relispartition, c.relrowsecurity, c.relforcerowsecurity
    FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'workspace_id' AND NOT a.attisdropped
    WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
"""
_COLUMNS: Final[LiteralString] = """
    SELECT attname, format_type(atttypid, NULL) FROM pg_attribute
    WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""


@dataclass(frozen=True)
class Tenants:
    """A database with a row of each of two workspaces in every tenant table."""

    postgres: EmbeddedPostgres
    database: str
    tables: list[str]
    one: UUID
    other: UUID

    @contextmanager
    def as_role(self, role: str, workspace: UUID | None) -> Iterator[Db]:
        """A transaction of that role for that workspace, undone in the end."""
        url = self.postgres.url(user=role, database=self.database)
        with connect(url) as conn, conn.transaction(force_rollback=True):
            if workspace is not None:
                conn.execute(entering(workspace))
            yield conn


@pytest.fixture(scope="module")
def tenants(postgres: EmbeddedPostgres) -> Iterator[Tenants]:
    with another_database(postgres, "tenancy") as url, connect(url) as owner:
        tables = [name for name, partition, *_ in owner.execute(_TENANT_TABLES) if not partition and name not in OPEN]
        one, other = new_id(), new_id()
        for table in tables:
            for workspace in (one, other):
                insert(owner, table, workspace)
        yield Tenants(postgres, "tenancy", sorted(tables), one, other)


def insert(conn: Db, table: str, workspace: UUID) -> None:
    columns: dict[str, str] = dict(conn.execute(_COLUMNS, (table,)).fetchall())
    row = {name: new_id() if kind == "uuid" else VALUES[kind] for name, kind in columns.items()}
    row |= {column: value for (of, column), value in CHECKED.items() if of == table}
    row["workspace_id"] = workspace
    names = sql.SQL(", ").join(map(sql.Identifier, row))
    marks = sql.SQL(", ").join([sql.Placeholder()] * len(row))
    conn.execute(
        sql.SQL("INSERT INTO {} ({}) VALUES ({})").format(sql.Identifier(table), names, marks), list(row.values())
    )


def seen(conn: Db, table: str) -> set[UUID]:
    """The workspaces whose rows are visible."""
    rows = conn.execute(sql.SQL("SELECT workspace_id FROM {}").format(sql.Identifier(table)))
    return {row[0] for row in rows}


def touched(conn: Db, statement: str, table: str, workspace: UUID) -> int:
    """How many rows a statement reaches; none where it is not allowed at all."""
    try:
        with conn.transaction():
            return conn.execute(sql.SQL(statement).format(sql.Identifier(table)), (workspace,)).rowcount
    except InsufficientPrivilege:
        return 0


class TestTables:
    def test_every_table_of_workspaces_has_row_security_enabled_and_forced(self, owner: Db) -> None:
        found = owner.execute(_TENANT_TABLES).fetchall()
        unprotected = {name for name, _, enabled, forced in found if not (enabled and forced)}
        assert len(found) > 20
        assert unprotected == OPEN

    def test_every_key_begins_with_the_workspace(self, owner: Db) -> None:
        """So that tables can be spread over machines by it."""
        rows = owner.execute(
            "SELECT c.relname, a.attname FROM pg_index i JOIN pg_class c ON c.oid = i.indrelid"
            " JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum = i.indkey[0]"
            " WHERE i.indisprimary AND c.relnamespace = 'public'::regnamespace"
            " AND EXISTS (SELECT FROM pg_attribute w WHERE w.attrelid = c.oid AND w.attname = 'workspace_id')"
        ).fetchall()
        assert {table for table, first in rows if first != "workspace_id"} <= OPEN

    def test_only_a_tables_owner_and_the_service_have_rights_to_it(self, owner: Db) -> None:
        rows = owner.execute(
            "SELECT DISTINCT grantee FROM information_schema.table_privileges WHERE table_schema = 'public'"
        )
        assert {row[0] for row in rows} <= {"postgres", "daybook_app", "daybook_worker"}


class TestRoles:
    @pytest.mark.parametrize("role", ["daybook_app", "daybook_worker"])
    def test_the_service_is_nobody_special(self, owner: Db, role: str) -> None:
        row = owner.execute(
            "SELECT rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication FROM pg_roles WHERE rolname = %s",
            (role,),
        ).fetchone()
        assert row == (False,) * 5

    @pytest.mark.parametrize("role", ["daybook_app", "daybook_worker"])
    def test_the_service_owns_nothing_and_creates_nothing(self, tenants: Tenants, owner: Db, role: str) -> None:
        """An owner could switch row security off."""
        assert owner.execute("SELECT relname FROM pg_class WHERE relowner = %s::regrole", (role,)).fetchall() == []
        with tenants.as_role(role, tenants.one) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute("CREATE TABLE mine ()")
        with tenants.as_role(role, tenants.one) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(f"ALTER TABLE {CONTACTS.table} DISABLE ROW LEVEL SECURITY")

    def test_row_security_cannot_be_switched_off_for_a_session(self, tenants: Tenants) -> None:
        """Postgres then refuses to answer rather than to answer too much."""
        with tenants.as_role("daybook_app", tenants.one) as conn:
            conn.execute("SET LOCAL row_security = off")
            with pytest.raises(InsufficientPrivilege):
                conn.execute(f"SELECT FROM {CONTACTS.table}")


class TestReading:
    def test_a_workspace_sees_its_own_rows_and_no_others(self, tenants: Tenants) -> None:
        with tenants.as_role("daybook_app", tenants.one) as conn:
            assert [table for table in tenants.tables if seen(conn, table) != {tenants.one}] == []

    def test_without_a_workspace_nothing_is_seen(self, tenants: Tenants) -> None:
        with tenants.as_role("daybook_app", None) as conn:
            assert [table for table in tenants.tables if seen(conn, table)] == []

    def test_an_unknown_workspace_sees_nothing(self, tenants: Tenants) -> None:
        with tenants.as_role("daybook_app", new_id()) as conn:
            assert [table for table in tenants.tables if seen(conn, table)] == []

    def test_workers_see_only_where_there_is_something_to_do(self, tenants: Tenants) -> None:
        with tenants.as_role("daybook_worker", None) as conn:
            wide = {table for table in tenants.tables if seen(conn, table)}
        assert wide == WORKERS_SEE_ALL

    def test_a_workers_view_for_one_workspace_is_that_of_the_service(self, tenants: Tenants) -> None:
        narrow = [table for table in tenants.tables if table not in WORKERS_SEE_ALL]
        with tenants.as_role("daybook_worker", tenants.one) as conn:
            assert [table for table in narrow if seen(conn, table) != {tenants.one}] == []

    def test_the_workspace_is_forgotten_when_the_transaction_ends(self, tenants: Tenants) -> None:
        url = tenants.postgres.url(user="daybook_app", database=tenants.database)
        with connect(url) as conn:
            with conn.transaction():
                conn.execute(entering(tenants.one))
                assert seen(conn, CONTACTS.table)
            assert not seen(conn, CONTACTS.table)
            with conn.pipeline():
                conn.execute(entering(tenants.one))
                assert seen(conn, CONTACTS.table)
            assert not seen(conn, CONTACTS.table)

    def test_partitions_are_not_read_directly(self, tenants: Tenants) -> None:
        for part in range(8):
            with tenants.as_role("daybook_app", tenants.one) as conn, pytest.raises(InsufficientPrivilege):
                seen(conn, f"events_{part}")


class TestWriting:
    @pytest.mark.parametrize("role", ["daybook_app", "daybook_worker"])
    def test_another_workspaces_rows_are_not_deleted(self, tenants: Tenants, role: str) -> None:
        with tenants.as_role(role, tenants.one) as conn:
            reached = [
                table
                for table in tenants.tables
                if touched(conn, "DELETE FROM {} WHERE workspace_id = %s", table, tenants.other)
            ]
        assert reached == []

    @pytest.mark.parametrize("role", ["daybook_app", "daybook_worker"])
    def test_another_workspaces_rows_are_not_changed(self, tenants: Tenants, role: str) -> None:
        """Not by a worker either, which sees some of them."""
        with tenants.as_role(role, tenants.one) as conn:
            statement = "UPDATE {} SET workspace_id = workspace_id WHERE workspace_id = %s"
            assert [table for table in tenants.tables if touched(conn, statement, table, tenants.other)] == []

    def test_a_row_is_not_moved_to_another_workspace(self, tenants: Tenants) -> None:
        with tenants.as_role("daybook_app", tenants.one) as conn:
            statement = "UPDATE {} SET workspace_id = %s"
            assert [table for table in tenants.tables if touched(conn, statement, table, new_id())] == []

    def test_nothing_is_written_for_another_workspace(self, tenants: Tenants) -> None:
        for table in tenants.tables:
            with tenants.as_role("daybook_app", tenants.one) as conn, pytest.raises(InsufficientPrivilege):
                insert(conn, table, tenants.other)

    def test_what_is_refused_to_others_is_allowed_to_oneself(self, tenants: Tenants) -> None:
        """Else the tests above could not fail."""
        with tenants.as_role("daybook_app", tenants.one) as conn:
            assert touched(
                conn, "UPDATE {} SET workspace_id = workspace_id WHERE workspace_id = %s", CONTACTS.table, tenants.one
            )
            assert touched(conn, "DELETE FROM {} WHERE workspace_id = %s", CONTACTS.table, tenants.one)
            insert(conn, CONTACTS.table, tenants.one)


class TestAppendOnly:
    @pytest.mark.parametrize("role", ["daybook_app", "daybook_worker"])
    @pytest.mark.parametrize("table", sorted(NEVER_CHANGED))
    @pytest.mark.parametrize(
        "statement",
        [
            "UPDATE {} SET hash = hash",
            "DELETE FROM {}",
            "TRUNCATE {}",
            "SELECT FROM {} FOR UPDATE",
        ],
    )
    def test_what_was_written_down_stays(self, tenants: Tenants, role: str, table: str, statement: str) -> None:
        with tenants.as_role(role, tenants.one) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute(sql.SQL(statement).format(sql.Identifier(table)))

    @pytest.mark.parametrize("role", ["daybook_app", "daybook_worker"])
    def test_a_log_is_not_begun_anew(self, tenants: Tenants, role: str) -> None:
        with tenants.as_role(role, tenants.one) as conn, pytest.raises(InsufficientPrivilege):
            conn.execute("DELETE FROM log_heads")

    def test_no_seq_and_no_version_is_given_twice(self, tenants: Tenants) -> None:
        with tenants.as_role("daybook_app", tenants.one) as conn, pytest.raises(psycopg.errors.UniqueViolation):
            insert(conn, "events", tenants.one)
