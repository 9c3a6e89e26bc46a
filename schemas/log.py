"""The log as auditors read it: one entry per event, in order of ``seq``."""

from __future__ import annotations

from typing import ClassVar, Literal
from uuid import UUID

import msgspec

from domain.kernel import JSON, Value

ActorType = Literal["user", "api_key", "worker", "system"]


class Actor(Value):
    """Who did it. ``id`` is the user's or API key's; a worker and the system have none."""

    type: ActorType
    id: UUID | None = None


class Stream(Value):
    type: str
    id: UUID


class Meta(Value):
    """Who, when decided, for which request, and in which chain of causes."""

    actor: Actor
    correlation_id: UUID
    occurred_at: str
    causation_id: UUID | None = None
    request_id: str | None = None


class LogEntry(Value):
    """An event with its place in the log.

    ``hash`` = sha256(hash of the entry before ‖ sha256(RFC 8785 form of this entry without ``hash``)), in hex;
    the entry before the first has 64 zeros. ``recordedAt`` never goes back as ``seq`` goes up.
    """

    id: UUID
    type: str
    workspace_id: UUID
    seq: int
    stream: Stream
    version: int
    recorded_at: str
    meta: Meta
    data: msgspec.Raw
    hash: str

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0070",
        "type": "contact.tag_added",
        "workspaceId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "seq": 1204,
        "stream": {"type": "contact", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001"},
        "version": 3,
        "recordedAt": "2026-03-15T10:32:11.654987Z",
        "meta": {
            "actor": {"type": "user", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020"},
            "correlationId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0071",
            "occurredAt": "2026-03-15T10:32:11.654321Z",
            "causationId": None,
            "requestId": "import-2026-03-15",
        },
        "data": {"tagId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0030", "tagName": "VIP"},
        "hash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }


class LogPageMeta(Value):
    """``head`` is the last seq of the log; ``nextAfter`` the ``after`` of the next request."""

    next_after: int
    head: int


class LogPage(Value):
    data: list[LogEntry]
    meta: LogPageMeta

    example: ClassVar[JSON] = {"data": [LogEntry.example], "meta": {"nextAfter": 1204, "head": 1204}}
