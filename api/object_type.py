"""Object types over HTTP: kinds of thing of a workspace's own."""

from __future__ import annotations

from typing import Annotated, Any, Final, TypeVar
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import PathParameter, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change, Views
from api.http.paging import Search
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import object_type as types
from domain.kernel import not_found
from domain.object_type import OBJECT_TYPE, DeleteObjectType, UpdateObjectType
from projections import object_type as rows
from projections.table.rows import RowTable
from schemas.job import JobView
from schemas.object_type import NewObjectType, ObjectTypeView
from schemas.wire.page import One, Page, PageRequest

V = TypeVar("V")

ObjectTypeId = Annotated[str, PathParameter(description="The id of the object type, or its slug.")]

_NEW: Final = {
    "name": "Projects",
    "slug": "projects",
    "singularName": "Project",
    "icon": "Briefcase",
    "attributes": [
        {"name": "Stage", "type": "select", "options": ["Planned", "Running", "Done"]},
        {"name": "Value", "type": "currency"},
    ],
}


def one_of(recall: Recall, given: str, table: RowTable[Any], thing_id: UUID, views: Views[Any, V]) -> Json[One[V]]:
    """What is of the type that the path means, with its version; refuses (``not_found``) what is of another."""
    with recall.reading() as conn:
        found = recall.found(conn, table, thing_id)
        if found.state.object_type_id != rows.meant(conn, given):
            raise not_found(table.noun)
        (view,) = views(conn, [found])
    return recall.told(view, headers={"etag": f'"{found.version}"'})


class ObjectTypeController(Controller):
    path = "/objects"
    tags = ["Custom objects"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listObjectTypes", summary="List object types with their attributes", scope="objects:read")
    def list_object_types(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest], search: Search = None
    ) -> Json[Page[ObjectTypeView]]:
        """The oldest first, unless sorted otherwise."""
        return ask.listed(wanted, lambda conn: rows.LISTING.search(conn, wanted, search), rows.views)

    @post(operation_id="createObjectType", summary="Define an object type", scope="objects:write", example=_NEW)
    def create_object_type(
        self, act: NamedDependency[Act], data: RequestBody[NewObjectType]
    ) -> Json[One[ObjectTypeView]]:
        """Its slug is one of the workspace's (409), and what paths call it."""
        return act.create(lambda unit: types.create(unit, data), types.view)

    @get("/{object_type_id:str}", operation_id="getObjectType", summary="Get one object type", scope="objects:read")
    def get_object_type(
        self, recall: NamedDependency[Recall], object_type_id: ObjectTypeId
    ) -> Json[One[ObjectTypeView]]:
        with recall.reading() as conn:
            found = recall.found(conn, rows.OBJECT_TYPES, rows.meant(conn, object_type_id))
            (view,) = rows.views(conn, [found])
        return recall.told(view, headers={"etag": f'"{found.version}"'})

    @patch(
        "/{object_type_id:str}",
        operation_id="updateObjectType",
        summary="Change an object type",
        scope="objects:write",
        example={"name": "Ventures", "icon": "Rocket"},
    )
    def update_object_type(
        self, change: NamedDependency[Change], object_type_id: ObjectTypeId, data: RequestBody[UpdateObjectType]
    ) -> Json[One[ObjectTypeView]]:
        """With another slug, paths call it so from then on."""
        return change.execute(OBJECT_TYPE, types.meant(object_type_id), data, rows.views)

    @delete(
        "/{object_type_id:str}",
        operation_id="deleteObjectType",
        summary="Delete an object type with its records",
        scope="objects:write",
        large=True,
    )
    def delete_object_type(self, change: NamedDependency[Change], object_type_id: ObjectTypeId) -> Json[One[JobView]]:
        """All its records go along, and its attributes: more than 1,000 of them by a job, and no new one is taken meanwhile."""
        return change.end(OBJECT_TYPE, types.meant(object_type_id), DeleteObjectType())
