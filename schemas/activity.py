"""The audit trail in human terms."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Action, Value
from schemas.log import Actor
from schemas.wire.words import Id


class FieldChange(Value, rename={"from_": "from"}):
    """What a field was, and what it became."""

    from_: Annotated[Any, Meta(description="What it was.")]
    to: Annotated[Any, Meta(description="What it became.")]


Unreadable = Annotated[
    tuple[str, ...],
    Meta(description="Fields that the event tells of and that cannot be read any more: somebody was erased."),
]


class ActivityView(Value):
    """One event. ``changes`` says for each field that changed from what to what."""

    shows: ClassVar[str] = "entity"
    """What its kind and id say."""

    id: Id
    seq: Annotated[int, Meta(description="Its place in the workspace's log, from 1 without a gap.")]
    entity_type: Annotated[str, Meta(description="What kind of thing: `contact`, `tag`, `user` …")]
    entity_id: Annotated[UUID, Meta(description="Which one.")]
    action: Annotated[Action, Meta(description="What the event amounts to.")]
    event: Annotated[str, Meta(description="The event's public name, such as `contact.updated`.")]
    changes: Annotated[dict[str, FieldChange], Meta(description="By field: what it was, and what it became.")]
    erased: Unreadable
    actor: Annotated[Actor, Meta(description="Who did it.")]
    user_id: Annotated[UUID | None, Meta(description="The user.")]
    user_name: Annotated[str | None, Meta(description="The user's name.")]
    timestamp: Annotated[datetime, Meta(description="When it was written down.")]
    request_id: Annotated[str | None, Meta(description="The request's id.")]

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0070",
        "seq": 1204,
        "entityType": "contact",
        "entityId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "action": "updated",
        "event": "contact.updated",
        "changes": {"company": {"from": "Acme", "to": "Acme Corp"}},
        "erased": [],
        "actor": {"type": "user", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020"},
        "userId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "userName": "Olga Owner",
        "timestamp": "2026-03-15T10:32:11.654321Z",
        "requestId": "import-2026-03-15",
    }
