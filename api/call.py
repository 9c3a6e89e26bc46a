"""Calls over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.call_query import call_query
from api.http.answers import Json
from api.http.ask import Act, Ask, Change, Views
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from application import call as calls
from domain.call import CALL, Call, DeleteCall, UpdateCall
from projections import call as rows
from projections.table.asking.compiled import Compiled
from schemas.call import CallView, NewCall
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {
    "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
    "direction": "outbound",
    "status": "completed",
    "duration": 480,
    "notes": "Demo call. They want a proposal by next week.",
    "startedAt": "2026-04-19T14:00:00Z",
}


class CallController(Controller):
    path = "/calls"
    tags = ["Calls"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listCalls", summary="List calls", scope="calls:read", asked=call_query)
    def list_calls(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest], asked: NamedDependency[Compiled]
    ) -> Json[Page[CallView]]:
        """The last that began first, unless sorted by createdAt or updatedAt. All filters that are given must hold.
        Members limited to what is assigned to them see calls with contacts, or about deals, of theirs.
        """
        return ask.many(rows.LISTING, wanted, _views(ask), asked)

    @post(operation_id="createCall", summary="Log a call", scope="calls:write", example=_NEW)
    def create_call(self, act: NamedDependency[Act], data: RequestBody[NewCall]) -> Json[One[CallView]]:
        """It is on the contact's timeline from then on."""
        return act.create(
            lambda unit: calls.log(unit, act.caller, data), lambda unit, call: _views(act)(unit.conn, [call])[0]
        )

    @get("/{call_id:uuid}", operation_id="getCall", summary="Get one call", scope="calls:read")
    def get_call(self, recall: NamedDependency[Recall], call_id: FromPath[UUID]) -> Json[One[CallView]]:
        return recall.one(rows.CALLS, call_id, _views(recall))

    @patch(
        "/{call_id:uuid}",
        operation_id="updateCall",
        summary="Change a call",
        scope="calls:write",
        example={"notes": "Sarah confirmed budget approval.", "status": "completed"},
    )
    def update_call(
        self, change: NamedDependency[Change], call_id: FromPath[UUID], data: RequestBody[UpdateCall]
    ) -> Json[One[CallView]]:
        return change.execute(CALL, call_id, data, _views(change))

    @delete("/{call_id:uuid}", operation_id="deleteCall", summary="Delete a call", scope="calls:write")
    def delete_call(self, change: NamedDependency[Change], call_id: FromPath[UUID]) -> Json[None]:
        """For good. That it was logged stays in the log."""
        return change.end(CALL, call_id, DeleteCall())


def _views(ask: Ask) -> Views[Call, CallView]:
    return rows.views if ask.caller.may("contacts:read") else rows.without_contacts
