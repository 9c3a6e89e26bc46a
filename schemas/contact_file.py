"""All that is held of one person, on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from msgspec import Meta

from domain.kernel import JSON, Value
from schemas.contact import ContactView
from schemas.history import HistoryEntry
from schemas.wire.words import Id


class CustomFieldOfContact(Value):
    """A custom field that the contact has a value in; one that is not defined is called by its key."""

    key: Annotated[str, Meta(description="Its key.")]
    name: Annotated[str, Meta(description="What people call it.")]
    type: Annotated[str | None, Meta(description="What its values are; null where it is not defined.")]
    value: Annotated[Any, Meta(description="The value.")]

    example: ClassVar[JSON] = {"key": "employees", "name": "Employees", "type": "number", "value": 38}


class MergedContact(Value):
    """A contact that was merged into this one."""

    id: Id
    name: Annotated[str, Meta(description="What it was called.")]
    merged_at: Annotated[datetime, Meta(description="When it was merged.")]
    was: Annotated[dict[str, Any], Meta(description="What it was, field by field.")]

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002",
        "name": "S. Kim",
        "mergedAt": "2026-03-15T10:32:11.654321Z",
        "was": {"type": "person", "firstName": "S.", "lastName": "Kim"},
    }


class ContactFile(Value):
    """All that is held of one person, as it was at one moment."""

    seq: Annotated[int, Meta(description="The moment: the last entry that the log had then.")]
    contact: Annotated[ContactView, Meta(description="The contact.")]
    custom_fields: Annotated[
        list[CustomFieldOfContact], Meta(description="Its custom fields, with what they are called.")
    ]
    merged: Annotated[list[MergedContact], Meta(description="The contacts that were merged into it, and are.")]
    related: Annotated[
        dict[str, list[dict[str, Any]]],
        Meta(description="By kind (`deal`, `note`, `task` …), all that refers to it, each as it is shown elsewhere."),
    ]
    history: Annotated[
        list[HistoryEntry],
        Meta(
            description="Each change of it and of those that were merged into it, from the first: when, by whom, from and to."
        ),
    ]
    left_out: Annotated[list[str], Meta(description="Kinds that you may not read, and so are not in `related`.")]
    complete: Annotated[
        bool,
        Meta(description="Whether it is all: nothing was left out because you may not see it, or there is too much."),
    ]

    example: ClassVar[JSON] = {
        "seq": 1204,
        "contact": ContactView.example,
        "customFields": [CustomFieldOfContact.example],
        "merged": [MergedContact.example],
        "related": {"note": [{"id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0060", "content": "Met at the fair."}]},
        "history": [HistoryEntry.example],
        "leftOut": [],
        "complete": True,
    }
