"""Rules of notes."""

from __future__ import annotations

import pytest

from domain.kernel.values import MAX_LONG_TEXT
from domain.note import NOTE, CreateNote, NoteChanges, NoteCreated, NoteUpdated, UpdateNote
from eventstore.ids import new_id
from tests.language import given

ANN, CONTACT_ID = new_id(), new_id()
MARKDOWN = "    code first\n\n# Then *more*  \nwith a break\n\n"


def test_markdown_is_kept_to_the_letter() -> None:
    created = NoteCreated(content=MARKDOWN, contact_id=CONTACT_ID, created_by=ANN)
    given(NOTE).when(CreateNote(content=MARKDOWN, contact_id=CONTACT_ID, created_by=ANN)).then(created)
    given(NOTE, created).when(UpdateNote(content=MARKDOWN.strip())).then(
        NoteUpdated(changed=NoteChanges(content=MARKDOWN.strip()), previous=NoteChanges(content=MARKDOWN))
    )


@pytest.mark.parametrize("content", ["", " \n\t", "\u200b\n\u2060", "a\0b", "x" * (MAX_LONG_TEXT + 1)])
def test_what_says_nothing_or_too_much_is_refused(content: str) -> None:
    given(NOTE).when(CreateNote(content=content, created_by=ANN)).refused("validation_failed", field="content")


def test_a_note_about_nothing_is_its_authors_and_about_something_for_whoever_sees_that() -> None:
    alone = given(NOTE).when(CreateNote(content="A", created_by=ANN)).state
    about = given(NOTE).when(CreateNote(content="A", contact_id=CONTACT_ID, created_by=ANN)).state
    assert alone is not None
    assert about is not None
    assert (alone.kept_by, about.kept_by) == (ANN, None)
