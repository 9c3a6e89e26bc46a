"""Imports of contacts on the wire: what callers send beside a CSV file, and what came of it."""

from __future__ import annotations

from typing import Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from domain.kernel import JSON, Value
from schemas.job import JobStatus, RowError


class ImportOptions(Value, forbid_unknown_fields=True):
    """What holds for every row.

    ``mapping``: column → field (``""`` or null leaves it out). ``constantValues``: fields that are the same in all
    rows, whatever the rows say, and ``_tags``: names of tags. ``skipDuplicates``: contacts that exist are left as they are.
    """

    mapping: dict[str, str | None] | None = None
    constant_values: dict[str, Any] | None = None
    skip_duplicates: bool = False
    tags: list[str] | None = None
    tag_ids: list[UUID] | None = None
    source: str | None = None


class ImportRequest(ImportOptions, forbid_unknown_fields=True):
    """``contacts``: objects as ``POST /contacts`` takes them; or ``rows``: objects of text by column. Each is judged by itself."""

    contacts: list[msgspec.Raw] | UnsetType = UNSET
    rows: list[msgspec.Raw] | UnsetType = UNSET


class ImportAnswer(Value):
    """What came of an import, or (``processing``) that a job does it: ``GET /jobs/{jobId}`` says how far it has come.

    ``total`` is the sum of created, updated, skipped and ``errorCount`` (rows at fault); ``errors`` has each thing
    that is wrong. ``imported`` is another name for created. ``mapping`` is what the columns were taken for.
    """

    import_id: UUID
    job_id: UUID
    status: JobStatus
    total: int
    created: int
    imported: int
    updated: int
    skipped: int
    error_count: int
    errors: list[RowError]
    mapping: dict[str, str | None] | None = None

    example: ClassVar[JSON] = {
        "importId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0080",
        "jobId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0080",
        "status": "completed",
        "total": 3,
        "created": 1,
        "imported": 1,
        "updated": 1,
        "skipped": 0,
        "errorCount": 1,
        "errors": [RowError.example],
        "mapping": {"First Name": "firstName", "E-mail": "email", "Row": None},
    }
