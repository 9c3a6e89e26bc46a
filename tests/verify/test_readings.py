"""What the past is read by is what this Daybook makes: verify finds a view in its schemas that answers something else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from eventstore.database import Db, one
from eventstore.verify import MismatchError
from projections.catalogue import VIEWS
from projections.contact import CONTACTS
from projections.tag_row import TAGS
from projections.verify import verify
from projections.view.readings import check_readings

PAST = f"past.{CONTACTS.table}"
ASSIGNED = f"past_assigned.{CONTACTS.table}"
STOOD = "(to_seq > ( SELECT (current_setting('daybook.as_of'::text))::bigint AS current_setting))"


@pytest.fixture
def changing(owner: Db) -> Iterator[Db]:
    """Whatever is changed is taken back."""
    with owner.transaction(force_rollback=True):
        yield owner


def defined(conn: Db, name: str) -> str:
    row = one(conn, "SELECT pg_get_viewdef(%s::regclass)", (name,))
    assert row is not None
    return str(row[0]).rstrip(";")


def test_those_that_migrate_makes_are_as_they_should_be(owner: Db) -> None:
    check_readings(owner, VIEWS)
    check_readings(owner, VIEWS)


@pytest.mark.parametrize("name", [PAST, ASSIGNED])
def test_one_that_shows_more_than_what_stood_then_is_found(changing: Db, name: str) -> None:
    definition = defined(changing, name)
    assert STOOD in definition
    changing.execute(f"CREATE OR REPLACE VIEW {name} AS {definition.replace(STOOD, 'true')}".encode())
    with pytest.raises(MismatchError) as raised:
        check_readings(changing, VIEWS)
    finding = raised.value.finding
    assert (finding.table, finding.what) == (name, "definition")
    assert STOOD in (finding.expected or "")
    assert STOOD not in (finding.found or "")


@pytest.mark.parametrize(
    ("change", "name", "what"),
    [
        (f"ALTER VIEW {PAST} RESET (security_invoker)", PAST, "options"),
        (f"GRANT INSERT ON {PAST} TO daybook_app", PAST, "rights"),
        (f"REVOKE SELECT ON {ASSIGNED} FROM daybook_app", ASSIGNED, "rights"),
        (f"CREATE RULE nothing AS ON DELETE TO {PAST} DO INSTEAD NOTHING", PAST, "triggers and rules"),
        (f"DROP VIEW {PAST}", PAST, "reading"),
        (f"DROP VIEW past.{TAGS.table}; CREATE TABLE past.{TAGS.table} (id uuid)", f"past.{TAGS.table}", "kind"),
        ("CREATE TABLE past_assigned.users_v1 (id uuid)", "past_assigned.users_v1", "reading"),
    ],
)
def test_whatever_else_is_otherwise_is_found(changing: Db, change: str, name: str, what: str) -> None:
    changing.execute(change.encode())
    with pytest.raises(MismatchError) as raised:
        check_readings(changing, VIEWS)
    assert (raised.value.finding.table, raised.value.finding.what) == (name, what)


def test_verify_says_so(owner: Db) -> None:
    owner.execute(f"GRANT INSERT ON {PAST} TO daybook_app".encode())
    try:
        finding = verify(owner, workspaces=[]).finding
    finally:
        owner.execute(f"REVOKE INSERT ON {PAST} FROM daybook_app".encode())
    assert finding is not None
    assert (finding.table, finding.found) == (PAST, "daybook_app: INSERT, daybook_app: SELECT")
    assert verify(owner, workspaces=[]).finding is None
