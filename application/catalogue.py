"""Every kind of job, by name."""

from __future__ import annotations

from typing import Final

from application import (
    audit_export,
    company_import,
    contact_bulk,
    contact_erasure,
    contact_import,
    contact_merge_job,
    contact_merge_undo,
    deal_bulk,
    deal_import,
)
from application.working import deletion
from application.working.job import Kinds

_BULK: Final = (contact_bulk.UPDATE, contact_bulk.DELETE, contact_bulk.TAGGING, deal_bulk.UPDATE)

KINDS: Final[Kinds] = {
    audit_export.KIND: audit_export.JOBS,
    company_import.KIND: company_import.JOBS,
    contact_erasure.KIND: contact_erasure.ERASURES,
    contact_import.KIND: contact_import.JOBS,
    contact_merge_job.KIND: contact_merge_job.MERGES,
    contact_merge_undo.KIND: contact_merge_undo.UNDOINGS,
    deal_import.KIND: deal_import.JOBS,
    deletion.KIND: deletion.DELETIONS,
    **{action.kind: action.job for action in _BULK},
}
