"""Record rows: of each object type, sorted, filtered and searched by whatever attributes it has."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from functools import partial
from typing import Final, LiteralString
from uuid import UUID

from msgspec.structs import replace

from domain.contact import CONTACT
from domain.kernel.filter import Filter
from domain.object_attribute import ObjectAttribute
from domain.object_record import OBJECT_RECORD, ObjectRecord
from eventstore.database import Db
from eventstore.rows import Current
from projections import object_attribute as attributes
from projections.contact_merge import lead_to
from projections.table.asking.asked import Fields, asked
from projections.table.asking.comparison import Field
from projections.table.asking.compiled import TRUE
from projections.table.asking.scaled import Scaled
from projections.table.column import FOLDED, ID, MAP, Column
from projections.table.listing import Listed, Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.object_record import ObjectRecordView
from schemas.wire.page import PageRequest, Sort

OBJECT_RECORDS: RowTable[ObjectRecord] = RowTable(
    name="object_records",
    decider=OBJECT_RECORD,
    version=3,
    columns=(
        Column("object_type_id", ID),
        Column("title", FOLDED, sort=True, searched=True),
        Column("attributes", MAP, sort=True, searched=True, by_key=True),
    ),
    called="record",
    times=("created_at", "updated_at"),
    within="object_type_id",
)

LISTING: Final = Listing(OBJECT_RECORDS, default=Sort(field="createdAt", descending=True))

_WITH_VALUE: Final[LiteralString] = f"""
    SELECT EXISTS (SELECT FROM {OBJECT_RECORDS.table}
        WHERE workspace_id = %s AND object_type_id = %s AND jsonb_exists(attributes, %s))
"""


def listed(
    conn: Db, type_id: UUID, request: PageRequest, wanted: Filter | None = None, search: str | None = None
) -> Listed[ObjectRecord]:
    """Records of a type that the filter and the search find, the newest first unless sorted by something else."""
    where = TRUE if wanted is None else asked(wanted, _fields(conn, type_id), "filter").where()
    return LISTING.search(conn, _by_key(conn, type_id, request), search, where, within=type_id)


def _by_key(conn: Db, type_id: UUID, request: PageRequest) -> PageRequest:
    """By an attribute, or by what records have besides, is sorted under its key alone, too."""
    sort = request.sort
    if sort is None or not sort.field or OBJECT_RECORDS.order(sort.field) or not _has(conn, type_id, sort.field):
        return request
    return replace(request, sort=replace(sort, field=f"attributes.{sort.field}"))


def _has(conn: Db, type_id: UUID, key: str) -> bool:
    """Whether the type has such an attribute, or a record of it such a value."""
    if attributes.with_key(conn, type_id, key) is not None:
        return True
    row = conn.execute(_WITH_VALUE, (conn.workspace_id, type_id, key)).fetchone()
    return row is not None and bool(row[0])


def _fields(conn: Db, type_id: UUID) -> Fields:
    """What can be asked of records of the type: amounts in whole units of their currency, as they are given, and relations to
    contacts that were merged into others by any of their ids.
    """
    known = OBJECT_RECORDS.fields
    defined = {attribute.state.key: attribute.state for attribute in attributes.of(conn, [type_id])}
    plain = known.within["attributes"]

    def find(key: str) -> Field | None:
        found, attribute = plain(key), defined.get(key)
        if found is None or attribute is None:
            return found
        of = dataclasses.replace(found, of=attribute.refers)
        return of if attribute.currency is None else Scaled.field(of, attribute.currency)

    return Fields(known.known, {"attributes": find}, {CONTACT.stream_type: partial(lead_to, conn)})


def views(conn: Db, records: Sequence[Current[ObjectRecord]]) -> list[ObjectRecordView]:
    known = attributes.by_type(conn, {record.state.object_type_id for record in records})
    by_key = {
        type_id: {attribute.state.key: attribute.state for attribute in found} for type_id, found in known.items()
    }
    return [_view(record, by_key.get(record.state.object_type_id, {})) for record in records]


def _view(record: Current[ObjectRecord], known: dict[str, ObjectAttribute]) -> ObjectRecordView:
    values = {key: known[key].shown(value) if key in known else value for key, value in record.state.attributes.items()}
    return shown(ObjectRecordView, record, attributes=values)
