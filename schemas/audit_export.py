"""Bundles of the log on the wire: what is asked for, and how far it has come."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON, Value
from schemas.job import JobStatus
from schemas.log import Actor
from schemas.wire.words import CreatedAt, Id, UpdatedAt


class NewAuditExport(Value, forbid_unknown_fields=True):
    """Which stretch of the log is wanted: all of it, unless it is said."""

    since: (
        Annotated[
            str,
            Meta(
                description="The seq of the first event, or an RFC 3339 time: the events recorded after it.",
                max_length=40,
            ),
        ]
        | UnsetType
    ) = msgspec.field(name="from", default=UNSET)
    until: (
        Annotated[
            str,
            Meta(
                description="The seq of the last event, or an RFC 3339 time: the events recorded by then.",
                max_length=40,
            ),
        ]
        | UnsetType
    ) = msgspec.field(name="to", default=UNSET)

    example: ClassVar[JSON] = {"from": "1"}


class AuditExportView(Value):
    """A bundle of the log that is made by a job. What went wrong is said in ``error``."""

    id: Id
    status: Annotated[JobStatus, Meta(description="How it stands: it can be downloaded when it is `completed`.")]
    first: Annotated[int, Meta(description="The `seq` of the first event in it.")]
    last: Annotated[int, Meta(description="The `seq` of the last event in it.")]
    last_hash: Annotated[str, Meta(description="The last event's hash, in hex.")]
    made_by: Annotated[Actor, Meta(description="Who has asked for it.")]
    total: Annotated[int, Meta(description="How many events it is to have.")]
    processed: Annotated[int, Meta(description="How many events are in it so far.")]
    size: Annotated[int, Meta(description="Its size in bytes so far; 0 when it is no longer kept.")]
    error: Annotated[str | None, Meta(description="Why it could not be made.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    completed_at: Annotated[datetime | None, Meta(description="When it ended.")]
    expires_at: Annotated[datetime, Meta(description="Until when it is kept.")]

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0090",
        "status": "completed",
        "first": 1,
        "last": 1204,
        "lastHash": "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
        "madeBy": {"type": "user", "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020"},
        "total": 1204,
        "processed": 1204,
        "size": 139264,
        "error": None,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:02.654321Z",
        "completedAt": "2026-03-15T10:30:02.654321Z",
        "expiresAt": "2026-03-22T10:30:00.123456Z",
    }
