"""The audit trail in human terms."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from domain.kernel import Value
from schemas.log import Actor

Action = Literal["created", "updated", "deleted", "login"]


class FieldChange(Value, rename={"from_": "from"}):
    from_: Any
    to: Any


class ActivityView(Value):
    """One event. ``changes`` says for each field that changed from what to what."""

    id: UUID
    seq: int
    entity_type: str
    entity_id: UUID
    action: Action
    event: str
    changes: dict[str, FieldChange]
    actor: Actor
    user_id: UUID | None
    user_name: str | None
    timestamp: datetime
    request_id: str | None
