"""Merges of contacts on the wire."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Value
from schemas.contact import ContactView


class MergeContacts(Value, forbid_unknown_fields=True):
    """Which contact is to be merged into the one of the path."""

    loser_id: Annotated[UUID, Meta(description="The contact that is merged into this one, and is gone then.")]
    dry_run: Annotated[bool, Meta(description="Only say what would come of it.")] = False


class UndoMerge(Value, forbid_unknown_fields=True):
    """Which of the merges into the contact of the path is to be undone."""

    loser_id: Annotated[
        UUID | None, Meta(description="The contact that is to be back; the last that was merged, unless given.")
    ] = None


class MergedField(Value):
    """A field that one of two contacts has: the value of each, and whose wins."""

    field: Annotated[str, Meta(description="The field; of a map, with its key: `customFields.plan`.")]
    winner: Annotated[Any, Meta(description="The winner's value; null where it has none.")]
    loser: Annotated[Any, Meta(description="The loser's value; null where it has none.")]
    result: Annotated[Any, Meta(description="The value that stays.")]
    of: Annotated[Literal["winner", "loser"], Meta(description="Whose value that is.")]

    example: ClassVar[JSON] = {
        "field": "phone",
        "winner": None,
        "loser": "+14155552671",
        "result": "+14155552671",
        "of": "loser",
    }


class MergeView(Value):
    """What came of a merge, or would."""

    contact: Annotated[ContactView, Meta(description="The winner, as it is then.")]
    loser_id: Annotated[UUID, Meta(description="The other contact.")]
    dry_run: Annotated[bool, Meta(description="Whether nothing was done.")]
    fields: Annotated[list[MergedField], Meta(description="Each field that either has, and whose value wins.")]
    moved: Annotated[
        dict[str, int], Meta(description="By kind, how many things that referred to the loser are the winner's.")
    ]

    example: ClassVar[JSON] = {
        "contact": ContactView.example,
        "loserId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002",
        "dryRun": False,
        "fields": [MergedField.example],
        "moved": {"deal": 1, "note": 3},
    }
