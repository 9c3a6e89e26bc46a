"""Jobs on the wire: long work, how far it has come, and what was wrong with which row."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar, Literal
from uuid import UUID

from msgspec import UNSET, UnsetType

from domain.kernel import JSON, Value

JobStatus = Literal["processing", "completed", "failed"]


class RowError(Value):
    """What is wrong with one field of one row. Rows are numbered from 1; ``line`` is where a row begins in its file.

    ``error`` is field and message in one sentence.
    """

    row: int
    field: str
    message: str
    error: str
    line: int | UnsetType = UNSET

    example: ClassVar[JSON] = {
        "row": 17,
        "field": "email",
        "message": "must be a valid e-mail address",
        "error": "email: must be a valid e-mail address",
        "line": 18,
    }


class JobView(Value):
    """A job. ``errors`` is the number of rows at fault, ``errorDetails`` the first 1,000 things that are wrong.

    Created, updated, skipped and errors add up to ``processed``. ``error`` says why a failed job ended.
    """

    id: UUID
    kind: str
    status: JobStatus
    total: int
    processed: int
    created: int
    updated: int
    skipped: int
    errors: int
    error: str | None
    created_at: datetime
    updated_at: datetime
    completed_at: datetime | None
    error_details: list[RowError] | UnsetType = UNSET

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0080",
        "kind": "contact_import",
        "status": "completed",
        "total": 5000,
        "processed": 5000,
        "created": 4200,
        "updated": 700,
        "skipped": 99,
        "errors": 1,
        "error": None,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:12.654321Z",
        "completedAt": "2026-03-15T10:30:12.654321Z",
        "errorDetails": [RowError.example],
    }


def row_error(row: int, line: int | None, field: str, message: str) -> RowError:
    return RowError(
        row=row, line=UNSET if line is None else line, field=field, message=message, error=f"{field}: {message}"
    )
