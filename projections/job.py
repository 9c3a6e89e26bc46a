"""Jobs as they are shown to those who asked for them: how far they have come, and what was wrong."""

from __future__ import annotations

from typing import Any, Final, LiteralString
from uuid import UUID

from eventstore.database import Db
from eventstore.database import one as one_row
from projections.table import keyset
from schemas.job import COUNTED, JobStatus, JobView, RowError, row_error
from schemas.wire.page import PageRequest

MAX_ERROR_DETAILS: Final = 1_000

_VIEW: Final[LiteralString] = """
    SELECT id, kind, status, total, processed, counts, error, created_at, updated_at, completed_at FROM jobs
    WHERE workspace_id = %(workspace)s AND (%(account)s::uuid IS NULL OR account_id = %(account)s)
"""
_ERRORS: Final[LiteralString] = """
    SELECT row_number, line, field, message FROM job_errors WHERE workspace_id = %s AND job_id = %s
"""
_KIND: Final[LiteralString] = """
    SELECT kind FROM jobs WHERE workspace_id = %s AND id = %s AND (%s::uuid IS NULL OR account_id = %s)
"""
_NEWEST_FIRST: Final = "-id"
_BY_ROW: Final = "row"


def one(conn: Db, workspace_id: UUID, job_id: UUID, visible_to: UUID | None) -> JobView | None:
    """A job with what was wrong; ``visible_to`` narrows to what an account has asked for itself."""
    found = conn.execute(_VIEW + " AND id = %(id)s", {"workspace": workspace_id, "account": visible_to, "id": job_id})
    errors = conn.execute(_ERRORS + " ORDER BY row_number, field LIMIT %s", (workspace_id, job_id, MAX_ERROR_DETAILS))
    row = found.fetchone()
    return None if row is None else _view(row, error_details=[row_error(*error) for error in errors.fetchall()])


def kind_of(conn: Db, job_id: UUID, visible_to: UUID | None) -> str | None:
    """What a job does, if there is one, as long as it is kept; ``visible_to`` as above."""
    row = one_row(conn, _KIND, (conn.workspace_id, job_id, visible_to, visible_to))
    return None if row is None else str(row[0])


def listed(
    conn: Db, workspace_id: UUID, request: PageRequest, status: JobStatus | None, visible_to: UUID | None
) -> tuple[list[JobView], int, str | None]:
    """A page of jobs, newest first, how many there are, and the cursor of the next page."""
    where = _VIEW + " AND (%(status)s::text IS NULL OR status = %(status)s)"
    (before,) = (None,) if request.cursor is None else keyset.read(request.cursor, _NEWEST_FIRST, UUID)
    params = {"workspace": workspace_id, "account": visible_to, "status": status, "before": before}
    behind = " AND (%(before)s::uuid IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s OFFSET %(skipped)s"
    skipped = 0 if request.cursor else request.skipped
    rows = conn.execute(where + behind, {**params, "limit": request.limit + 1, "skipped": skipped})
    total = conn.execute("SELECT count(*) FROM (" + where + ") AS found", params)
    found = rows.fetchall()
    count = total.fetchone()
    page, cursor = keyset.page(found, request.limit, lambda row: keyset.written(_NEWEST_FIRST, row[0]))
    return [_view(row) for row in page], count[0] if count else 0, cursor


def errors(conn: Db, workspace_id: UUID, job_id: UUID, request: PageRequest) -> tuple[list[RowError], int, str | None]:
    """A page of what was wrong, in order of rows, how much there is, and the cursor of the next page."""
    behind = (0, "") if request.cursor is None else keyset.read(request.cursor, _BY_ROW, int, str)
    skipped = 0 if request.cursor else request.skipped
    rows = conn.execute(
        _ERRORS + " AND (row_number, field) > (%s, %s) ORDER BY row_number, field LIMIT %s OFFSET %s",
        (workspace_id, job_id, *behind, request.limit + 1, skipped),
    )
    total = conn.execute("SELECT count(*) FROM (" + _ERRORS + ") AS found", (workspace_id, job_id))
    found = rows.fetchall()
    count = total.fetchone()
    page, cursor = keyset.page(found, request.limit, lambda row: keyset.written(_BY_ROW, row[0], row[2]))
    return [row_error(*row) for row in page], count[0] if count else 0, cursor


def _view(row: tuple[Any, ...], **more: Any) -> JobView:
    job_id, kind, status, total, processed, counts, error, created_at, updated_at, completed_at = row
    return JobView(
        id=job_id,
        kind=kind,
        status=status,
        total=total,
        processed=processed,
        **{name: counts.get(name, 0) for name in COUNTED},
        error=error,
        created_at=created_at,
        updated_at=updated_at,
        completed_at=completed_at,
        **more,
    )
