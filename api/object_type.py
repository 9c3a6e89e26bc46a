"""Object types over HTTP: kinds of thing of a workspace's own."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import PathParameter, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.paging import Search
from api.http.routes import delete, get, patch, post
from application import object_type as types
from domain.object_type import OBJECT_TYPE, CreateObjectType, DeleteObjectType, UpdateObjectType
from projections import object_type as rows
from schemas.object_type import ObjectTypeView
from schemas.wire.page import One, Page, PageRequest

ObjectId = Annotated[str, PathParameter(description="The id of the object type, or its slug.")]

_NEW: Final = {"name": "Projects", "slug": "projects", "singularName": "Project", "icon": "Briefcase"}


def meant(ask: Ask, given: str) -> UUID:
    """The type that the path means; refuses (``not_found``) a slug that none has."""
    with ask.reading() as conn:
        return rows.meant(conn, given)


class ObjectTypeController(Controller):
    path = "/objects"
    tags = ["Custom objects"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listObjectTypes", summary="List object types", scope="objects:read")
    def list_object_types(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest], search: Search = None
    ) -> Json[Page[ObjectTypeView]]:
        """The oldest first, unless sorted otherwise."""
        return ask.listed(wanted, lambda conn: rows.LISTING.search(conn, wanted, search), rows.views)

    @post(operation_id="createObjectType", summary="Define an object type", scope="objects:write", example=_NEW)
    def create_object_type(
        self, act: NamedDependency[Act], data: RequestBody[CreateObjectType]
    ) -> Json[One[ObjectTypeView]]:
        """Its slug is one of the workspace's (409), and what paths call it."""
        return act.create(lambda unit: types.create(unit, data), types.view)

    @get("/{object_id:str}", operation_id="getObjectType", summary="Get one object type", scope="objects:read")
    def get_object_type(self, ask: NamedDependency[Ask], object_id: ObjectId) -> Json[One[ObjectTypeView]]:
        return ask.one(rows.OBJECT_TYPES, meant(ask, object_id), rows.views)

    @patch(
        "/{object_id:str}",
        operation_id="updateObjectType",
        summary="Change an object type",
        scope="objects:write",
        example={"name": "Ventures", "icon": "Rocket"},
    )
    def update_object_type(
        self, change: NamedDependency[Change], object_id: ObjectId, data: RequestBody[UpdateObjectType]
    ) -> Json[One[ObjectTypeView]]:
        """With another slug, paths call it so from then on."""
        return change.execute(OBJECT_TYPE, meant(change, object_id), data, rows.views)

    @delete("/{object_id:str}", operation_id="deleteObjectType", summary="Delete an object type", scope="objects:write")
    def delete_object_type(self, change: NamedDependency[Change], object_id: ObjectId) -> Json[None]:
        return change.end(OBJECT_TYPE, meant(change, object_id), DeleteObjectType())
