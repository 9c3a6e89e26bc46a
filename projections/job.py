"""Jobs: kept beside the log, claimed by workers, and shown to those who asked for them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, LiteralString
from uuid import UUID

from domain.contact_import import ImportCounts
from domain.kernel import invalid
from eventstore.append import Origin
from eventstore.database import Db, within
from eventstore.ids import new_id
from projections.table.listing import bad_cursor
from schemas.job import JobStatus, JobView, RowError, row_error
from schemas.log import Actor, ActorType
from schemas.wire.page import PageRequest

MAX_ERROR_DETAILS: Final = 1_000
LEASE_SECONDS: Final = 6
"""More than a worker waits for a connection; and how long a job waits for the next worker when one has died."""
LOOK: Final = 20
"""Jobs that are looked at to claim one: more than there are workers that could be quicker."""

_INSERT: Final[LiteralString] = """
    INSERT INTO jobs (workspace_id, id, kind, status, options, actor_type, actor_id, account_id, request_id,
                      causation_id, total)
    VALUES (%s, %s, %s, 'processing', %s, %s, %s, %s, %s, %s, %s)
"""
_ADD_CHUNK: Final[LiteralString] = """
    INSERT INTO job_chunks (workspace_id, job_id, n, first_row, rows) VALUES (%s, %s, %s, %s, %s)
"""
# Of each workspace the oldest job, and of these the ones whose turn is longest ago: only a look, over all workspaces. Those
# that somebody works on had their turn lately, so they do not keep others out of sight.
_WAITING: Final[LiteralString] = """
    SELECT workspace_id, id FROM jobs job
    WHERE status = 'processing' AND kind = ANY(%(kinds)s) AND (leased_until IS NULL OR leased_until <= now())
        AND NOT EXISTS (
            SELECT FROM jobs older WHERE older.workspace_id = job.workspace_id AND older.status = 'processing'
                AND older.kind = ANY(%(kinds)s) AND older.id < job.id)
    ORDER BY served_at LIMIT %(most)s
"""
# Of one workspace, and asking again: another worker may have been here since. A job that is worked on is locked.
_CLAIM: Final[LiteralString] = """
    UPDATE jobs SET lease = %(lease)s, leased_until = now() + make_interval(secs => %(seconds)s), attempts = attempts + 1,
        served_at = now()
    WHERE workspace_id = %(workspace)s AND id = (
        SELECT id FROM jobs WHERE workspace_id = %(workspace)s AND id = %(job)s AND status = 'processing'
            AND (leased_until IS NULL OR leased_until <= now()) FOR UPDATE SKIP LOCKED)
    RETURNING kind, actor_type, actor_id, request_id, causation_id, attempts, failures
"""
_HELD: Final[LiteralString] = """
    SELECT options, total, processed, created, updated, skipped, errors FROM jobs
    WHERE workspace_id = %s AND id = %s AND lease = %s AND status = 'processing' FOR UPDATE
"""
_NEXT_CHUNK: Final[LiteralString] = """
    DELETE FROM job_chunks WHERE workspace_id = %(workspace)s AND job_id = %(job)s AND n = (
        SELECT min(n) FROM job_chunks WHERE workspace_id = %(workspace)s AND job_id = %(job)s)
    RETURNING first_row, rows
"""
_ADVANCE: Final[LiteralString] = """
    UPDATE jobs SET processed = %s, created = %s, updated = %s, skipped = %s, errors = %s, lease = NULL,
        leased_until = NULL, attempts = 0, failures = 0, updated_at = now()
    WHERE workspace_id = %s AND id = %s
"""
_END: Final[LiteralString] = """
    UPDATE jobs SET status = %s, error = %s, lease = NULL, leased_until = NULL, updated_at = now(), completed_at = now()
    WHERE workspace_id = %s AND id = %s
"""
_PUT_OFF: Final[LiteralString] = """
    UPDATE jobs SET lease = NULL, leased_until = now() + make_interval(secs => %s), failures = failures + 1
    WHERE workspace_id = %s AND id = %s AND lease = %s
"""
_ADD_ERRORS: Final[LiteralString] = """
    INSERT INTO job_errors (workspace_id, job_id, row_number, line, field, message)
    SELECT %s, %s, * FROM unnest(%s::integer[], %s::integer[], %s::text[], %s::text[])
