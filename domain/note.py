"""A note: what somebody has written down, in Markdown, about a contact or a deal."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value
from domain.kernel.fields import Refers
from domain.kernel.personal import PERSONAL
from domain.kernel.record import record
from domain.kernel.types import Markdown

Content = Annotated[Markdown, PERSONAL, Meta(description="What it says, in Markdown; kept as it was given.")]
ContactId = Annotated[
    UUID, Refers("contact", on_end="cascade"), Meta(description="The contact that it is about; it is deleted with it.")
]
DealId = Annotated[UUID, Refers("deal"), Meta(description="The deal that it is about; it stays when that goes.")]
Author = Annotated[UUID, Meta(description="The user who wrote it.")]


class NoteDetails(Value):
    content: Content
    contact_id: ContactId | None = None
    deal_id: DealId | None = None


class NoteChanges(Value):
    """The fields of a note that can change."""

    content: Content | UnsetType = UNSET
    contact_id: ContactId | UnsetType | None = UNSET
    deal_id: DealId | UnsetType | None = UNSET


class Note(NoteDetails, State, kw_only=True):
    created_by: Author

    @property
    def kept_by(self) -> UUID | None:
        """Whose it is while it is about nothing: its author's. About something, it is for whoever sees that."""
        return self.created_by if self.contact_id is None and self.deal_id is None else None


class CreateNote(NoteDetails, Command, kw_only=True):
    """A note to create."""

    created_by: Author


class UpdateNote(NoteChanges, Command):
    """What to change."""


class DeleteNote(Command):
    """For good."""


class NoteCreated(NoteDetails, Event, name="note.created", action="created", kw_only=True):
    """A note was written."""

    created_by: Author


class NoteUpdated(Event, name="note.updated", action="updated"):
    """The note says something else, or is about something else."""

    changed: NoteChanges
    previous: NoteChanges


class NoteDeleted(Event, name="note.deleted", action="deleted"):
    """What it said is in the events before."""


NOTE = record(
    "note",
    state=Note,
    create=CreateNote,
    update=UpdateNote,
    delete=DeleteNote,
    created=NoteCreated,
    updated=NoteUpdated,
    deleted=NoteDeleted,
)
