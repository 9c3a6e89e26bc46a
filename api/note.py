"""Notes over HTTP."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody
from msgspec.structs import asdict

from api.http.answers import Json
from api.http.ask import Act, Ask, Change
from api.http.filtering import asked_of
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post
from domain.note import NOTE, CreateNote, DeleteNote, UpdateNote
from projections import note as rows
from schemas.note import NewNote, NoteView
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {"content": "Had a *great* call. They're interested in the premium tier."}


class NoteController(Controller):
    path = "/notes"
    tags = ["Notes"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listNotes", summary="List notes", scope="notes:read")
    def list_notes(
        self,
        ask: NamedDependency[Ask],
        wanted: NamedDependency[PageRequest],
        contact_id: Annotated[
            UUID | None, QueryParameter(name="contactId", description="About the contact of this id.")
        ] = None,
        deal_id: Annotated[UUID | None, QueryParameter(name="dealId", description="About the deal of this id.")] = None,
    ) -> Json[Page[NoteView]]:
        """Newest first. Members limited to what is assigned to them see what is about a contact or deal of theirs, and what
        they wrote about nothing.
        """
        where = asked_of(rows.NOTES, ("contactId", "eq", contact_id), ("dealId", "eq", deal_id))
        return ask.many(rows.LISTING, wanted, rows.views, where)

    @post(operation_id="createNote", summary="Write a note", scope="notes:write", example=_NEW)
    def create_note(self, act: NamedDependency[Act], data: RequestBody[NewNote]) -> Json[One[NoteView]]:
        """Who asks is its author."""
        return act.begin(NOTE, CreateNote(**asdict(data), created_by=act.caller.account_id), rows.views)

    @get("/{note_id:uuid}", operation_id="getNote", summary="Get one note", scope="notes:read", conditional=True)
    def get_note(self, recall: NamedDependency[Recall], note_id: FromPath[UUID]) -> Json[One[NoteView]]:
        return recall.one(rows.NOTES, note_id, rows.views, alone=lambda _: True)

    @patch(
        "/{note_id:uuid}",
        operation_id="updateNote",
        summary="Change a note",
        scope="notes:write",
        example={"content": "Had a *great* call."},
    )
    def update_note(
        self, change: NamedDependency[Change], note_id: FromPath[UUID], data: RequestBody[UpdateNote]
    ) -> Json[One[NoteView]]:
        return change.execute(NOTE, note_id, data, rows.views)

    @delete("/{note_id:uuid}", operation_id="deleteNote", summary="Delete a note", scope="notes:write")
    def delete_note(self, change: NamedDependency[Change], note_id: FromPath[UUID]) -> Json[None]:
        """For good. What it said stays in the log."""
        return change.end(NOTE, note_id, DeleteNote())
