"""Whoever has a certain value in a custom field is found by an index, in whatever field and however it is kept."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import pytest

from domain.contact import Contact
from domain.custom_field import CustomField
from domain.custom_field_type import FieldType
from domain.kernel.filter import Condition
from domain.kernel.values import CustomValue
from eventstore.database import Db, Pool, reading, writing
from eventstore.ids import new_id
from eventstore.rows import Change, Current
from projections.contact import CONTACTS
from projections.custom_field import CUSTOM_FIELDS
from projections.custom_field_asked import defined
from projections.table.asking.asked import asked
from projections.table.asking.compiled import Compiled
from tests.conftest import make_workspace
from tests.projections.test_asking import START

MANY: Final = 2_000
RARE: Final[dict[str, CustomValue]] = {
    "plan": "Gold",
    "score": 38,
    "levels": ["a", "B"],
    "vip": True,
    "größe": 'a "b"',
    "since": "2024-01-15",
    "met": "2026-03-14T22:30:00Z",
}


@pytest.fixture(scope="module")
def workspace(owner: Db, pool: Pool) -> UUID:
    """Many contacts with custom fields, of whom the last alone has ``RARE``."""
    found = make_workspace(owner)
    states = [Contact(first_name="A", custom_fields={"plan": f"p{number}", "score": -number}) for number in range(MANY)]
    states.append(Contact(first_name="Rare", custom_fields=RARE))
    rows = [Current(new_id(), state, 1, START, START) for state in states]
    with writing(pool, found) as conn:
        CONTACTS.write(conn, found, [Change(row.id, None, row) for row in rows], bulk=True)
    owner.execute(f"VACUUM ANALYZE {CONTACTS.table}")
    return found


@pytest.fixture(scope="module")
def typed(pool: Pool, workspace: UUID) -> UUID:
    """The same, with its fields defined."""
    types: dict[str, FieldType] = {
        "plan": "text", "score": "number", "levels": "multi_select", "vip": "boolean", "since": "date", "met": "datetime",
    }  # fmt: skip
    levels: dict[str, Any] = {"options": ("a", "B"), "allow_multiple": True}
    states = [
        CustomField(name=key, key=key, type=kind, entity="contact", **(levels if key == "levels" else {}))
        for key, kind in types.items()
    ]
    rows = [Current(new_id(), state, 1, START, START) for state in states]
    with writing(pool, workspace) as conn:
        CUSTOM_FIELDS.write(conn, workspace, [Change(row.id, None, row) for row in rows], bulk=True)
    return workspace


@pytest.mark.parametrize(
    ("key", "operator", "value"),
    [
        ("plan", "eq", "GOLD"),
        ("plan", "in", ["silver", "gold"]),
        ("score", "eq", 38),
        ("score", "eq", 38.0),
        ("score", "eq", "38"),
        ("levels", "has", "b"),
        ("levels", "eq", "A"),
        ("vip", "eq", True),
        ("vip", "eq", "true"),
        ("größe", "eq", 'A "B"'),
        ("since", "eq", "2024-01-15"),
    ],
)
def test_it_is_found_by_the_index(pool: Pool, workspace: UUID, key: str, operator: Any, value: Any) -> None:
    where = asked(Condition(field=f"custom.{key}", operator=operator, value=value), CONTACTS.fields).where()
    check(pool, workspace, where)


def check(pool: Pool, workspace: UUID, where: Compiled) -> None:
    query = f"SELECT state ->> 'firstName' FROM {CONTACTS.table} WHERE workspace_id = %s AND ({where.sql})"
    params = (workspace, *where.params_in(workspace))
    with reading(pool, workspace) as conn:
        assert conn.execute(query.encode(), params).fetchall() == [("Rare",)]
        plan = "\n".join(row[0] for row in conn.execute(f"EXPLAIN {query}".encode(), params))
    assert "contacts_with_custom_fields" in plan, plan


@pytest.mark.parametrize(
    ("key", "operator", "value"),
    [
        ("plan", "eq", "GOLD"),
        ("score", "eq", 38.0),
        ("score", "in", [38, 40]),
        ("levels", "contains", "b"),
        ("vip", "eq", True),
        ("since", "eq", "2024-01-15"),
        ("met", "eq", "2026-03-15T00:30:00+02:00"),
    ],
)
def test_it_is_found_by_the_index_as_what_it_is_defined_to_be(
    pool: Pool, typed: UUID, key: str, operator: Any, value: Any
) -> None:
    with reading(pool, typed) as conn:
        fields = defined(conn, CONTACTS)
        where = asked(Condition(field=f"custom.{key}", operator=operator, value=value), fields).where()
    check(pool, typed, where)


def test_the_values_of_a_contact_stay_as_they_were_given(pool: Pool, workspace: UUID) -> None:
    with reading(pool, workspace) as conn:
        query = f"SELECT state -> 'customFields' FROM {CONTACTS.table} WHERE workspace_id = %s AND name = 'rare'"
        assert conn.execute(query, (workspace,)).fetchall() == [(RARE,)]
