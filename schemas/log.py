"""The log as auditors read it: one entry per event, in order of ``seq``."""

from __future__ import annotations

from typing import Literal
from uuid import UUID

import msgspec

from domain.kernel import Value

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


class LogPageMeta(Value):
    """``head`` is the last seq of the log; ``nextAfter`` the ``after`` of the next request."""

    next_after: int
    head: int


class LogPage(Value):
    data: list[LogEntry]
    meta: LogPageMeta
