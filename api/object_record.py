"""The records of object types over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.paging import Search, sorted_by
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from api.object_type import ObjectTypeId, one_of
from application import object_record as records
from application import object_type as types
from domain.kernel.changes import named
from domain.kernel.fields import kept
from domain.object_record import OBJECT_RECORD, DeleteObjectRecord, UpdateObjectRecord
from projections import object_record as rows
from schemas.job import JobView
from schemas.object_record import NewObjectRecord, ObjectRecordPatch, ObjectRecordSearch, ObjectRecordView
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {"title": "New brewery", "attributes": {"Stage": "Planned", "Value": 42000.5}}
_ASKED: Final = {
    "filter": {"match": "all", "conditions": [{"field": "attributes.Stage", "operator": "eq", "value": "Planned"}]},
    "sort": "-attributes.Value",
    "limit": 50,
}
_ALL: Final = ObjectRecordSearch()


class ObjectRecordController(Controller):
    path = "/objects/{object_type_id:str}/records"
    tags = ["Custom objects"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listObjectRecords", summary="List and search records", scope="object-records:read")
    def list_object_records(
        self,
        ask: NamedDependency[Ask],
        object_type_id: ObjectTypeId,
        wanted: NamedDependency[PageRequest],
        search: Search = None,
    ) -> Json[Page[ObjectRecordView]]:
        """Newest first, unless sorted by `title`, `updatedAt` or the key of any attribute: numbers as numbers, and records
        without a value behind the others. `search` looks in titles and in all text of attributes.
        """
        return ask.listed(wanted, lambda conn: records.listed(conn, object_type_id, wanted, search=search), rows.views)

    @post(operation_id="createObjectRecord", summary="Create a record", scope="object-records:write", example=_NEW)
    def create_object_record(
        self, act: NamedDependency[Act], object_type_id: ObjectTypeId, data: RequestBody[NewObjectRecord]
    ) -> Json[One[ObjectRecordView]]:
        """Values are held to the attributes of its type (422 names each that is not acceptable)."""
        return act.create(lambda unit: records.create(unit, object_type_id, data), records.view)

    @post(
        "/search",
        operation_id="searchObjectRecords",
        summary="Search records by conditions",
        scope="object-records:read",
        status=200,
        example=_ASKED,
    )
    def search_object_records(
        self, ask: NamedDependency[Ask], object_type_id: ObjectTypeId, data: RequestBody[ObjectRecordSearch] = _ALL
    ) -> Json[Page[ObjectRecordView]]:
        """Attributes are asked for as `attributes.` and their key, amounts in whole units of their currency."""
        given = kept(data)
        wanted = PageRequest(limit=data.limit, offset=data.offset, sort=sorted_by(given["sort"]))
        return ask.listed(
            wanted, lambda conn: records.listed(conn, object_type_id, wanted, data.filter, given["search"]), rows.views
        )

    @get(
        "/{object_record_id:uuid}",
        operation_id="getObjectRecord",
        summary="Get one record",
        scope="object-records:read",
    )
    def get_object_record(
        self, recall: NamedDependency[Recall], object_type_id: ObjectTypeId, object_record_id: FromPath[UUID]
    ) -> Json[One[ObjectRecordView]]:
        return one_of(recall, object_type_id, rows.OBJECT_RECORDS, object_record_id, rows.views)

    @patch(
        "/{object_record_id:uuid}",
        operation_id="updateObjectRecord",
        summary="Change a record's title or values",
        scope="object-records:write",
        example={"attributes": {"Stage": "Running", "Value": None}},
    )
    def update_object_record(
        self,
        change: NamedDependency[Change],
        object_type_id: ObjectTypeId,
        object_record_id: FromPath[UUID],
        data: RequestBody[ObjectRecordPatch],
    ) -> Json[One[ObjectRecordView]]:
        find = types.within(object_type_id, OBJECT_RECORD, object_record_id)
        return change.execute(OBJECT_RECORD, find, UpdateObjectRecord(**named(data)), rows.views)

    @delete(
        "/{object_record_id:uuid}",
        operation_id="deleteObjectRecord",
        summary="Delete a record",
        scope="object-records:write",
        large=True,
    )
    def delete_object_record(
        self, change: NamedDependency[Change], object_type_id: ObjectTypeId, object_record_id: FromPath[UUID]
    ) -> Json[One[JobView]]:
        """Records that have it as a relation stay, without it."""
        return change.end(
            OBJECT_RECORD, types.within(object_type_id, OBJECT_RECORD, object_record_id), DeleteObjectRecord()
        )
