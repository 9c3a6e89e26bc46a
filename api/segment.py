"""Segments over HTTP."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.paging import Search, SearchOfOwn
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import segment as segments
from domain.segment import SEGMENT, CreateSegment, DeleteSegment, UpdateSegment
from projections import segment as rows
from projections.contact_asked import fields
from projections.contact_view import views as contact_views
from schemas.contact import ContactView
from schemas.segment import PreviewedContacts, SegmentPreview, SegmentView
from schemas.wire.page import One, Page, PageRequest

_FILTER: Final[dict[str, Any]] = {
    "match": "all",
    "conditions": [{"field": "company.industry", "operator": "eq", "value": "Brewing"}],
}


class SegmentController(Controller):
    path = "/segments"
    tags = ["Segments"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listSegments", summary="List and search segments", scope="segments:read")
    def list_segments(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest], search: Search = None
    ) -> Json[Page[SegmentView]]:
        """In order of name."""
        return ask.listed(wanted, lambda conn: rows.LISTING.search(conn, wanted, search), rows.views)

    @post(
        operation_id="createSegment",
        summary="Create a segment",
        scope="segments:write",
        example={"name": "Brewers", "filter": _FILTER},
    )
    def create_segment(self, act: NamedDependency[Act], data: RequestBody[CreateSegment]) -> Json[One[SegmentView]]:
        """A field that there is not, an operator that it does not have, or a value of another type is refused by name."""
        return act.create(lambda unit: segments.create(unit, data), lambda unit, made: rows.views(unit.conn, [made])[0])

    @post(
        "/preview",
        operation_id="previewSegment",
        summary="Try a filter out",
        scope="contacts:read",
        status=200,
        example={"filter": _FILTER},
    )
    def preview_segment(
        self, ask: NamedDependency[Ask], data: RequestBody[SegmentPreview]
    ) -> Json[One[PreviewedContacts]]:
        """How many contacts it holds of, and the newest fifty of them. Nothing is saved."""
        with ask.reading() as conn:
            return ask.told(rows.preview(conn, data.filter, fields(ask.visible_to, ask.caller.may)))

    @get("/{segment_id:uuid}", operation_id="getSegment", summary="Get one segment", scope="segments:read")
    def get_segment(self, recall: NamedDependency[Recall], segment_id: FromPath[UUID]) -> Json[One[SegmentView]]:
        return recall.one(rows.SEGMENTS, segment_id, rows.views)

    @get(
        "/{segment_id:uuid}/contacts",
        operation_id="listSegmentContacts",
        summary="List the contacts of a segment",
        scope="contacts:read",
    )
    def list_segment_contacts(
        self,
        ask: NamedDependency[Ask],
        segment_id: FromPath[UUID],
        wanted: NamedDependency[PageRequest],
        search: SearchOfOwn = None,
    ) -> Json[Page[ContactView]]:
        """Those of which its filter holds now; newest first, sorted and searched as contacts are."""
        with ask.reading() as conn:
            segment = ask.found(conn, rows.SEGMENTS, segment_id)
        known = fields(ask.visible_to, ask.caller.may)
        return ask.listed(wanted, lambda conn: rows.members(conn, wanted, segment, known, search), contact_views)

    @patch(
        "/{segment_id:uuid}",
        operation_id="updateSegment",
        summary="Change a segment",
        scope="segments:write",
        example={"description": "For the spring fair."},
    )
    def update_segment(
        self, change: NamedDependency[Change], segment_id: FromPath[UUID], data: RequestBody[UpdateSegment]
    ) -> Json[One[SegmentView]]:
        """Only the fields given change; a filter is given anew as a whole."""
        return change(
            lambda unit: segments.update(unit, segment_id, data, change.if_version),
            lambda unit, changed: rows.views(unit.conn, [changed])[0],
        )

    @delete("/{segment_id:uuid}", operation_id="deleteSegment", summary="Delete a segment", scope="segments:write")
    def delete_segment(self, change: NamedDependency[Change], segment_id: FromPath[UUID]) -> Json[None]:
        """Its contacts stay."""
        return change.end(SEGMENT, segment_id, DeleteSegment())
