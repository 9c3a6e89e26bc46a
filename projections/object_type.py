"""Object type rows: found by id or slug, and shown with their attributes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.kernel import not_found
from domain.object_type import OBJECT_TYPE, ObjectType, is_id
from eventstore.database import Db
from eventstore.rows import Current
from projections import object_attribute as attributes
from projections.object_record import OBJECT_RECORDS
from projections.table.column import FOLDED, TEXT, Column
from projections.table.counting import referring
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.object_type import ObjectTypeView
from schemas.wire.page import Sort

OBJECT_TYPES: RowTable[ObjectType] = RowTable(
    name="object_types",
    decider=OBJECT_TYPE,
    version=1,
    columns=(
        Column("name", FOLDED, sort=True, searched=True),
        Column("slug", TEXT, sort=True, searched=True, unique="An object type of this slug exists already."),
    ),
)

LISTING: Final = Listing(OBJECT_TYPES, default=Sort(field="createdAt"))

_WITH_SLUG: Final[LiteralString] = f"SELECT id FROM {OBJECT_TYPES.table} WHERE workspace_id = %s AND slug = %s"


def meant(conn: Db, given: str) -> UUID:
    """The type that a path means, by its id or its slug; refuses (``not_found``) a slug that none has."""
    if is_id(given):
        return UUID(given)
    row = conn.execute(_WITH_SLUG, (conn.workspace_id, given.lower())).fetchone()
    if row is None:
        raise not_found(OBJECT_TYPES.noun)
    found: UUID = row[0]
    return found


def views(conn: Db, types: Sequence[Current[ObjectType]]) -> list[ObjectTypeView]:
    ids = [found.id for found in types]
    known, counts = attributes.by_type(conn, ids), referring(conn, OBJECT_RECORDS, "object_type_id", ids)
    return [
        shown(
            ObjectTypeView,
            found,
            attributes=attributes.views(conn, known.get(found.id, [])),
            record_count=counts[found.id],
        )
        for found in types
    ]
