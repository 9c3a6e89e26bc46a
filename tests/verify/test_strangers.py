"""Whatever could lead the service past row-level security is found, and what is others' business is not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest

from daybook.embedded import EmbeddedPostgres
from daybook.openapi import ROOT
from eventstore import protection
from eventstore.database import Db
from eventstore.migrate import connect
from tests.servers import another_database
from tests.verify.test_beside import found


@pytest.fixture(scope="module")
def database(postgres: EmbeddedPostgres) -> Iterator[Db]:
    """A database of their own for those who change its schema."""
    with another_database(postgres, "protection") as url, connect(url) as owner:
        yield owner


_PEEK: Final = "SELECT * FROM public.events"
OF_STRANGERS: dict[str, tuple[str, str, str]] = {
    "a view with its owner's rights": (
        f"CREATE VIEW public.peek AS {_PEEK}; GRANT SELECT ON public.peek TO daybook_app",
        "public.peek",
        "rights to it",
    ),
    "a view for everybody in a schema of its own": (
        (
            f"CREATE SCHEMA aside; CREATE VIEW aside.peek AS {_PEEK}; GRANT USAGE ON SCHEMA aside TO PUBLIC;"
            " GRANT SELECT (data) ON aside.peek TO PUBLIC"
        ),
        "aside.peek",
        "rights to it",
    ),
    "a view that is kept": (
        f"CREATE MATERIALIZED VIEW public.peek AS {_PEEK}; GRANT SELECT ON public.peek TO daybook_worker",
        "public.peek",
        "rights to it",
    ),
    "a copy of a table": (
        (
            f"CREATE SCHEMA aside; CREATE TABLE aside.copied AS {_PEEK}; GRANT USAGE ON SCHEMA aside TO daybook_app;"
            " GRANT SELECT ON aside.copied TO daybook_app"
        ),
        "aside.copied",
        "rights to it",
    ),
    "a copy without its workspaces": (
        "CREATE TABLE public.copied AS SELECT data FROM public.events; GRANT SELECT ON public.copied TO daybook_app",
        "public.copied",
        "rights to it",
    ),
    "a function with its owner's rights": (
        f"CREATE FUNCTION public.peek() RETURNS SETOF events SECURITY DEFINER LANGUAGE sql AS '{_PEEK}'",
        "",
        "function peek(), with the rights of its owner",
    ),
    "a function that is made part of an extension": (
        (
            f"CREATE FUNCTION public.peek() RETURNS SETOF events SECURITY DEFINER LANGUAGE sql AS '{_PEEK}';"
            " ALTER EXTENSION plpgsql ADD FUNCTION public.peek()"
        ),
        "",
        "function peek(), with the rights of its owner",
    ),
    "a view that is made part of an extension": (
        (
            f"CREATE VIEW public.peek AS {_PEEK}; GRANT SELECT ON public.peek TO daybook_app;"
            " ALTER EXTENSION plpgsql ADD VIEW public.peek"
        ),
        "public.peek",
        "rights to it",
    ),
    "a copy that is made part of an extension": (
        (
            "CREATE TABLE public.copied AS SELECT data FROM public.events; GRANT SELECT ON public.copied TO daybook_app;"
            " ALTER EXTENSION plpgsql ADD TABLE public.copied"
        ),
        "public.copied",
        "rights to it",
    ),
    "a view among the server's own": (
        (
            f"SET LOCAL allow_system_table_mods = on; CREATE VIEW pg_catalog.peek AS {_PEEK};"
            " GRANT SELECT ON pg_catalog.peek TO daybook_app"
        ),
        "pg_catalog.peek",
        "rights to it",
    ),
    "a function that is found before those that migrations make": (
        "CREATE FUNCTION past.unaccent(text) RETURNS text LANGUAGE sql AS 'SELECT $1'",
        "",
        "function past.unaccent(text), where the past is read",
    ),
    "a sequence": (
        "CREATE SEQUENCE public.numbers; GRANT USAGE ON SEQUENCE public.numbers TO daybook_worker",
        "public.numbers",
        "rights to it",
    ),
    "a sequence that tells how far it is": (
        "CREATE SEQUENCE public.numbers; GRANT SELECT ON SEQUENCE public.numbers TO daybook_app",
        "public.numbers",
        "rights to it",
    ),
    "a right to make what is found first": (
        "GRANT CREATE ON SCHEMA public TO daybook_app",
        "",
        "rights to make things in schema public, or to get into it",
    ),
    "a right to what is being rebuilt": (
        "GRANT USAGE ON SCHEMA rebuilding TO daybook_worker",
        "",
        "rights to make things in schema rebuilding, or to get into it",
    ),
    "a right to make schemas": (
        "GRANT CREATE ON DATABASE protection TO daybook_app",
        "",
        "rights to make things in database protection, or to get into it",
    ),
    "another place to look for tables": (
        "ALTER ROLE daybook_app IN DATABASE protection SET search_path = aside",
        "",
        "search_path=aside",
    ),
    "sessions in which no reference is checked": (
        "ALTER DATABASE protection SET session_replication_role = replica",
        "",
        "session_replication_role=replica",
    ),
}


@pytest.mark.parametrize(("edit", "table", "says"), OF_STRANGERS.values(), ids=OF_STRANGERS)
def test_what_no_migration_makes_and_the_service_can_use_is_found(
    database: Db, edit: str, table: str, says: str
) -> None:
    with database.transaction(force_rollback=True):
        database.execute(edit.encode())
        finding = found(database)
    assert finding is not None
    assert (finding.table or "", finding.found) == (table, says)
    assert finding.expected == "nothing that `daybook migrate` does not make"


@pytest.mark.parametrize(
    ("edit", "whose", "thing"),
    [
        ("GRANT SELECT ON pg_authid TO daybook_app", "daybook_app", "pg_authid"),
        ("GRANT SELECT (rolpassword) ON pg_authid TO PUBLIC", "all roles", "pg_authid.rolpassword"),
        ("GRANT EXECUTE ON FUNCTION pg_read_file(text) TO daybook_worker", "daybook_worker", "pg_read_file(text)"),
    ],
)
def test_a_right_to_the_servers_own_catalogue_is_found(database: Db, edit: str, whose: str, thing: str) -> None:
    with database.transaction(force_rollback=True):
        database.execute(edit.encode())
        finding = found(database)
    assert finding is not None
    assert (finding.what, finding.found) == (f"rights of {whose}", f"rights to {thing}")


_WIDEN: Final = (
    "CREATE FUNCTION widen() RETURNS event_trigger LANGUAGE plpgsql AS"
    " $$ BEGIN GRANT SELECT ON ALL TABLES IN SCHEMA public TO daybook_app; END $$;"
)
OF_MAKING: dict[str, tuple[str, str, str]] = {
    "an event trigger": (
        f"{_WIDEN} CREATE EVENT TRIGGER widening ON ddl_command_end WHEN TAG IN ('CREATE INDEX') EXECUTE FUNCTION widen()",
        "event trigger widening",
        "widen() at ddl_command_end",
    ),
    "tables": (
        "ALTER DEFAULT PRIVILEGES GRANT TRUNCATE ON TABLES TO daybook_app",
        "rights of daybook_app",
        "TRUNCATE on tables that postgres makes",
    ),
    "tables where they are rebuilt": (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA rebuilding GRANT SELECT ON TABLES TO PUBLIC",
        "rights of all roles",
        "SELECT on tables that postgres makes",
    ),
    "sequences": (
        "ALTER DEFAULT PRIVILEGES IN SCHEMA public GRANT UPDATE ON SEQUENCES TO daybook_worker",
        "rights of daybook_worker",
        "UPDATE on sequences that postgres makes",
    ),
    "functions": (
        "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO daybook_app",
        "rights of daybook_app",
        "EXECUTE on functions that postgres makes",
    ),
    "schemas": (
        "ALTER DEFAULT PRIVILEGES GRANT CREATE ON SCHEMAS TO daybook_app",
        "rights of daybook_app",
        "CREATE on schemas that postgres makes",
    ),
}


@pytest.mark.parametrize(("edit", "what", "says"), OF_MAKING.values(), ids=OF_MAKING)
def test_what_would_give_more_than_migrations_to_all_that_is_made_is_found(
    database: Db, monkeypatch: pytest.MonkeyPatch, edit: str, what: str, says: str
) -> None:
    """What migrations make is made under it too, so nothing that is compared with that would tell."""
    monkeypatch.setattr(protection, "_EXPECTED", {})
    with database.transaction(force_rollback=True):
        database.execute(edit.encode())
        finding = found(database)
    assert finding is not None
    assert (finding.what, finding.found) == (what, says)
    assert finding.expected == "nothing that `daybook migrate` does not make"


def test_what_operators_keep_for_themselves_is_theirs(database: Db, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protection, "_EXPECTED", {})
    with database.transaction(force_rollback=True):
        database.execute(
            f"CREATE SCHEMA aside; CREATE VIEW aside.peek AS {_PEEK}; CREATE TABLE public.counted (n integer);"
            f" CREATE VIEW public.seen WITH (security_invoker = on) AS {_PEEK}; GRANT SELECT ON public.seen TO daybook_app;"
            f" CREATE FUNCTION public.peek() RETURNS SETOF events LANGUAGE sql AS '{_PEEK}';"
            " GRANT EXECUTE ON FUNCTION pg_sleep(double precision) TO daybook_app;"
            f" {_WIDEN} CREATE EVENT TRIGGER widening ON ddl_command_end EXECUTE FUNCTION widen();"
            " ALTER EVENT TRIGGER widening DISABLE; CREATE SEQUENCE public.numbers;"
            " CREATE FUNCTION noted() RETURNS event_trigger LANGUAGE internal AS 'suppress_redundant_updates_trigger';"
            " CREATE EVENT TRIGGER noting ON sql_drop WHEN TAG IN ('DROP CAST') EXECUTE FUNCTION noted();"
            " ALTER DEFAULT PRIVILEGES IN SCHEMA aside GRANT SELECT ON TABLES TO PUBLIC;"
            " ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;"
            " CREATE VIEW public.settings AS SELECT * FROM pg_show_all_settings();"
            " GRANT SELECT ON public.settings TO PUBLIC; ALTER EXTENSION plpgsql ADD VIEW public.settings".encode()
        )
        assert found(database) is None


NOT_LOOKED_AT: Final = {
    "constraints": "ALTER TABLE log_checkpoints ADD CONSTRAINT more CHECK (true)",
    "indexes": "CREATE INDEX more ON events (seq)",
    "publications": "CREATE PUBLICATION everything FOR ALL TABLES",
    "foreign servers": (
        "CREATE FOREIGN DATA WRAPPER away; CREATE SERVER far FOREIGN DATA WRAPPER away;"
        " GRANT USAGE ON FOREIGN SERVER far TO daybook_app"
    ),
    "rights to change settings": "GRANT SET ON PARAMETER log_statement TO daybook_app",
}


@pytest.mark.parametrize(("what", "edit"), NOT_LOOKED_AT.items(), ids=NOT_LOOKED_AT)
def test_what_the_page_for_auditors_says_is_not_looked_at_is_not(database: Db, what: str, edit: str) -> None:
    (said,) = re.findall(r"Constraints, indexes, .*", (ROOT / "docs" / "auditing.md").read_text())
    assert what in said.lower()
    with database.transaction(force_rollback=True):
        database.execute(edit.encode())
        assert found(database) is None
