"""The access log on the wire: who read what, and when."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Value
from schemas.wire.words import Id


class AccessView(Value):
    """A read. It has ids alone: what they stand for, who may read it looks up."""

    id: Id
    at: Annotated[datetime, Meta(description="When it was answered.")]
    user_id: Annotated[UUID, Meta(description="Who read: the user, or the one whose API key it was.")]
    api_key_id: Annotated[UUID | None, Meta(description="The API key, where it was one.")]
    operation: Annotated[str, Meta(description="What was asked for: the operation's id, such as `getContact`.")]
    subject_id: Annotated[UUID | None, Meta(description="The id in the path, if there was one.")]
    contact_ids: Annotated[
        list[UUID],
        Meta(description="The contacts that were shown, 100 at most; of exports and of the log none: they show all."),
    ]
    request_id: Annotated[str, Meta(description="The request's id.")]

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0420",
        "at": "2026-03-15T10:32:11.654321Z",
        "userId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "apiKeyId": None,
        "operation": "getContact",
        "subjectId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001",
        "contactIds": ["0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001"],
        "requestId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0421",
    }
