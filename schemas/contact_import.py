"""Imports of contacts on the wire: what callers send beside a CSV file, and what came of it."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON, Value
from schemas.job import JobStatus, RowError

_Contact = Annotated[msgspec.Raw, Meta(extra_json_schema={"$ref": "#/components/schemas/NewContact"})]
_Row = Annotated[
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
    rows, whatever the rows say, and ``_tags``: names of tags. ``skipDuplicates``: contacts that exist are left as they are.
    """

    mapping: Annotated[
        dict[str, str | None] | None, Meta(description='Column → field; `""` or null leaves a column out.')
    ] = None
    constant_values: Annotated[
        dict[str, Any] | None, Meta(description="Field → value, the same for all rows whatever they say.")
    ] = None
    skip_duplicates: Annotated[bool, Meta(description="Whether contacts that exist are left as they are.")] = False
    tags: Annotated[list[str] | None, Meta(description="Names of tags for all contacts; missing ones are made.")] = None
    tag_ids: Annotated[list[UUID] | None, Meta(description="Ids of tags for all contacts.")] = None
    source: Annotated[str | None, Meta(description="Lead source of all contacts.")] = None


class ImportRequest(ImportOptions, forbid_unknown_fields=True):
    """``contacts``: objects as ``POST /contacts`` takes them; or ``rows``: objects of text by column. Each is judged by itself."""

    contacts: Annotated[list[_Contact] | UnsetType, Meta(description="Contacts as `POST /contacts` takes them.")] = (
        UNSET
    )
    rows: Annotated[list[_Row] | UnsetType, Meta(description="Objects of text by column.")] = UNSET


class ImportAnswer(Value):
    """What came of an import, or (``processing``) that a job does it: ``GET /jobs/{jobId}`` says how far it has come.

    ``total`` is the sum of created, updated, skipped and ``errorCount`` (rows at fault); ``errors`` has each thing
    that is wrong. ``imported`` is another name for created. ``mapping`` is what the columns were taken for.
    """

    import_id: Annotated[UUID, Meta(description="The import's id, which is also its job's.")]
    job_id: Annotated[UUID, Meta(description="The job that does it, and its progress.")]
    status: Annotated[JobStatus, Meta(description="How it stands.")]
    total: Annotated[int, Meta(description="All rows.")]
    created: Annotated[int, Meta(description="Rows that became new contacts.")]
    imported: Annotated[int, Meta(description="Another name for `created`.")]
    updated: Annotated[int, Meta(description="Rows that changed a contact.")]
    skipped: Annotated[int, Meta(description="Rows whose contact was left as it was.")]
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
