"""Records: made, and asked for, in the object type that a path means."""

from __future__ import annotations

from domain.kernel import not_found
from domain.kernel.changes import named
from domain.kernel.filter import Filter
from domain.object_record import OBJECT_RECORD, CreateObjectRecord, ObjectRecord
from domain.object_type import OBJECT_TYPE
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import object_record as rows
from projections import object_type as types
from projections.table.listing import Listed
from schemas.object_record import NewObjectRecord, ObjectRecordView
from schemas.wire.page import PageRequest


def create(unit: Work, given: str, form: NewObjectRecord) -> Current[ObjectRecord]:
    """A new record of the type that a path means; refuses (``not_found``) where there is none."""
    found = unit.get(OBJECT_TYPE, types.meant(unit.conn, given))
    return unit.begin(OBJECT_RECORD, new_id(), CreateObjectRecord(object_type_id=found.id, **named(form)))


def listed(
    conn: Db, given: str, request: PageRequest, wanted: Filter | None = None, search: str | None = None
) -> Listed[ObjectRecord]:
    """Records of the type that a path means; refuses (``not_found``) where there is none."""
    type_id = types.meant(conn, given)
    if not types.OBJECT_TYPES.load(conn, [type_id]):
        raise not_found(types.OBJECT_TYPES.noun)
    return rows.listed(conn, type_id, request, wanted, search)


def view(unit: Work, record: Current[ObjectRecord]) -> ObjectRecordView:
    return rows.views(unit.conn, [record])[0]
