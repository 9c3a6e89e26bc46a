"""Tags over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.params import FromPath, QueryParameter, RawBody, RequestBody

from api.http.answers import Answer, Asked, Json, command, if_match, one, page
from api.http.operation import errors, needs
from api.http.paging import page_request
from application import tag as tags
from application.calling.services import Services
from domain.kernel import not_found
from domain.tag import CreateTag, UpdateTag
from eventstore.database import reading
from eventstore.unit_of_work import Work
from projections import tag as rows
from schemas.tag import TagView
from schemas.wire.page import One, Page, PageRequest, page_meta


class TagController(Controller):
    path = "/tags"
    tags = ["Tags"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="listTags",
        summary="List tags with their contact counts",
        description=f"In order of name, unless sorted by {' or '.join(rows.LISTING.sorts)}.",
        opt=needs("tags:read"),
        responses=errors(),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_tags(
        self,
        services: NamedDependency[Services],
        request: Asked,
        wanted: NamedDependency[PageRequest],
        search: Annotated[str | None, QueryParameter(description="Part of the name.", max_length=200)] = None,
    ) -> Json[Page[TagView]]:
        with reading(services.pool, request.user.workspace_id) as conn:
            found = rows.listed(conn, wanted, search)
            views = rows.views(conn, found.rows)
        return page(Page(data=views, meta=page_meta(wanted, found.total, found.next_cursor)))

    @post(
        "",
        operation_id="createTag",
        summary="Create a tag",
        description="The name is unique in the workspace, whatever its case and accents: 409 names the existing tag.",
        opt=needs("tags:write", example={"name": "VIP", "color": "#1a7f37"}),
        responses=errors("conflict", "validation_failed"),
        sync_to_thread=True,
    )
    def create_tag(
        self, services: NamedDependency[Services], request: Asked, body: RawBody, data: RequestBody[CreateTag]
    ) -> Json[One[TagView]]:
        def work(unit: Work) -> Answer:
            tag = tags.create(unit, data)
            return Answer(tags.view(unit, tag), tag.version, 201, f"/api/v1/tags/{tag.id}")

        return command(request, body, services, work)

    @get(
        "/{tag_id:uuid}",
        operation_id="getTag",
        summary="Get one tag with its contact count",
        opt=needs("tags:read"),
        responses=errors("not_found"),
        sync_to_thread=True,
    )
    def get_tag(
        self, services: NamedDependency[Services], request: Asked, tag_id: FromPath[UUID]
    ) -> Json[One[TagView]]:
        with reading(services.pool, request.user.workspace_id) as conn:
            found = rows.TAGS.load(conn, [tag_id])
            if not found:
                raise not_found("tag")
            return one(request, rows.views(conn, found.values())[0], found[tag_id].version)

    @patch(
        "/{tag_id:uuid}",
        operation_id="updateTag",
        summary="Change a tag's name or colour",
        opt=needs("tags:write", example={"color": "#8250df"}),
        responses=errors("not_found", "conflict", "precondition_failed", "validation_failed"),
        sync_to_thread=True,
    )
    def update_tag(
        self,
        services: NamedDependency[Services],
        request: Asked,
        body: RawBody,
        tag_id: FromPath[UUID],
        data: RequestBody[UpdateTag],
    ) -> Json[One[TagView]]:
        def work(unit: Work) -> Answer:
            tag = tags.update(unit, tag_id, data, if_version=if_match(request))
            return Answer(tags.view(unit, tag), tag.version)

        return command(request, body, services, work)

    @delete(
        "/{tag_id:uuid}",
        operation_id="deleteTag",
        summary="Delete a tag",
        description="Every contact that bears it loses it in the same unit of work.",
        opt=needs("tags:write"),
        responses=errors("not_found", "precondition_failed"),
        status_code=204,
        sync_to_thread=True,
    )
    def delete_tag(self, services: NamedDependency[Services], request: Asked, tag_id: FromPath[UUID]) -> Response[None]:
        def work(unit: Work) -> Answer:
            tags.delete(unit, tag_id, if_version=if_match(request))
            return Answer(status=204)

        return command(request, b"", services, work)
