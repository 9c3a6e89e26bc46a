"""The attributes of object types over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from api.object_type import ObjectTypeId, one_of
from application import object_attribute as attributes
from application import object_type as types
from domain.object_attribute import OBJECT_ATTRIBUTE, DeleteObjectAttribute, UpdateObjectAttribute
from projections import object_attribute as rows
from projections import object_type as type_rows
from schemas.job import JobView
from schemas.object_attribute import NewAttribute, ObjectAttributeView
from schemas.wire.page import One

_NEW: Final = {"name": "Priority", "type": "select", "options": ["low", "high"]}


class ObjectAttributeController(Controller):
    path = "/objects/{object_type_id:str}/attributes"
    tags = ["Custom objects"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listObjectAttributes", summary="List an object type's attributes", scope="objects:read")
    def list_object_attributes(
        self, ask: NamedDependency[Ask], object_type_id: ObjectTypeId
    ) -> Json[One[list[ObjectAttributeView]]]:
        """All of them, in order."""
        with ask.reading() as conn:
            found = ask.found(conn, type_rows.OBJECT_TYPES, type_rows.meant(conn, object_type_id))
            return ask.told(rows.views(conn, rows.of(conn, [found.id])))

    @post(operation_id="createObjectAttribute", summary="Define an attribute", scope="objects:write", example=_NEW)
    def create_object_attribute(
        self, act: NamedDependency[Act], object_type_id: ObjectTypeId, data: RequestBody[NewAttribute]
    ) -> Json[One[ObjectAttributeView]]:
        """Values under its key are held to it from here on. The key is its name unless given, and one of the type's (422);
        records must have no value under it yet (422).
        """
        find = types.meant(object_type_id)
        return act.create(lambda unit: attributes.create(unit, find(unit), data), attributes.view)

    @get(
        "/{object_attribute_id:uuid}",
        operation_id="getObjectAttribute",
        summary="Get one attribute",
        scope="objects:read",
    )
    def get_object_attribute(
        self, recall: NamedDependency[Recall], object_type_id: ObjectTypeId, object_attribute_id: FromPath[UUID]
    ) -> Json[One[ObjectAttributeView]]:
        return one_of(recall, object_type_id, rows.OBJECT_ATTRIBUTES, object_attribute_id, rows.views)

    @patch(
        "/{object_attribute_id:uuid}",
        operation_id="updateObjectAttribute",
        summary="Change an attribute",
        scope="objects:write",
        example={"name": "Urgency", "sortOrder": 3},
    )
    def update_object_attribute(
        self,
        change: NamedDependency[Change],
        object_type_id: ObjectTypeId,
        object_attribute_id: FromPath[UUID],
        data: RequestBody[UpdateObjectAttribute],
    ) -> Json[One[ObjectAttributeView]]:
        """Its type, its currency and what it relates to cannot change while records have values of it (422). An option that
        goes stays where it has been selected.
        """
        find = types.within(object_type_id, OBJECT_ATTRIBUTE, object_attribute_id)
        return change(lambda unit: attributes.update(unit, find(unit), data, change.if_version), attributes.view)

    @delete(
        "/{object_attribute_id:uuid}",
        operation_id="deleteObjectAttribute",
        summary="Delete an attribute and its values",
        scope="objects:write",
        large=True,
    )
    def delete_object_attribute(
        self, change: NamedDependency[Change], object_type_id: ObjectTypeId, object_attribute_id: FromPath[UUID]
    ) -> Json[One[JobView]]:
        """Every value of it goes: of up to 1,000 records at once, of more by a job; nobody can give it a value meanwhile."""
        return change.end(
            OBJECT_ATTRIBUTE,
            types.within(object_type_id, OBJECT_ATTRIBUTE, object_attribute_id),
            DeleteObjectAttribute(),
        )
