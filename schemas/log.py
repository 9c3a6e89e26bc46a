"""The log as auditors read it: one entry per event, in order of ``seq``."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal
from uuid import UUID

import msgspec

from domain.kernel import JSON, Value
from schemas.wire.words import Id, WorkspaceId

ActorType = Literal["user", "api_key", "worker", "system"]


class Actor(Value):
    """Who did it. ``id`` is the user's or API key's; a worker and the system have none."""

    type: Annotated[ActorType, msgspec.Meta(description="What kind of caller acted.")]
    id: Annotated[
        UUID | None, msgspec.Meta(description="The user's or API key's id; null for a worker and the system.")
    ] = None


class Stream(Value):
    """What the event happened to."""

    type: Annotated[str, msgspec.Meta(description="What kind of thing.")]
    id: Annotated[UUID, msgspec.Meta(description="Which one.")]


class Meta(Value):
    """Who, when decided, for which request, and in which chain of causes."""

    actor: Annotated[Actor, msgspec.Meta(description="Who did it.")]
    correlation_id: Annotated[UUID, msgspec.Meta(description="Shared by all events of one chain of causes.")]
    occurred_at: Annotated[str, msgspec.Meta(description="When it was decided.")]
    causation_id: Annotated[UUID | None, msgspec.Meta(description="The event that led to this one, if any.")] = None
    request_id: Annotated[str | None, msgspec.Meta(description="The request's id.")] = None


class LogEntry(Value):
    """An event with its place in the log. What is personal in its ``data`` is sealed, under ``$sealed``.

    ``hash`` = sha256(hash of the entry before ‖ sha256(RFC 8785 form of this entry without ``hash``)), in hex;
    the entry before the first has 64 zeros. ``recordedAt`` never goes back as ``seq`` goes up.
    """

    id: Id
    type: Annotated[str, msgspec.Meta(description="What kind it is.")]
    workspace_id: WorkspaceId
    seq: Annotated[int, msgspec.Meta(description="Its place in the workspace's log, from 1 without a gap.")]
    stream: Annotated[Stream, msgspec.Meta(description="The thing that it happened to.")]
    version: Annotated[int, msgspec.Meta(description="Its place among the events of its stream, from 1.")]
    recorded_at: Annotated[
        str, msgspec.Meta(description="When it was written down; it never goes back as `seq` goes up.")
    ]
    meta: Annotated[Meta, msgspec.Meta(description="Who, when, for which request, and why.")]
    data: Annotated[msgspec.Raw, msgspec.Meta(description="What was asked for.")]
    hash: Annotated[
        str,
        msgspec.Meta(
            description="In hex: sha256(hash of the entry before ‖ sha256(RFC 8785 form of the entry without `hash`))."
        ),
    ]

    opened: Annotated[
        msgspec.Raw | msgspec.UnsetType,
        msgspec.Meta(
            description=(
                "With `personal=true`, of an entry in which something is sealed: the data with that in it, or, where it is"
                " erased, with what stands for it. No part of the entry: neither hashed nor exported."
            )
        ),
    ] = msgspec.UNSET

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

    next_after: Annotated[int, msgspec.Meta(description="The `after` of the next request.")]
    head: Annotated[int, msgspec.Meta(description="The last `seq` of the log.")]


class LogPage(Value):
    """Entries in order of `seq`."""

    data: Annotated[list[LogEntry], msgspec.Meta(description="What was asked for.")]
    meta: Annotated[LogPageMeta, msgspec.Meta(description="About the answer itself.")]

    example: ClassVar[JSON] = {"data": [LogEntry.example], "meta": {"nextAfter": 1204, "head": 1204}}


class LogState(Value):
    """What the log adds up to as of an entry. ``hash`` is over all live things, in order of id: of each behind the ones
    before it, sha256(hash so far ‖ sha256(line)), from 32 zero bytes; a line is ``{"id":…,"state":{…},"type":…,"version":…}``
    in the form of RFC 8785.
    """

    workspace_id: WorkspaceId
    seq: Annotated[int, msgspec.Meta(description="The last entry that is in it.")]
    hash: Annotated[str, msgspec.Meta(description="The hash of all states, in hex.")]
    counts: Annotated[dict[str, int], msgspec.Meta(description="How many live things there are, by kind.")]

    example: ClassVar[JSON] = {
        "workspaceId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "seq": 1204,
        "hash": "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae",
        "counts": {"contact": 210, "tag": 12},
    }
