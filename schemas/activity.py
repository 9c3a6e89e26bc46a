"""The audit trail in human terms."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar
from uuid import UUID

from domain.kernel import JSON, Action, Value
from schemas.log import Actor


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

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0070",
        "seq": 1204,
        "entityType": "contact",
        "entityId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "action": "updated",
        "event": "contact.updated",
        "changes": {"company": {"from": "Acme", "to": "Acme Corp"}},
        "actor": {"type": "user", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020"},
        "userId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "userName": "Olga Owner",
        "timestamp": "2026-03-15T10:32:11.654321Z",
        "requestId": "import-2026-03-15",
    }
