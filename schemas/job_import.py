"""Imports on the wire, whatever they are of: what holds for every row, and what came of it with its job."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import Meta

from domain.kernel import JSON, Value
from schemas.job import JobStatus, RowError

RawRow = Annotated[
    msgspec.Raw,
    Meta(
        extra_json_schema={
            "type": "object",
            "additionalProperties": {"type": ["string", "number", "boolean", "null"]},
        }
    ),
]
"""Judged one by one, so that one that is not acceptable keeps no other out."""


class ImportOptions(Value, forbid_unknown_fields=True):
    """What holds for every row.

    ``mapping``: column → field (``""`` or null leaves it out). ``constantValues``: fields that are the same in all
    rows, whatever the rows say. ``skipDuplicates``: what exists is left as it is.
    """

    mapping: Annotated[
        dict[str, str | None] | None, Meta(description='Column → field; `""` or null leaves a column out.')
    ] = None
    constant_values: Annotated[
        dict[str, Any] | None, Meta(description="Field → value, the same for all rows whatever they say.")
    ] = None
    skip_duplicates: Annotated[bool, Meta(description="Whether what exists is left as it is.")] = False


class ImportAnswer(Value):
    """What came of an import, or (``processing``) that a job does it: ``GET /jobs/{jobId}`` says how far it has come.

    ``total`` is the sum of created, updated, skipped and ``errorCount`` (rows at fault); ``errors`` has each thing
    that is wrong. ``imported`` is another name for created. ``mapping`` is what the columns were taken for.
    """

    import_id: Annotated[UUID, Meta(description="The import's id, which is also its job's.")]
    job_id: Annotated[UUID, Meta(description="The job that does it, and its progress.")]
    status: Annotated[JobStatus, Meta(description="How it stands.")]
    total: Annotated[int, Meta(description="All rows.")]
    created: Annotated[int, Meta(description="Rows that became something new.")]
    imported: Annotated[int, Meta(description="Another name for `created`.")]
    updated: Annotated[int, Meta(description="Rows that changed what was there.")]
    skipped: Annotated[int, Meta(description="Rows that left all as it was.")]
    error_count: Annotated[int, Meta(description="Rows that were not acceptable.")]
    errors: Annotated[list[RowError], Meta(description="Each thing that is wrong with a row.")]
    mapping: Annotated[dict[str, str | None] | None, Meta(description="What the columns were taken for.")] = None

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
