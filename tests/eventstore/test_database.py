"""Connections: the workspace that a transaction is for, and what the database says when a value is taken."""

from __future__ import annotations

from contextlib import ExitStack
from uuid import UUID

import psycopg
import pytest
from psycopg import sql

from daybook.embedded import EmbeddedPostgres
from domain.contact import CONTACT, CreateContact
from domain.kernel import Refused
from eventstore.append import Origin
from eventstore.database import Db, OtherVersion, Pool, connection, open_pool, reading, violated, within, writing
from eventstore.ids import new_id
from eventstore.lasting import in_bulk, snapshot
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import REBUILT, ROWS
from schemas.log import Actor
from tests.conftest import make_workspace
from tests.servers import another_database

_RAISE = "DO $$ BEGIN RAISE unique_violation USING MESSAGE = {message}, CONSTRAINT = {constraint}; END $$"


class TestTheWorkspaceOfATransaction:
    def test_is_known_to_postgres_and_to_the_connection_until_it_ends(self, pool: Pool, workspace: UUID) -> None:
        with reading(pool, workspace) as conn:
            assert conn.execute("SELECT current_workspace()").fetchone() == (conn.workspace_id,) == (workspace,)
        with connection(pool) as conn:
            with within(conn, workspace):
                assert conn.workspace_id == workspace
            assert conn.execute("SELECT current_workspace()").fetchone() == (None,)
            with pytest.raises(RuntimeError, match="for no workspace"):
                _ = conn.workspace_id

    def test_is_explicit(self, pool: Pool, workspace: UUID) -> None:
        """So that it holds where a statement is carried out on another machine."""
        with reading(pool, workspace) as conn:
            conn.execute("SAVEPOINT here")  # refused in a transaction that was not begun
            assert conn.execute("SELECT 1").fetchone() == (1,)

    def test_is_over_when_it_fails(self, pool: Pool, workspace: UUID) -> None:
        with pytest.raises(psycopg.errors.DivisionByZero), reading(pool, workspace) as conn:
            conn.execute("SELECT 1 / 0").fetchone()
        with connection(pool) as conn:
            assert conn.info.transaction_status == psycopg.pq.TransactionStatus.IDLE


def test_the_connection_that_was_given_back_last_is_given_out_first(postgres: EmbeddedPostgres) -> None:
    with open_pool(postgres.url(user="daybook_app"), size=3) as pool:
        pool.wait()
        taken = [pool.getconn() for _ in range(3)]
        for conn in taken:
            pool.putconn(conn)
        assert [pool.getconn() for _ in range(3)] == taken[::-1]
        for conn in taken:
            pool.putconn(conn)


class TestATableThatIsNotThere:
    """Tables are called by their version: what another version has made is looked for in vain."""

    def test_is_of_another_version(self, pool: Pool, workspace: UUID) -> None:
        with pytest.raises(OtherVersion), reading(pool, workspace) as conn:
            conn.execute("SELECT FROM contacts_v0").fetchone()

    def test_is_else_a_fault_of_ours(self, pool: Pool, workspace: UUID) -> None:
        with pytest.raises(psycopg.errors.UndefinedTable), reading(pool, workspace) as conn:
            conn.execute("SELECT FROM contcats").fetchone()


class TestAUniqueIndexOfAPart:
    @pytest.mark.parametrize(
        ("message", "constraint", "name"),
        [
            ("taken", "contacts_email", "contacts_email"),
            ("taken", "contacts_email_102008", "contacts_email"),
            (
                "taken",
                "events_0_workspace_id_stream_id_version_key_102031",
                "events_0_workspace_id_stream_id_version_key",
            ),
            ('duplicate key value violates unique constraint "contacts_email_102008"', "", "contacts_email"),
            ("something else", "", ""),
        ],
    )
    def test_is_known_by_the_name_of_the_whole(self, owner: Db, message: str, constraint: str, name: str) -> None:
        statement = sql.SQL(_RAISE).format(message=message, constraint=constraint)
        with pytest.raises(psycopg.errors.UniqueViolation) as caught:
            owner.execute(statement)
        assert violated(caught.value) == name

    def test_says_what_is_taken(self, postgres: EmbeddedPostgres) -> None:
        with another_database(postgres, "parts") as url, connect(url) as owner:
            owner.execute("ALTER INDEX contacts_email RENAME TO contacts_email_102008")
            origin = Origin(make_workspace(owner), Actor(type="system"))
            with open_pool(postgres.url("daybook_app", "parts"), size=1) as pool:
                store = EventStore(pool, ROWS)
                make = CreateContact(email="ada@engine.org")
                contact_id = store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), make).id).value
                with pytest.raises(Refused) as caught:
                    store.run(origin, lambda unit: unit.begin(CONTACT, new_id(), make))
        assert (caught.value.code, caught.value.existing_id) == ("conflict", str(contact_id))


@pytest.mark.parametrize("kind", ["snapshot", "in bulk"])
def test_a_transaction_that_may_take_longer_does_not_end_when_others_would(
    postgres: EmbeddedPostgres, workspace: UUID, kind: str
) -> None:
    """What a transaction may take has begun to run before it is said that it may be more."""
    with ExitStack() as stack:
        pool = stack.enter_context(open_pool(postgres.url(user="daybook_app"), size=1, patience=1.0))
        if kind == "snapshot":
            conn = stack.enter_context(snapshot(pool, workspace, REBUILT))
        else:
            conn = stack.enter_context(writing(pool, workspace))
            stack.enter_context(in_bulk(conn))
        for _ in range(4):
            conn.execute("SELECT pg_sleep(0.4)")
        assert conn.execute("SELECT 1").fetchone() == (1,)
