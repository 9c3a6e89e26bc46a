"""Notes on the wire."""

from __future__ import annotations

from typing import ClassVar

from domain.kernel import JSON
from domain.note import Author, NoteDetails
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version


class NewNote(NoteDetails, forbid_unknown_fields=True):
    """A note to create; who asks is its author."""


class NoteView(NoteDetails, kw_only=True):
    """A note."""

    id: Id
    created_by: Author
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00b0",
        "content": "Had a *great* call. They're interested in the premium tier.",
        "contactId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "dealId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00d1",
        "createdBy": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "createdAt": "2026-04-14T15:30:00.123456Z",
        "updatedAt": "2026-04-14T15:30:00.123456Z",
        "version": 1,
    }
