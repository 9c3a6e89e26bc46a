"""The queue of jobs: kept beside the log, and worked on by one worker at a time, step by step.

A worker looks through all workspaces without locking anything, and claims what it found in its own. The claim is a lease:
when the worker dies, the job is due again as soon as it has run out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.types.json import Jsonb

from eventstore.append import Origin
from eventstore.database import Db, within
from eventstore.ids import new_id
from schemas.job import JobEnding, RowError
from schemas.log import Actor, ActorType

LEASE_SECONDS: Final = 6
"""More than a worker waits for a connection; and how long a job waits for the next worker when one has died."""

_LOOKED_AT: Final = 20
"""Jobs found that others may claim meanwhile."""

_INSERT: Final[LiteralString] = """
    INSERT INTO jobs (workspace_id, id, kind, status, options, actor_type, actor_id, account_id, request_id,
        causation_id, total, run_at, due_at)
    VALUES (%s, %s, %s, 'processing', %s, %s, %s, %s, %s, %s, %s, coalesce(%s, now()), coalesce(%s, now()))
"""
_ADD_CHUNK: Final[LiteralString] = """
    INSERT INTO job_chunks (workspace_id, job_id, n, first_row, rows) VALUES (%s, %s, %s, %s, %s)
"""
# Of each workspace the oldest job of each kind, and of these the one that is due for longest.
_DUE: Final[LiteralString] = """
    SELECT workspace_id, id FROM jobs AS job
    WHERE status = 'processing' AND kind = ANY(%s) AND due_at <= now() AND NOT EXISTS (
        SELECT FROM jobs AS older WHERE older.workspace_id = job.workspace_id AND older.kind = job.kind
            AND older.status = 'processing' AND older.run_at <= now() AND older.id < job.id)
    ORDER BY due_at, id LIMIT %s
"""
# A job that somebody works on, for longer than its lease, is locked.
_CLAIM: Final[LiteralString] = """
    UPDATE jobs SET lease = %(lease)s, due_at = now() + make_interval(secs => %(seconds)s), attempts = attempts + 1
    WHERE workspace_id = %(workspace)s AND id = (
        SELECT id FROM jobs WHERE workspace_id = %(workspace)s AND id = %(job)s AND status = 'processing'
            AND due_at <= now() FOR UPDATE SKIP LOCKED)
    RETURNING id, kind, actor_type, actor_id, request_id, causation_id, attempts, failures
"""
_HOLD: Final[LiteralString] = """
    SELECT id, kind, options, total, processed, counts FROM jobs
    WHERE workspace_id = %s AND id = %s AND lease = %s AND status = 'processing' FOR UPDATE
"""
_HOLD_IDLE: Final[LiteralString] = """
    SELECT id, kind, options, total, processed, counts FROM jobs
    WHERE workspace_id = %s AND id = %s AND status = 'processing' FOR UPDATE SKIP LOCKED
"""
_NEXT_CHUNK: Final[LiteralString] = """
    DELETE FROM job_chunks WHERE workspace_id = %(workspace)s AND job_id = %(job)s AND n = (
        SELECT min(n) FROM job_chunks WHERE workspace_id = %(workspace)s AND job_id = %(job)s)
    RETURNING first_row, rows
"""
_ADVANCE: Final[LiteralString] = """
    UPDATE jobs SET processed = %s, counts = %s, lease = NULL, due_at = now(), attempts = 0, failures = 0,
        updated_at = now()
    WHERE workspace_id = %s AND id = %s
"""
_END: Final[LiteralString] = """
    UPDATE jobs SET status = %s, error = %s, lease = NULL, updated_at = now(), completed_at = now()
    WHERE workspace_id = %s AND id = %s
"""
_PUT_OFF: Final[LiteralString] = """
    UPDATE jobs SET lease = NULL, due_at = now() + make_interval(secs => %s), failures = failures + 1
    WHERE workspace_id = %s AND id = %s AND lease = %s
"""
_ADD_ERRORS: Final[LiteralString] = """
    INSERT INTO job_errors (workspace_id, job_id, row_number, line, field, message)
    SELECT h.workspace_id, %s, e.*
    FROM log_heads h, unnest(%s::integer[], %s::integer[], %s::text[], %s::text[]) AS e WHERE h.workspace_id = %s
"""
_ASK_TO_CANCEL: Final[LiteralString] = """
    INSERT INTO job_cancellations (workspace_id, job_id, actor_type, actor_id, request_id)
    VALUES (%s, %s, %s, %s, %s) ON CONFLICT DO NOTHING
"""
_CANCELLED_BY: Final[LiteralString] = """
    SELECT actor_type, actor_id, request_id FROM job_cancellations WHERE workspace_id = %s AND job_id = %s
"""


@dataclass(frozen=True)
class NewJob:
    """``account_id``: who asked for it; ``causation_id``: the event that it follows from; ``run_at``: not before then."""

    id: UUID
    kind: str
    options: str
    total: int
    account_id: UUID | None = None
    causation_id: UUID | None = None
    run_at: datetime | None = None


@dataclass(frozen=True)
class Progress:
    """How many items were worked on, and how many of them came to what, by name: ``created``, ``errors`` …"""

    processed: int = 0
    counts: Mapping[str, int] = field(default_factory=dict)

    def __add__(self, more: Progress) -> Progress:
        names = {**self.counts, **more.counts}
        counts = {name: self.counts.get(name, 0) + more.counts.get(name, 0) for name in names}
        return Progress(self.processed + more.processed, counts)


@dataclass(frozen=True)
class Claimed:
    """A job that this worker, for a while, is the one to work on.

    ``attempts`` (this one included) and ``failures`` are of the step that is next; where there are fewer failures, a
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
    """A job whose row is locked until the transaction ends: what it is to do, and how far it has come."""

    id: UUID
    kind: str
    options: str
    total: int
    progress: Progress


