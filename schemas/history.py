"""The past of one thing: each change, and what differs between two moments."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Action, Value
from schemas.activity import FieldChange, Unreadable
from schemas.log import Actor
from schemas.wire.words import Id

EXAMPLE: Final[JSON] = {
    "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0070",
    "seq": 1204,
    "event": "contact.updated",
    "recordedAt": "2026-03-15T10:32:11.654987Z",
    "occurredAt": "2026-03-15T10:32:11.654321Z",
    "actor": {"type": "user", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020"},
    "userId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
    "userName": "Olga Owner",
    "requestId": "import-2026-03-15",
    "correlationId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0071",
    "causationId": None,
}


class Happening(Value):
    """An event: when, by whom and why."""

    id: Id
    seq: Annotated[int, Meta(description="Its place in the workspace's log, from 1 without a gap.")]
    event: Annotated[str, Meta(description="The event's public name, such as `contact.updated`.")]
    recorded_at: Annotated[datetime, Meta(description="When it was written down.")]
    occurred_at: Annotated[datetime, Meta(description="When it was decided.")]
    actor: Annotated[Actor, Meta(description="Who did it.")]
    user_id: Annotated[UUID | None, Meta(description="The user: of an API key, the one whose it is.")]
    user_name: Annotated[str | None, Meta(description="What the user is called now.")]
    request_id: Annotated[str | None, Meta(description="The request's id.")]
    correlation_id: Annotated[
        UUID, Meta(description="Shared by all that came of one request or job; of a job it is the job's id.")
    ]
    causation_id: Annotated[UUID | None, Meta(description="The id of the event that led to this one, if any.")]


class HistoryEntry(Happening):
    """A change of one thing. ``changes`` says of each of its fields that changed from what to what, of maps by key; and
    what else the event tells, such as the name of a tag.
    """

    version: Annotated[int, Meta(description="Its place among the events of this thing, from 1.")]
    action: Annotated[Action, Meta(description="What the event amounts to.")]
    changes: Annotated[dict[str, FieldChange], Meta(description="By field: what it was, and what it became.")]
    erased: Unreadable

    example: ClassVar[JSON] = {
        **EXAMPLE,
        "version": 3,
        "action": "updated",
        "changes": {"company": {"from": "Acme", "to": "Acme Corp"}},
        "erased": [],
    }


class DifferenceSide(Value):
    """One thing at one moment."""

    seq: Annotated[int, Meta(description="The moment: the last entry that the log had then; 0 before the first.")]
    existed: Annotated[bool, Meta(description="False before it began, and once it had ended.")]
    version: Annotated[int | None, Meta(description="Its version then; null where it did not exist.")]


class DifferenceView(Value, rename={"from_": "from"}):
    """What differs in one thing between two moments; of maps, each key by itself (``customFields.plan``)."""

    from_: Annotated[DifferenceSide, Meta(description="The earlier moment.")]
    to: Annotated[DifferenceSide, Meta(description="The later moment.")]
    changes: Annotated[dict[str, FieldChange], Meta(description="By field: what it was, and what it was later.")]

    example: ClassVar[JSON] = {
        "from": {"seq": 1150, "existed": True, "version": 2},
        "to": {"seq": 1204, "existed": True, "version": 4},
        "changes": {
            "company": {"from": "Acme", "to": "Acme Corp"},
            "customFields.plan": {"from": None, "to": "Gold"},
        },
    }
