"""Tags over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import tag as tags
from domain.tag import TAG, CreateTag, DeleteTag, UpdateTag
from projections import tag as rows
from projections.tag_row import TAGS
from schemas.job import JobView
from schemas.tag import TagView
from schemas.wire.page import One, Page, PageRequest

Search = Annotated[str | None, QueryParameter(description="Part of the name.", max_length=200)]


class TagController(Controller):
    path = "/tags"
    tags = ["Tags"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="listTags",
        summary="List tags with their contact counts",
        description=f"In order of name, unless sorted by {' or '.join(rows.LISTING.sorts)}.",
        scope="tags:read",
    )
    def list_tags(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest], search: Search = None
    ) -> Json[Page[TagView]]:
        return ask.listed(wanted, lambda conn: rows.listed(conn, wanted, search), rows.views)

    @post(
        operation_id="createTag",
        summary="Create a tag",
        scope="tags:write",
        example={"name": "VIP", "color": "#1a7f37"},
    )
    def create_tag(self, act: NamedDependency[Act], data: RequestBody[CreateTag]) -> Json[One[TagView]]:
        """The name is unique in the workspace, whatever its case and accents: 409 names the existing tag."""
        return act.create(lambda unit: tags.create(unit, data), tags.view)

    @get("/{tag_id:uuid}", operation_id="getTag", summary="Get one tag with its contact count", scope="tags:read")
    def get_tag(self, recall: NamedDependency[Recall], tag_id: FromPath[UUID]) -> Json[One[TagView]]:
        return recall.one(TAGS, tag_id, rows.views)

    @patch(
        "/{tag_id:uuid}",
        operation_id="updateTag",
        summary="Change a tag's name or colour",
        scope="tags:write",
        example={"color": "#8250df"},
    )
    def update_tag(
        self, change: NamedDependency[Change], tag_id: FromPath[UUID], data: RequestBody[UpdateTag]
    ) -> Json[One[TagView]]:
        return change(lambda unit: tags.update(unit, tag_id, data, if_version=change.if_version), tags.view)

    @delete(
        "/{tag_id:uuid}",
        operation_id="deleteTag",
        summary="Delete a tag",
        scope="tags:write",
        large=True,
    )
    def delete_tag(self, change: NamedDependency[Change], tag_id: FromPath[UUID]) -> Json[One[JobView]]:
        """Every contact that bears it loses it. Up to 1,000 do so at once; of more a job sees to it bit by bit. Until it has
        gone the tag is shown as before, but no other contact can get it; deleting it again answers the same job.
        """
        return change.end(TAG, tag_id, DeleteTag())
