"""Bundles of the log on request: a job makes one, a piece in each step, and it is kept for a time."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec

from application.calling.caller import Caller
from application.working.job import Job, Step
from domain.kernel import Refused, not_found
from eventstore.bundle import making
from eventstore.bundle.making import Piece
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.work import Work
from projections import audit_export as rows
from projections import job_queue as queue
from projections.audit_export import Made, Options
from projections.job_queue import Held, NewJob, Progress
from schemas.audit_export import AuditExportView

KIND: Final = "audit_export"
MOST_A_DAY: Final = 20
"""Bundles that a workspace can have made within a day: each is as large as its log, and kept for days."""


def begin(unit: Work, caller: Caller, since: str | None, until: str, keep: timedelta) -> AuditExportView:
    """A job for this stretch of the log. Refuses what is no moment, where there is nothing between the two, and too many."""
    if rows.of_a_day(unit.conn) >= MOST_A_DAY:
        raise Refused(
            "conflict", f"Within a day {MOST_A_DAY} bundles can be made; `daybook audit export` makes any number."
        )
    said = making.declared(unit.conn, unit.origin.actor, unit.now, since=since, until=until)
    written = msgspec.json.encode(Options(declaration=said, expires_at=unit.now + keep)).decode()
    job = NewJob(new_id(), KIND, written, said.last - said.first + 1, caller.account_id)
    queue.insert(unit.conn, unit.origin, job)
    return found(unit.conn, job.id)


def found(conn: Db, export_id: UUID) -> AuditExportView:
    view = rows.one(conn, export_id)
    if view is None:
        raise not_found("bundle")
    return view


def sizes(conn: Db, export_id: UUID) -> Sequence[tuple[int, int]]:
    """Number and size of each piece of a bundle that can be downloaded; refuses one that is not complete, or kept no longer."""
    if found(conn, export_id).status != "completed":
        raise Refused("conflict", "This bundle is not complete.")
    pieces = rows.sizes(conn, export_id)
    if not pieces:
        raise Refused("not_found", "This bundle is kept no longer.")
    return pieces


def step(unit: Work, job: Held) -> Step:
    """The next piece."""
    options, made = _options(job.options), rows.last(unit.conn, job.id)
    piece = _next(unit, options, job.id, made)
    rows.add(unit.conn, job.id, 0 if made is None else made.n + 1, piece, options.expires_at)
    return Step(Progress(sum(piece.types.values())), last=made is not None and not piece.types)


def _next(unit: Work, options: Options, export_id: UUID, made: Made | None) -> Piece:
    said = options.declaration
    if made is None:
        return making.opening(unit.conn, said)
    reached = made.about.files[-1].last or said.first - 1
    if reached < said.last:
        return making.part(unit.conn, said, made.n + 1, reached)
    types = Counter[str]()
    parts = rows.everything(unit.conn, export_id)
    for about in parts:
        types.update(about.types)
    return making.closing(said, [file for about in parts for file in about.files], types)


def _nothing_more(_: Work, __: Held) -> None:
    """The pieces go when their time has come."""


def _why(_: Work, job: Held) -> str:
    return f"Not all could be written, however often it was tried. {job.progress.processed} of {job.total} events were."


_options = msgspec.json.Decoder(Options).decode

JOBS: Final = Job(step, complete=_nothing_more, fail=_why, cancel=_nothing_more)
