"""A column is one line: table, order, cursor and filter follow from it, for every kind there is."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import msgspec
import pytest

from domain.kernel import Command, Event, Refused, State
from domain.kernel.fields import Refers
from domain.kernel.filter import Condition
from domain.kernel.record import record
from eventstore.database import Db, Pool, reading, writing
from eventstore.ids import new_id
from eventstore.rows import Change, Current
from projections.catalogue import TABLES
from projections.table.asking.asked import asked
from projections.table.column import (
    BOOLEAN,
    DAY,
    DECIMAL,
    FOLDED,
    ID,
    IDS,
    MAP,
    NUMBER,
    TEXT,
    TEXTS,
    TIME,
    WHOLE,
    Column,
)
from projections.table.copying import copying
from projections.table.definition import create_indexes, create_table
from projections.table.listing import Listing
from projections.table.rows import RowTable
from schemas.wire.page import PageRequest, Sort
from tests.conftest import make_workspace

SORTED = ("label", "code", "size", "weight", "price", "done", "due_at", "day", "owner_id")
NOW = datetime(2026, 3, 15, 10, 30, tzinfo=UTC)


class Thing(State):
    label: str | None = None
    code: str | None = None
    size: int | None = None
    weight: float | None = None
    cents: int | None = None
    done: bool = False
    due_at: datetime | None = None
    day: str | None = None
    owner_id: Annotated[UUID, Refers("membership")] | None = None
    part_ids: tuple[UUID, ...] = ()
    words: tuple[str, ...] = ()
    custom: dict[str, Any] = msgspec.field(default_factory=dict)


def price(thing: Thing) -> Decimal | None:
    return None if thing.cents is None else Decimal(thing.cents) / 100


class Create(Command):
    """Of no catalogue."""


class Created(Event, name="thing.created", action="created"):
    """Of no catalogue."""


class Updated(Event, name="thing.updated", action="updated"):
    changed: Thing
    previous: Thing


THINGS: RowTable[Thing] = RowTable(
    name="things",
    decider=record(
        "thing", state=Thing, create=Create, update=Create, delete=Create, created=Created, updated=Updated,
        deleted=Created,
    ),
    version=1,
    columns=(
        Column("label", FOLDED, sort=True, searched=True),
        Column("code", TEXT, sort=True, searched=True),
        Column("size", WHOLE, sort=True),
        Column("weight", NUMBER, sort=True),
        Column("price", DECIMAL, price, sort=True),
        Column("done", BOOLEAN, sort=True),
        Column("due_at", TIME, sort=True),
        Column("day", DAY, sort=True),
        Column("owner_id", ID, sort=True),
        Column("part_ids", IDS),
        Column("words", TEXTS),
        Column("custom", MAP),
    ),
    owner="owner_id",
)  # fmt: skip
LISTING = Listing(THINGS, default=Sort(field="createdAt"))


@pytest.fixture(scope="module")
def table(owner: Db) -> Iterator[RowTable[Thing]]:
    owner.execute(create_table(THINGS, THINGS.table).encode())
    for name, statement in create_indexes(THINGS, THINGS.table).items():
        owner.execute(statement.format(index=name).encode())
    owner.execute("CALL protect_tenant_table(%s::regclass, 'SELECT, INSERT, UPDATE, DELETE')", (THINGS.table,))
    yield THINGS
    owner.execute(f"DROP TABLE {THINGS.table}")


def thing(number: random.Random) -> Thing:
    """Any: often without a value, and often with one that others have too."""

    def maybe(value: Any) -> Any:
        return number.choice([None, value])

    return Thing(
        label=maybe(number.choice(["Größe", "größe", "Apfel", "Zwerg"])),
        code=maybe(number.choice(["a", "B", "ä"])),
        size=maybe(number.choice([-(2**53) + 1, 0, 3, 2**53 - 1])),
        weight=maybe(number.choice([-1.5, 0.1, 1e300])),
        cents=maybe(number.choice([-(2**53) + 1, 10, 2**53 - 2, 2**53 - 1])),
        done=number.random() < 0.5,
        due_at=maybe(NOW + timedelta(microseconds=number.randrange(3))),
        day=maybe(number.choice(["2026-03-15", "1984-11-02"])),
        owner_id=maybe(number.choice([UUID(int=1), UUID(int=2)])),
        part_ids=number.choice([(), (UUID(int=1),), (UUID(int=2), UUID(int=1))]),
        words=number.choice([(), ("a",), ("ä, b", '"', "\\")]),
        custom=number.choice([{}, {"plan": "Größe\n", "size": 1.5, "many": ["a", None]}]),
    )


@pytest.fixture(scope="module")
def stored(owner: Db, pool: Pool, table: RowTable[Thing]) -> tuple[UUID, list[Current[Thing]]]:
    workspace = make_workspace(owner)
    number = random.Random(7)
    rows = [Current(new_id(), thing(number), 1, NOW, NOW) for _ in range(60)]
    with writing(pool, workspace) as conn:
        table.write(conn, workspace, [Change(row.id, None, row) for row in rows[:40]], bulk=True)
        table.write(conn, workspace, [Change(row.id, None, row) for row in rows[40:]], bulk=False)
    return workspace, rows


def pages(pool: Pool, workspace: UUID, sort: Sort, visible_to: UUID | None = None) -> list[Current[Thing]]:
    """All rows, by cursor after cursor."""
    found: list[Current[Thing]] = []
    cursor: str | None = None
    while True:
        with reading(pool, workspace, visible_to) as conn:
            request = PageRequest(limit=7, sort=sort, cursor=cursor)
            listed = LISTING.fetch(conn, request)
        found += listed.rows
        cursor = listed.next_cursor
        if cursor is None:
            return found


@pytest.mark.parametrize("descending", [False, True])
@pytest.mark.parametrize("name", SORTED)
def test_a_list_is_read_to_its_end_by_cursor_whatever_it_is_sorted_by(
    pool: Pool, stored: tuple[UUID, list[Current[Thing]]], name: str, descending: bool
) -> None:
    workspace, rows = stored
    wire = next(column.field for column in THINGS.columns if column.name == name)
    found = pages(pool, workspace, Sort(field=wire, descending=descending))
    assert sorted(row.id for row in found) == sorted(row.id for row in rows)
    column = next(column for column in THINGS.columns if column.name == name)
    values = [column.value(row.state) for row in found]
    there = [value for value in values if value is not None]
    assert there == sorted(there, reverse=descending)
    nothing = len(values) - len(there)
    assert values == (([None] * nothing + there) if descending else (there + [None] * nothing))


@pytest.mark.parametrize("name", SORTED)
def test_the_index_of_an_order_serves_its_pages(owner: Db, table: RowTable[Thing], name: str) -> None:
    column = next(column for column in table.columns if column.name == name)
    with owner.transaction():
        owner.execute("SET LOCAL enable_seqscan = off")
        owner.execute("SET LOCAL enable_sort = off")
        query = f"EXPLAIN SELECT id FROM {THINGS.table} WHERE workspace_id = %s ORDER BY {column.order}, id LIMIT 5"
        plan = str(owner.execute(query.encode(), (new_id(),)).fetchall())
    assert f"things_by_{name}" in plan


def test_who_sees_only_what_is_theirs_finds_only_that(pool: Pool, stored: tuple[UUID, list[Current[Thing]]]) -> None:
    workspace, rows = stored
    mine = UUID(int=1)
    found = pages(pool, workspace, Sort(field="createdAt"), visible_to=mine)
    assert {row.id for row in found} == {row.id for row in rows if row.state.owner_id == mine}
    with reading(pool, workspace) as conn:
        assert all(THINGS.visible(conn, row, mine) == (row.state.owner_id == mine) for row in rows)
        assert all(THINGS.visible(conn, row, None) for row in rows)


@pytest.mark.parametrize(
    ("field", "operator", "value", "holds"),
    [
        ("label", "eq", "GRÖSSE", lambda thing: thing.label in ("Größe", "größe")),
        ("size", "gte", 3, lambda thing: thing.size is not None and thing.size >= 3),
        ("weight", "lt", 0, lambda thing: thing.weight is not None and thing.weight < 0),
        ("price", "gt", 0.5, lambda thing: thing.cents is not None and thing.cents > 50),
        ("done", "eq", True, lambda thing: thing.done),
        ("dueAt", "is_set", None, lambda thing: thing.due_at is not None),
        ("day", "before", "2000-01-01", lambda thing: thing.day == "1984-11-02"),
        ("ownerId", "eq", str(UUID(int=2)), lambda thing: thing.owner_id == UUID(int=2)),
    ],
)
def test_what_is_in_a_column_can_be_asked_for(
    pool: Pool, stored: tuple[UUID, list[Current[Thing]]], field: str, operator: Any, value: Any, holds: Any
) -> None:
    workspace, rows = stored
    where = asked(Condition(field=field, operator=operator, value=value), THINGS.fields).where()
    with reading(pool, workspace) as conn:
        listed = LISTING.fetch(conn, PageRequest(limit=100), where)
    assert {row.id for row in listed.rows} == {row.id for row in rows if holds(row.state)}
    assert listed.total == len(listed.rows)


def test_a_row_is_the_same_copied_as_written(owner: Db, stored: tuple[UUID, list[Current[Thing]]]) -> None:
    workspace, rows = stored
    with owner.transaction(force_rollback=True):
        owner.execute(create_table(THINGS, "copied").encode())
        with copying(owner, THINGS, "copied") as copy:
            for row in rows:
                copy(THINGS.values(workspace, row))
        both = [owner.execute(f"SELECT * FROM {name} ORDER BY id").fetchall() for name in (THINGS.table, "copied")]
    assert both[0] == both[1]
    assert len(both[0]) == len(rows)


def test_the_text_to_search_in_is_of_the_columns_that_say_so() -> None:
    row = Current(new_id(), Thing(label="Größe", code="X-1"), 1, NOW, NOW)
    assert THINGS.values(new_id(), row)[-1] == "grosse\nx-1"


@pytest.mark.parametrize("cursor", ["", "x", "W10", "WyJsYWJlbCJd", "WyJsYWJlbCIsMSwyXQ", "A" * 5000])
def test_what_is_no_cursor_is_refused(pool: Pool, workspace: UUID, table: RowTable[Thing], cursor: str) -> None:
    for sort in (*(column.field for column in THINGS.columns if column.sort), "createdAt"):
        with reading(pool, workspace) as conn, pytest.raises(Refused, match="cursor") as caught:
            LISTING.fetch(conn, PageRequest(limit=5, sort=Sort(field=sort), cursor=cursor))
        assert caught.value.code == "invalid_request"


def test_the_cursor_of_another_order_is_refused(pool: Pool, stored: tuple[UUID, list[Current[Thing]]]) -> None:
    with reading(pool, stored[0]) as conn:
        cursor = LISTING.fetch(conn, PageRequest(limit=5, sort=Sort(field="size"))).next_cursor
        assert cursor is not None
        for other in (Sort(field="size", descending=True), Sort(field="label")):
            with pytest.raises(Refused, match="another order"):
                LISTING.fetch(conn, PageRequest(limit=5, sort=other, cursor=cursor))


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.table)
def test_what_a_state_refers_to_has_a_column_to_be_found_by(table: RowTable[Any]) -> None:
    assert {reference.field for reference in table.references} <= {column.name for column in table.columns}


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.table)
def test_an_owner_and_a_key_are_columns(table: RowTable[Any]) -> None:
    names = {"id", *(column.name for column in table.columns)}
    assert {table.owner or "id", table.key} <= names
