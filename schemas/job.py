"""Jobs on the wire: long work, how far it has come, and what was wrong with which row."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Final, Literal
from uuid import UUID

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON, Value
from domain.kernel.filter import Group
from schemas.wire.words import CreatedAt, Id, UpdatedAt

JobStatus = Literal["processing", "completed", "failed", "cancelled"]
JobEnding = Literal["completed", "failed", "cancelled"]

MAX_IDS: Final = 1_000
"""In one request."""

COUNTED: Final = ("created", "updated", "deleted", "skipped", "errors")
"""What a job is shown to have come to: how many of its items. Those of kinds that do not count such a thing are 0."""


class RowError(Value):
    """What is wrong with one field of one row. Rows are numbered from 1; ``line`` is where a row begins in its file.

    ``error`` is field and message in one sentence.
    """

    row: Annotated[int, Meta(description="The row's number, from 1.")]
    field: Annotated[str, Meta(description="The field at fault.")]
    message: Annotated[str, Meta(description="What was expected of it.")]
    error: Annotated[str, Meta(description="Field and message in one sentence.")]
    line: Annotated[int | UnsetType, Meta(description="Where the row begins in its file, from 1.")] = UNSET

    example: ClassVar[JSON] = {
        "row": 17,
        "field": "email",
        "message": "must be a valid e-mail address",
        "error": "email: must be a valid e-mail address",
        "line": 18,
    }


class JobView(Value):
    """A job. ``errors`` is the number of rows at fault, ``errorDetails`` the first 1,000 things that are wrong.

    Created, updated, deleted, skipped and errors add up to ``processed``; a job that is cancelled keeps what was done until then.
    ``error`` says why a failed job ended.
    """

    id: Id
    kind: Annotated[str, Meta(description="What is done, such as `contact_import`.")]
    status: Annotated[JobStatus, Meta(description="How it stands.")]
    total: Annotated[int, Meta(description="All items: of an import, its rows.")]
    processed: Annotated[int, Meta(description="Items that were dealt with so far.")]
    created: Annotated[int, Meta(description="Items that something new was made of.")]
    updated: Annotated[int, Meta(description="Items that changed something that was there.")]
    deleted: Annotated[int, Meta(description="Items that were deleted.")]
    skipped: Annotated[int, Meta(description="Items that changed nothing.")]
    errors: Annotated[int, Meta(description="Items that were not acceptable.")]
    error: Annotated[str | None, Meta(description="Why a failed job ended.")]
    created_at: CreatedAt
    updated_at: UpdatedAt
    completed_at: Annotated[datetime | None, Meta(description="When it ended.")]
    error_details: Annotated[list[RowError] | UnsetType, Meta(description="The first 1,000 things that are wrong.")] = (
        UNSET
    )

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0080",
        "kind": "contact_import",
        "status": "completed",
        "total": 5000,
        "processed": 5000,
        "created": 4200,
        "updated": 700,
        "deleted": 0,
        "skipped": 99,
        "errors": 1,
        "error": None,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:12.654321Z",
        "completedAt": "2026-03-15T10:30:12.654321Z",
        "errorDetails": [RowError.example],
    }


class Many(Value, forbid_unknown_fields=True):
    """Things by id, or all of which a filter holds."""

    ids: Annotated[list[UUID], Meta(description="Up to 1,000 ids.", min_length=1, max_length=MAX_IDS)] | UnsetType = (
        UNSET
    )
    filter: Annotated[Group, Meta(description="In place of ids: all of which it holds, up to 200,000.")] | UnsetType = (
        UNSET
    )


class BulkAnswer(Value):
    """The job that does it: ``GET /jobs/{jobId}`` says how far it has come, and what was wrong with which."""

    job_id: Annotated[UUID, Meta(description="The job that does it.")]
    status: Annotated[JobStatus, Meta(description="How it stands.")]
    total: Annotated[int, Meta(description="How many things it is about.")]
    processed: Annotated[int, Meta(description="How many were dealt with so far.")]
    errors: Annotated[int, Meta(description="How many it could not be done to.")]

    example: ClassVar[JSON] = {
        "jobId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0080",
        "status": "processing",
        "total": 3,
        "processed": 0,
        "errors": 0,
    }


def row_error(row: int, line: int | None, field: str, message: str) -> RowError:
    return RowError(
        row=row, line=UNSET if line is None else line, field=field, message=message, error=f"{field}: {message}"
    )
