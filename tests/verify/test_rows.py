"""Whatever is not as the log has it is found in the rows, and where; so are events that no stream can have."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final, LiteralString, NoReturn
from uuid import UUID

import pytest
from psycopg import sql

from domain.company import COMPANY, CreateCompany
from domain.contact import ContactCreated as Created
from domain.contact import ContactDeleted, ContactTagged
from domain.pipeline import PIPELINE, CreatePipeline
from domain.stage import STAGE, CreateStage
from domain.tag import TagCreated
from eventstore.append import Origin
from eventstore.database import Db, Pool
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.verify import MismatchError, Report, snapshot
from eventstore.work import Work
from projections.catalogue import TABLES
from projections.contact import CONTACTS
from projections.tag_row import TAGS
from projections.verify import verify, verify_rows
from tests.verify.tampering import EVENTS, Auditor, Past, write_raw

# What follows is well chained: only the fold can tell.


@pytest.mark.parametrize(
    ("stream_type", "version", "event", "what"),
    [
        ("contact", 4, ContactDeleted(), "version"),
        ("tag", 3, ContactDeleted(), "stream type"),
        ("contact", 3, TagCreated(name="A", slug="a", color=None), "event type"),
        ("contact", 3, "contact.abducted", "event type"),
        ("contact", 3, "contact.tag_added", "data"),
    ],
)
def test_an_event_that_does_not_belong_in_its_stream_is_found(
    auditor: Auditor,
    pool: Pool,
    origin: Origin,
    past: Past,
    stream_type: str,
    version: int,
    event: ContactDeleted | TagCreated | str,
    what: str,
) -> None:
    stream = new_id()
    created = Created(first_name="Eve")
    tagged = ContactTagged(tag_id=past.tag, tag_name="Großkunde")
    write_raw(pool, origin, ("contact", stream, 1, created), ("contact", stream, 2, tagged))
    write_raw(pool, origin, (stream_type, stream, version, event))
    assert (auditor.finding().seq, auditor.finding().what) == (EVENTS + 3, what)


def test_a_stream_that_does_not_begin_at_its_beginning_is_found(
    auditor: Auditor, pool: Pool, origin: Origin, past: Past
) -> None:
    write_raw(pool, origin, ("contact", new_id(), 2, Created(first_name="Eve")))
    finding = auditor.finding()
    assert (finding.seq, finding.what, finding.expected, finding.found) == (EVENTS + 1, "version", "1", "2")


def test_a_stream_of_an_unknown_type_is_found(auditor: Auditor, pool: Pool, origin: Origin, past: Past) -> None:
    write_raw(pool, origin, ("spaceship", new_id(), 1, Created(first_name="Eve")))
    assert (auditor.finding().seq, auditor.finding().what) == (EVENTS + 1, "stream type")


def test_events_that_a_decider_cannot_fold_are_found(owner: Db, workspace: UUID, past: Past) -> None:
    def evolve(*_: object) -> NoReturn:
        raise AssertionError("never decided")

    tables = [replace(table, decider=replace(table.decider, evolve=evolve)) for table in TABLES]
    message = r"expected one that can follow .* found AssertionError\('never decided'\)"
    with pytest.raises(MismatchError, match=message), snapshot(owner):
        verify_rows(owner, workspace, Report(), tables=tables)


CHANGED: dict[str, LiteralString] = {
    "integer": "{} + 1",
    "boolean": "NOT {}",
    "jsonb": """{} || '{{"x": 1}}'""",
    "text": "{} || 'x'",
    "text[]": "array_append({}, 'x')",
    "timestamptz": "{} + interval '1 microsecond'",
    "uuid": "gen_random_uuid()",
    "uuid[]": "array_append({}, gen_random_uuid())",
}
"""By type, an expression for a value that a row does not have."""


TABLE_OF: Final = {table.name: table.table for table in TABLES}


def columns() -> Iterator[tuple[str, str, str]]:
    """Table, column and type: every column of the tables that ``write_past`` leaves rows in."""
    common = ("version", "created_at", "updated_at", "state")
    for table in TABLES:
        if table.decider.stream_type in {"contact", "tag", "api_key", "webhook"}:
            for name in (*common, *table.definitions):
                yield table.name, name, table.kinds[name]


@pytest.mark.parametrize(("table", "column", "kind"), list(columns()))
def test_an_edited_row_is_found(auditor: Auditor, past: Past, table: str, column: str, kind: str) -> None:
    value = sql.SQL(CHANGED[kind]).format(sql.Identifier(column))
    auditor.tamper(
        sql.SQL("UPDATE {} SET {} = {} WHERE workspace_id = %(w)s").format(
            sql.Identifier(TABLE_OF[table]), sql.Identifier(column), value
        )
    )
    finding = auditor.finding()
    assert (finding.table, finding.what) == (table, "value")
    assert finding.column == (f"{column}.x" if kind == "jsonb" else column)
    assert finding.row_id in {past.tag, past.ada, past.api_key, past.webhook}
    assert finding.expected != finding.found


@pytest.mark.parametrize(
    ("edit", "column", "expected", "found"),
    [
        ("""state = jsonb_set(state, '{email}', '"eve@example.com"')""", "state.email", '"ada@example.com"', '"eve@example.com"'),
        ("state = jsonb_set(state, '{customFields,vip}', '1')", "state.customFields.vip", "true", "1"),
        ("state = jsonb_set(state, '{customFields,score}', '0.2')", "state.customFields.score", "0.1", "0.2"),
        ("state = state #- '{customFields,vip}'", "state.customFields.vip", "true", "nothing"),
        ("state = state #- '{email}'", "state.email", '"ada@example.com"', "nothing"),
        ("state = jsonb_set(state, '{source}', 'null')", "state.source", "nothing", "null"),
        ("state = '[]'", "state", None, "[]"),
        ("email = 'eve@example.com'", "email", "ada@example.com", "eve@example.com"),
        ("tags = '{}'", "tags", None, "{}"),
        ("tags = NULL", "tags", None, "nothing"),
        ("dnc = NULL", "dnc", "false", "nothing"),
        ("created_at = 'infinity'", "created_at", None, "infinity"),
        ("updated_at = '4000-01-01 BC'", "updated_at", None, "4000-01-01 00:00:00+00 BC"),
        ("custom_fields = jsonb_set(custom_fields, '{score}', '0.10000000000000000001')", "custom_fields.score", "0.1", "0.10000000000000000001"),
    ],
)  # fmt: skip
def test_a_finding_in_a_row_says_what_the_log_has(
    auditor: Auditor, past: Past, edit: LiteralString, column: str, expected: str | None, found: str | None
) -> None:
    nullable = [edit.split(" ")[0]] if "NULL" in edit else []
    with constraints_lifted(auditor.owner, nullable):
        auditor.tamper(
            f"UPDATE {CONTACTS.table} SET " + edit + " WHERE workspace_id = %(w)s AND id = %(id)s", id=past.ada
        )
        finding = auditor.finding()
        auditor.tamper(f"DELETE FROM {CONTACTS.table} WHERE workspace_id = %(w)s")
    assert (finding.table, finding.row_id, finding.column) == ("contacts", past.ada, column)
    assert expected is None or finding.expected == expected
    assert found is None or finding.found == found


@contextmanager
def constraints_lifted(owner: Db, names: list[str]) -> Iterator[None]:
    for name in names:
        owner.execute(sql.SQL(f"ALTER TABLE {CONTACTS.table} ALTER {{}} DROP NOT NULL").format(sql.Identifier(name)))
    yield
    for name in names:
        owner.execute(sql.SQL(f"ALTER TABLE {CONTACTS.table} ALTER {{}} SET NOT NULL").format(sql.Identifier(name)))


def test_a_missing_row_is_found(auditor: Auditor, past: Past) -> None:
    auditor.tamper(f"DELETE FROM {CONTACTS.table} WHERE workspace_id = %(w)s AND id = %(id)s", id=past.ada)
    finding = auditor.finding()
    assert (finding.table, finding.row_id, finding.what) == ("contacts", past.ada, "row")
    assert (finding.expected, finding.found) == ("a row of version 4", "none")


@pytest.mark.parametrize("place", ["00000000-0000-7000-8000-000000000000", "ffffffff-ffff-7fff-bfff-ffffffffffff"])
def test_a_surplus_row_is_found_wherever_it_sorts(auditor: Auditor, past: Past, place: str) -> None:
    copy_tag(auditor, past.tag, UUID(place))
    finding = auditor.finding()
    assert (finding.table, finding.row_id, finding.what) == ("tags", UUID(place), "row")
    assert finding.expected == "no row: the log has no such stream"


def test_a_row_of_a_stream_that_has_ended_is_found(auditor: Auditor, past: Past) -> None:
    auditor.tamper(f"UPDATE {CONTACTS.table} SET id = %(gone)s WHERE workspace_id = %(w)s", gone=past.gone)
    auditor.tamper(
        "DELETE FROM events WHERE workspace_id = %(w)s AND stream_id = %(id)s", id=past.ada
    )  # rows alone are looked at here
    with pytest.raises(MismatchError) as caught, snapshot(auditor.owner):
        verify_rows(auditor.owner, auditor.workspace_id, Report())
    assert (caught.value.finding.row_id, caught.value.finding.expected) == (past.gone, "no row: the stream has ended")


def test_a_row_of_another_kind_for_a_stream_is_found(auditor: Auditor, past: Past) -> None:
    copy_tag(auditor, past.tag, past.ada)
    assert (auditor.finding().table, auditor.finding().row_id) == ("tags", past.ada)


def copy_tag(auditor: Auditor, tag: UUID, new: UUID) -> None:
    auditor.tamper(
        f"INSERT INTO {TAGS.table} (workspace_id, id, version, created_at, updated_at, state, name, slug)"
        f" SELECT workspace_id, %(new)s, version, created_at, updated_at, state, 'x', 'x' FROM {TAGS.table}"
        " WHERE workspace_id = %(w)s AND id = %(id)s",
        id=tag,
        new=new,
    )


@pytest.mark.parametrize(
    ("tampering", "expected", "found"),
    [
        ("UPDATE row_counts SET n = n + 1 WHERE workspace_id = %(w)s AND kind = %(tag)s", "1", "2"),
        ("DELETE FROM row_counts WHERE workspace_id = %(w)s AND kind = %(tag)s", "1", "no count"),
        ("INSERT INTO row_counts VALUES (%(w)s, 'contact.tags:x', 1)", "0", "1"),
    ],
)
def test_a_wrong_count_is_found(
    auditor: Auditor, past: Past, tampering: LiteralString, expected: str, found: str
) -> None:
    auditor.tamper(tampering, tag=f"contact.tags:{past.tag}")
    finding = auditor.finding()
    assert (finding.table, finding.what, finding.expected, finding.found) == ("row_counts", "count", expected, found)
    assert finding.column is not None
    assert finding.column.startswith("contact.tags:")


@pytest.mark.parametrize(
    ("tampering", "expected", "found"),
    [
        ("UPDATE activity_counts SET n = n + 1 WHERE workspace_id = %(w)s AND type = 'tag.created'", "1", "2"),
        ("DELETE FROM activity_counts WHERE workspace_id = %(w)s AND type = 'tag.created'", "1", "no count"),
        ("INSERT INTO activity_counts VALUES (%(w)s, 'tag.created', NULL, 1)", "0", "1"),
        (
            "UPDATE consumer_checkpoints SET seq = 0 WHERE workspace_id = %(w)s AND consumer = 'activity_counts'",
            "0",
            "1",
        ),
    ],
)
def test_a_wrong_count_of_activities_is_found(
    auditor: Auditor, past: Past, tampering: LiteralString, expected: str, found: str
) -> None:
    auditor.owner.execute("SELECT count_activities(%s, 1)", (auditor.workspace_id,))
    assert verify(auditor.owner, workspaces=[auditor.workspace_id]).finding is None
    auditor.tamper(tampering)
    finding = auditor.finding()
    told = (finding.table, finding.what, finding.expected, finding.found)
    assert told == ("activity_counts", "count", expected, found)


def test_a_stage_that_no_probability_was_given_for_is_as_the_log_has_it(
    auditor: Auditor, store: EventStore, origin: Origin
) -> None:
    """A whole number is read from the log as the fraction that it stands for: rows must have the same from the first."""

    def begin(unit: Work) -> None:
        pipeline = unit.begin(PIPELINE, new_id(), CreatePipeline(name="Sales")).id
        for order, likely in enumerate((None, 0, 1)):
            unit.begin(STAGE, new_id(), CreateStage(pipeline_id=pipeline, name="A", order=order, probability=likely))

    store.run(origin, begin)
    assert verify(auditor.owner, workspaces=[origin.workspace_id]).finding is None


def test_a_count_of_nothing_may_be_missing(owner: Db, workspace: UUID, past: Past) -> None:
    owner.execute("INSERT INTO row_counts VALUES (%s, 'contact.tags:x', 0)", (workspace,))
    owner.execute("DELETE FROM row_counts WHERE n = 0 AND kind = 'contact.tags:y' AND workspace_id = %s", (workspace,))
    assert verify(owner, workspaces=[workspace]).finding is None


def test_values_by_key_are_as_the_log_has_them_in_whatever_order_they_came(
    owner: Db, store: EventStore, origin: Origin
) -> None:
    """The log orders keys by their length: what is made of texts in another order would look like tampering."""
    kew = CreateCompany(name="Kew", custom_fields={"score": "high", "vip": "yes"})
    store.run(origin, lambda unit: unit.begin(COMPANY, new_id(), kew))
    assert verify(owner, workspaces=[origin.workspace_id], secrets=False).finding is None