def insert(conn: Db, origin: Origin, job: NewJob) -> None:
    actor = origin.actor
    conn.execute(
        _INSERT,
        (
            origin.workspace_id, job.id, job.kind, job.options, actor.type, actor.id, job.account_id,
            origin.request_id, job.causation_id, job.total, job.run_at, job.run_at,
        ),
    )  # fmt: skip


def add_chunk(conn: Db, workspace_id: UUID, job_id: UUID, n: int, first_row: int, rows: str) -> None:
    conn.execute(_ADD_CHUNK, (workspace_id, job_id, n, first_row, rows))


def claim(conn: Db, kinds: Sequence[str], *, seconds: float = LEASE_SECONDS) -> Claimed | None:
    """The job of these kinds whose turn it is; on an autocommitting connection that, as a worker's, sees all workspaces.

    The lease is for the time until ``hold``: from there on it is a lock, which goes with the transaction.
    """
    for workspace_id, job_id in conn.execute(_DUE, (list(kinds), _LOOKED_AT)).fetchall():
        with within(conn, workspace_id):
            found = _claimed(conn, workspace_id, job_id, seconds)
        if found is not None:
            return found
    return None


def _claimed(conn: Db, workspace_id: UUID, job_id: UUID, seconds: float) -> Claimed | None:
    lease = new_id()
    params = {"lease": lease, "seconds": seconds, "workspace": workspace_id, "job": job_id}
    row = conn.execute(_CLAIM, params).fetchone()
    if row is None:
        return None
    _, kind, actor_type, actor_id, request_id, causation_id, attempts, failures = row
    origin = Origin(workspace_id, _actor(actor_type, actor_id), request_id, job_id, causation_id)
    return Claimed(job_id, kind, origin, lease, attempts, failures)


def _actor(actor_type: ActorType, actor_id: UUID | None) -> Actor:
    return Actor(type=actor_type, id=actor_id)


def hold(conn: Db, job: Claimed) -> Held | None:
    """Locks the job, if the lease still holds."""
    return _held(conn.execute(_HOLD, (job.origin.workspace_id, job.id, job.lease)).fetchone())


def hold_idle(conn: Db, workspace_id: UUID, job_id: UUID) -> Held | None:
    """Locks a job that is not done, if nobody is working on it."""
    return _held(conn.execute(_HOLD_IDLE, (workspace_id, job_id)).fetchone())


def _held(row: tuple[Any, ...] | None) -> Held | None:
    if row is None:
        return None
    job_id, kind, options, total, processed, counts = row
    return Held(job_id, kind, options, total, Progress(processed, counts))


def take_chunk(conn: Db, workspace_id: UUID, job_id: UUID) -> tuple[int, str] | None:
    """The next chunk, first row and rows: it is gone when the transaction commits, and with it what it asked for is done."""
    row = conn.execute(_NEXT_CHUNK, {"workspace": workspace_id, "job": job_id}).fetchone()
    return None if row is None else (row[0], row[1])


def advance(conn: Db, workspace_id: UUID, job_id: UUID, progress: Progress) -> None:
    """How far the job has come in all; it can be claimed again."""
    conn.execute(_ADVANCE, (progress.processed, Jsonb(dict(progress.counts)), workspace_id, job_id))


def end(conn: Db, workspace_id: UUID, job_id: UUID, status: JobEnding, error: str | None = None) -> None:
    """For good; chunks that were not worked on go."""
    conn.execute(_END, (status, error, workspace_id, job_id))
    conn.execute("DELETE FROM job_chunks WHERE workspace_id = %s AND job_id = %s", (workspace_id, job_id))
    conn.execute("DELETE FROM job_cancellations WHERE workspace_id = %s AND job_id = %s", (workspace_id, job_id))


def put_off(conn: Db, job: Claimed, seconds: float) -> None:
    """Gives the job back after a failure; nobody claims it before ``seconds`` have passed."""
    conn.execute(_PUT_OFF, (seconds, job.origin.workspace_id, job.id, job.lease))


def ask_to_cancel(conn: Db, job_id: UUID, origin: Origin) -> None:
    """Has the worker that is busy with the job end it behind the step in hand."""
    actor = origin.actor
    conn.execute(_ASK_TO_CANCEL, (origin.workspace_id, job_id, actor.type, actor.id, origin.request_id))


def cancelled_by(conn: Db, job: Claimed) -> Origin | None:
    """Who has asked for the job to be cancelled, as the origin of what that makes happen."""
    found = conn.execute(_CANCELLED_BY, (job.origin.workspace_id, job.id)).fetchone()
    if found is None:
        return None
    actor_type, actor_id, request_id = found
    origin = job.origin
    return Origin(origin.workspace_id, _actor(actor_type, actor_id), request_id, job.id, origin.causation_id)


def add_errors(conn: Db, workspace_id: UUID, job_id: UUID, errors: Sequence[RowError]) -> None:
    if errors:
        columns = (
            [error.row for error in errors],
            [error.line or None for error in errors],
            [error.field.replace("\0", "\N{REPLACEMENT CHARACTER}") for error in errors],
            [error.message.replace("\0", "\N{REPLACEMENT CHARACTER}") for error in errors],
        )
        conn.execute(_ADD_ERRORS, (job_id, *columns, workspace_id))
