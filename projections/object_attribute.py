"""Attribute rows: of each object type, in their order."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.object_attribute import OBJECT_ATTRIBUTE, ObjectAttribute
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import FOLDED, ID, TEXT, WHOLE, Column
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.object_attribute import ObjectAttributeView

OBJECT_ATTRIBUTES: RowTable[ObjectAttribute] = RowTable(
    name="object_attributes",
    decider=OBJECT_ATTRIBUTE,
    version=1,
    columns=(
        Column("object_type_id", ID),
        Column("name", FOLDED),
        Column(
            "qualified",
            TEXT,
            lambda attribute: f"{attribute.object_type_id}.{attribute.key}",
            unique="An attribute of this key exists already.",
        ),
        Column("sort_order", WHOLE),
    ),
    called="attribute",
    times=(),
)

_OF: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {OBJECT_ATTRIBUTES.table}
    WHERE workspace_id = %s AND object_type_id = ANY(%s) ORDER BY sort_order, created_at, id
"""
_WITH_KEY: Final[LiteralString] = f"SELECT id FROM {OBJECT_ATTRIBUTES.table} WHERE workspace_id = %s AND qualified = %s"


def with_key(conn: Db, type_id: UUID, key: str) -> UUID | None:
    """The attribute of the type that has this key."""
    row = conn.execute(_WITH_KEY, (conn.workspace_id, f"{type_id}.{key}")).fetchone()
    return None if row is None else row[0]


def of(conn: Db, types: Collection[UUID]) -> list[Current[ObjectAttribute]]:
    """The attributes of these types, in their order."""
    return [OBJECT_ATTRIBUTES.current(row) for row in conn.execute(_OF, (conn.workspace_id, list(types)))]


def by_type(conn: Db, types: Collection[UUID]) -> dict[UUID, list[Current[ObjectAttribute]]]:
    """The attributes of each of these types, in their order."""
    found: defaultdict[UUID, list[Current[ObjectAttribute]]] = defaultdict(list)
    for attribute in of(conn, types) if types else ():
        found[attribute.state.object_type_id].append(attribute)
    return found


def views(_: Db, attributes: Sequence[Current[ObjectAttribute]]) -> list[ObjectAttributeView]:
    return [shown(ObjectAttributeView, attribute) for attribute in attributes]