"""
_VIEW: Final[LiteralString] = """
    SELECT id, kind, status, total, processed, created, updated, skipped, errors, error, created_at, updated_at,
        completed_at FROM jobs WHERE workspace_id = current_workspace()
        AND (%(account)s::uuid IS NULL OR account_id = %(account)s)
"""
_ERRORS: Final[LiteralString] = """
    SELECT row_number, line, field, message FROM job_errors WHERE workspace_id = current_workspace() AND job_id = %s
"""
_CURSOR: Final = re.compile(r"(\d{1,9})\.([^\0]{0,200})")


@dataclass(frozen=True)
class NewJob:
    """``account_id``: who asked for it; ``causation_id``: the event that it follows from."""

    id: UUID
    kind: str
    options: str
    total: int
    account_id: UUID | None = None
    causation_id: UUID | None = None


@dataclass(frozen=True)
class Claimed:
    """A job that this worker, for a while, is the one to work on.

    ``attempts`` (this one included) and ``failures`` are of the chunk that is next; where there are fewer failures, a
    worker died.
    """

    id: UUID
    kind: str
    origin: Origin
    lease: UUID
    attempts: int
    failures: int


@dataclass(frozen=True)
class Held:
    """A job whose row is locked until the transaction ends: its options, and how far it has come."""

    options: str
    total: int
    counts: ImportCounts


def insert(conn: Db, origin: Origin, job: NewJob) -> None:
    actor = origin.actor
    conn.execute(
        _INSERT,
        (
            origin.workspace_id, job.id, job.kind, job.options, actor.type, actor.id, job.account_id,
            origin.request_id, job.causation_id, job.total,
        ),
    )  # fmt: skip


def add_chunk(conn: Db, workspace_id: UUID, job_id: UUID, n: int, first_row: int, rows: str) -> None:
    conn.execute(_ADD_CHUNK, (workspace_id, job_id, n, first_row, rows))


def claim(conn: Db, kinds: Sequence[str], *, seconds: float = LEASE_SECONDS) -> Claimed | None:
    """The job of these kinds whose turn it is, as a worker sees all workspaces; needs an autocommitting connection.

    The lease is for the time until ``hold``: from there on it is a lock, which goes with the transaction.
    """
    waiting = conn.execute(_WAITING, {"kinds": list(kinds), "most": LOOK}).fetchall()
    for workspace_id, job_id in waiting:
        with within(conn, workspace_id):
            claimed = _claim(conn, workspace_id, job_id, seconds)
        if claimed is not None:
            return claimed
    return None


def _claim(conn: Db, workspace_id: UUID, job_id: UUID, seconds: float) -> Claimed | None:
    lease = new_id()
    wanted = {"workspace": workspace_id, "job": job_id, "lease": lease, "seconds": seconds}
    row = conn.execute(_CLAIM, wanted).fetchone()
    if row is None:
        return None
    kind, actor_type, actor_id, request_id, causation_id, attempts, failures = row
    origin = Origin(workspace_id, _actor(actor_type, actor_id), request_id, job_id, causation_id)
    return Claimed(job_id, kind, origin, lease, attempts, failures)


def _actor(actor_type: ActorType, actor_id: UUID | None) -> Actor:
    return Actor(type=actor_type, id=actor_id)


def hold(conn: Db, job: Claimed) -> Held | None:
    """Locks the job, if the lease still holds."""
    row = conn.execute(_HELD, (job.origin.workspace_id, job.id, job.lease)).fetchone()
    if row is None:
        return None
    options, total, processed, created, updated, skipped, errors = row
    counts = ImportCounts(total=processed, created=created, updated=updated, skipped=skipped, errors=errors)
    return Held(options, total, counts)


def take_chunk(conn: Db, job: Claimed) -> tuple[int, str] | None:
    """The next chunk, first row and rows: it is gone when the transaction commits, and with it what it asked for is done."""
    row = conn.execute(_NEXT_CHUNK, {"workspace": job.origin.workspace_id, "job": job.id}).fetchone()
    return None if row is None else (row[0], row[1])


def advance(conn: Db, workspace_id: UUID, job_id: UUID, counts: ImportCounts) -> None:
    """How far the job has come in all; it can be claimed again."""
    done = (counts.total, counts.created, counts.updated, counts.skipped, counts.errors)
    conn.execute(_ADVANCE, (*done, workspace_id, job_id))


def end(conn: Db, workspace_id: UUID, job_id: UUID, status: JobStatus, error: str | None = None) -> None:
    """For good; chunks that were not worked on go."""
    conn.execute(_END, (status, error, workspace_id, job_id))
    conn.execute("DELETE FROM job_chunks WHERE workspace_id = %s AND job_id = %s", (workspace_id, job_id))


def put_off(conn: Db, job: Claimed, seconds: float) -> None:
    """Gives the job back after a failure; nobody claims it before ``seconds`` have passed."""
    conn.execute(_PUT_OFF, (seconds, job.origin.workspace_id, job.id, job.lease))


def add_errors(conn: Db, workspace_id: UUID, job_id: UUID, errors: Sequence[RowError]) -> None:
    if errors:
        columns = (
            [error.row for error in errors],
            [error.line or None for error in errors],
            [error.field.replace("\0", "\N{REPLACEMENT CHARACTER}") for error in errors],
            [error.message.replace("\0", "\N{REPLACEMENT CHARACTER}") for error in errors],
        )
        conn.execute(_ADD_ERRORS, (workspace_id, job_id, *columns))


def one(conn: Db, job_id: UUID, visible_to: UUID | None) -> JobView | None:
    """A job with what was wrong; ``visible_to`` narrows to what an account has asked for itself."""
    found = conn.execute(_VIEW + " AND id = %(id)s", {"account": visible_to, "id": job_id})
    errors = conn.execute(_ERRORS + " ORDER BY row_number, field LIMIT %s", (job_id, MAX_ERROR_DETAILS))
    row = found.fetchone()
    return None if row is None else _view(row, error_details=[row_error(*error) for error in errors.fetchall()])


def listed(
    conn: Db, request: PageRequest, status: JobStatus | None, visible_to: UUID | None
) -> tuple[list[JobView], int, str | None]:
    """A page of jobs, newest first, how many there are, and the cursor of the next page."""
    if request.sort is not None and not (request.sort.field in ("", "createdAt") and request.sort.descending):
        raise invalid("sort", "jobs are always listed with the newest first")
    where = _VIEW + " AND (%(status)s::text IS NULL OR status = %(status)s)"
    params = {"account": visible_to, "status": status, "before": _before(request.cursor)}
    page = " AND (%(before)s::uuid IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s OFFSET %(skipped)s"
    skipped = 0 if request.cursor else request.skipped
    rows = conn.execute(where + page, {**params, "limit": request.limit + 1, "skipped": skipped})
    total = conn.execute("SELECT count(*) FROM (" + where + ") AS found", params)
    found = rows.fetchall()
    count = total.fetchone()
    views = [_view(row) for row in found[: request.limit]]
    return views, count[0] if count else 0, str(views[-1].id) if len(found) > request.limit else None


def errors(conn: Db, job_id: UUID, request: PageRequest) -> tuple[list[RowError], int, str | None]:
    """A page of what was wrong, in order of rows, how much there is, and the cursor of the next page."""
    if request.sort is not None:
        raise invalid("sort", "errors are always listed in order of rows")
    behind = _behind(request.cursor)
    skipped = 0 if request.cursor else request.skipped
    rows = conn.execute(
        _ERRORS + " AND (row_number, field) > (%s, %s) ORDER BY row_number, field LIMIT %s OFFSET %s",
        (job_id, *behind, request.limit + 1, skipped),
    )
    total = conn.execute("SELECT count(*) FROM (" + _ERRORS + ") AS found", (job_id,))
    found = rows.fetchall()
    count = total.fetchone()
    page = [row_error(*row) for row in found[: request.limit]]
    more = len(found) > request.limit
    return page, count[0] if count else 0, f"{page[-1].row}.{page[-1].field}" if more else None


def _before(cursor: str | None) -> UUID | None:
    try:
        return None if cursor is None else UUID(cursor)
    except ValueError:
        raise bad_cursor("must be the nextCursor of an earlier answer") from None


def _behind(cursor: str | None) -> tuple[int, str]:
    if cursor is None:
        return 0, ""
    found = _CURSOR.fullmatch(cursor)
    if found is None:
        raise bad_cursor("must be the nextCursor of an earlier answer")
    return int(found[1]), found[2]


def _view(row: tuple[Any, ...], **more: Any) -> JobView:
    names = (
        "id", "kind", "status", "total", "processed", "created", "updated", "skipped", "errors", "error", "created_at",
        "updated_at", "completed_at",
    )  # fmt: skip
    return JobView(**dict(zip(names, row, strict=True)), **more)
