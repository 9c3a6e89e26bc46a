"""Records are listed within their type by indexes, and filters of amounts say of one record what they say in SQL."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import pytest

from domain.kernel.filter import Condition
from domain.object_record import ObjectRecord
from eventstore.database import Db, Pool, reading, writing
from eventstore.ids import new_id
from eventstore.rows import Change, Current
from projections.object_record import LISTING, OBJECT_RECORDS
from projections.table.asking.asked import Fields, asked
from projections.table.asking.comparison import Field
from projections.table.asking.scaled import Scaled
from projections.table.known import Order
from schemas.wire.page import PageRequest, Sort
from tests.conftest import make_workspace
from tests.projections.test_asking import START

TYPES: Final = (new_id(), new_id())
MANY: Final = 2_000
AMOUNTS: Final = [None, -5, 0, 999, 1000, 1001, 4200050, 2**53 - 1]


@pytest.fixture(scope="module")
def workspace(owner: Db, pool: Pool) -> UUID:
    """Many records of either type, of whom the last of the first alone has a rare code."""
    found = make_workspace(owner)
    states = [
        ObjectRecord(object_type_id=TYPES[number % 2], title=f"T{number:04}", attributes={"code": f"c{number}"})
        for number in range(MANY)
    ]
    states += [
        ObjectRecord(object_type_id=TYPES[0], title=str(amount), attributes={} if amount is None else {"Value": amount})
        for amount in AMOUNTS
    ]
    rows = [Current(new_id(), state, 1, START, START) for state in states]
    with writing(pool, found) as conn:
        OBJECT_RECORDS.write(conn, found, [Change(row.id, None, row) for row in rows], bulk=True)
    owner.execute(f"VACUUM ANALYZE {OBJECT_RECORDS.table}")
    return found


def plan(conn: Db, query: str, params: tuple[Any, ...]) -> str:
    return "\n".join(row[0] for row in conn.execute(f"EXPLAIN {query}".encode(), params))


def test_a_rare_value_is_found_by_the_index_of_all_attributes(pool: Pool, workspace: UUID) -> None:
    where = asked(Condition(field="attributes.code", operator="eq", value="C8"), OBJECT_RECORDS.fields).where()
    query = (
        f"SELECT title FROM {OBJECT_RECORDS.table} WHERE workspace_id = %s AND object_type_id = %s AND ({where.sql})"
    )
    params = (workspace, TYPES[0], *where.params_in(workspace))
    with reading(pool, workspace) as conn:
        assert conn.execute(query.encode(), params).fetchall() == [("t0008",)]
        assert "object_records_with_attributes" in plan(conn, query, params)


@pytest.mark.parametrize("order", ["title", "created_at", "updated_at"])
def test_a_page_of_one_type_comes_from_the_index_of_its_order(pool: Pool, workspace: UUID, order: str) -> None:
    query = f"SELECT id FROM {OBJECT_RECORDS.table} WHERE workspace_id = %s AND object_type_id = %s ORDER BY {order}, id LIMIT 51"
    with reading(pool, workspace) as conn:
        found = plan(conn, query, (workspace, TYPES[0]))
    assert f"object_records_by_{order.removesuffix('_at')}" in found, found


def amounts(currency: str) -> Fields:
    def find(key: str) -> Field | None:
        found = OBJECT_RECORDS.fields.within["attributes"](key)
        return None if found is None else Scaled.field(found, currency)

    return Fields(OBJECT_RECORDS.fields.known, {"attributes": find})


@pytest.mark.parametrize("currency", ["USD", "JPY", "BHD"])
@pytest.mark.parametrize("operator", ["eq", "neq", "gt", "lt", "gte", "lte", "in", "is_set", "is_not_set"])
@pytest.mark.parametrize("value", [10, 9, 1000, 0, -5, 42000])
def test_an_amount_is_asked_of_one_record_as_of_all(
    pool: Pool, workspace: UUID, currency: str, operator: Any, value: Any
) -> None:
    given = None if operator.startswith("is_") else [value] if operator == "in" else value
    question = asked(Condition(field="attributes.Value", operator=operator, value=given), amounts(currency))
    where = question.where()
    query = f"SELECT id FROM {OBJECT_RECORDS.table} WHERE workspace_id = %s AND title = ANY(%s) AND ({where.sql})"
    with reading(pool, workspace) as conn:
        titles = [str(amount).lower() for amount in AMOUNTS]
        in_sql = {row[0] for row in conn.execute(query.encode(), (workspace, titles, *where.params_in(workspace)))}
        every = conn.execute(
            f"SELECT id FROM {OBJECT_RECORDS.table} WHERE workspace_id = %s AND title = ANY(%s)", (workspace, titles)
        )
        records = OBJECT_RECORDS.load(conn, [row[0] for row in every])
        holds = question.test(conn)
        assert {key for key, current in records.items() if holds(current)} == in_sql


def test_a_list_of_one_type_has_nothing_of_another(pool: Pool, workspace: UUID) -> None:
    with reading(pool, workspace) as conn:
        for sort in ("title", "attributes.code"):
            request = PageRequest(limit=100, sort=Sort(field=sort))
            found = LISTING.fetch(conn, request, within=TYPES[1])
            assert {row.state.object_type_id for row in found.rows} == {TYPES[1]}


def test_a_key_that_a_map_cannot_have_is_no_order() -> None:
    assert isinstance(OBJECT_RECORDS.order("attributes.größe 1"), Order)
    for name in ("attributes.a'b", "attributes.", "attributes", "code", "custom.a", 'attributes."'):
        assert OBJECT_RECORDS.order(name) is None
