"""Whatever could lead the service past row-level security is found, and what is others' business is not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import pytest

from daybook.embedded import EmbeddedPostgres
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


def test_what_operators_keep_for_themselves_is_theirs(database: Db) -> None:
    with database.transaction(force_rollback=True):
        database.execute(
            f"CREATE SCHEMA aside; CREATE VIEW aside.peek AS {_PEEK}; CREATE TABLE public.counted (n integer);"
            f" CREATE VIEW public.seen WITH (security_invoker = on) AS {_PEEK}; GRANT SELECT ON public.seen TO daybook_app;"
            f" CREATE FUNCTION public.peek() RETURNS SETOF events LANGUAGE sql AS '{_PEEK}';"
            " GRANT EXECUTE ON FUNCTION pg_sleep(double precision) TO daybook_app;"
            " CREATE VIEW public.settings AS SELECT * FROM pg_show_all_settings();"
            " GRANT SELECT ON public.settings TO PUBLIC; ALTER EXTENSION plpgsql ADD VIEW public.settings".encode()
        )
        assert found(database) is None
