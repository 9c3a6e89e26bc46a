"""Imports of any kind: a small one is carried out at once, a larger one becomes a job that a worker does chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any
from uuid import UUID

from application.calling.caller import Caller
from application.importing.chunk import import_chunk
from application.importing.importer import Importer, Plan
from application.importing.rows import Row, packed, unpacked
from application.importing.source import Source, Table
from application.working.job import Job, Step, carried_out
from domain.importing.columns import Columns
from domain.importing.counts import ImportCounts
from domain.kernel import Event
from eventstore.work import Work
from projections import job_queue as queue
from projections.job_queue import Held, NewJob, Progress
from schemas.job import JobStatus, RowError
from schemas.job_import import ImportAnswer


def begin(unit: Work, importer: Importer[Any], import_id: UUID, source: Source) -> None:
    """Writes down that an import was asked for: all that follows is caused by it."""
    unit.begin(importer.record.decider, import_id, importer.record.start(source=source.form))
    unit.origin = replace(unit.origin, causation_id=unit.staged[-1].event_id)


def start(
    unit: Work, caller: Caller, importer: Importer[Any], import_id: UUID, plan: Plan, table: Table, *, as_job: bool
) -> ImportAnswer:
    """Carries out an import of one chunk at once; keeps the chunks of a larger one, or of one that is wanted ``as_job``.

    The unit of work is a bulk one whose origin has the import's id as correlation.
    """
    chunks = table.chunks()
    first, second = next(chunks, []), next(chunks, None)
    if second is None and not as_job:
        return _carried_out(unit, caller, importer, import_id, plan, first)
    total = _kept(unit, import_id, chain([first], [] if second is None else [second], chunks))
    _insert(unit, caller, importer, import_id, plan, total)
    return _answer(import_id, "processing", ImportCounts(total=total), plan.mapping)


def _carried_out(
    unit: Work, caller: Caller, importer: Importer[Any], import_id: UUID, plan: Plan, rows: list[Row]
) -> ImportAnswer:
    """An import that is done with its request; its job is there to be looked at, and is completed from the beginning."""
    step = replace(import_chunk(unit, importer, plan, 1, rows), last=True)
    _insert(unit, caller, importer, import_id, plan, len(rows))
    job = Held(import_id, importer.kind, "", len(rows), Progress())
    carried_out(unit, job, step, as_jobs(importer))
    return _answer(import_id, "completed", _counts(step.progress), plan.mapping, step.errors)


def _answer(
    import_id: UUID,
    status: JobStatus,
    counts: ImportCounts,
    mapping: Columns | None,
    errors: Sequence[RowError] = (),
) -> ImportAnswer:
    """What came of an import with its request: all of it, or that a job does it."""
    return ImportAnswer(
        import_id=import_id,
        job_id=import_id,
        status=status,
        total=counts.total,
        created=counts.created,
        imported=counts.created,
        updated=counts.updated,
        skipped=counts.skipped,
        error_count=counts.errors,
        errors=list(errors),
        mapping=mapping,
    )


def _kept(unit: Work, import_id: UUID, chunks: Iterator[list[Row]]) -> int:
    """Keeps the rows for a worker, and answers how many there are."""
    count = 0
    for n, rows in enumerate(chunks):
        queue.add_chunk(unit.conn, unit.origin.workspace_id, import_id, n, count + 1, packed(rows))
        count += len(rows)
    return count


def _insert(unit: Work, caller: Caller, importer: Importer[Any], import_id: UUID, plan: Plan, total: int) -> None:
    cause = unit.origin.causation_id
    job = NewJob(import_id, importer.kind, importer.packed(plan), total, caller.account_id, cause)
    queue.insert(unit.conn, unit.origin, job)


def as_jobs(importer: Importer[Any], begun_by: type[Event] | None = None) -> Job:
    """The kind of job that carries out what is imported with this importer."""
    record = importer.record

    def step(unit: Work, job: Held) -> Step:
        chunk = queue.take_chunk(unit.conn, unit.origin.workspace_id, job.id)
        if chunk is None:
            return Step(Progress(), last=True)
        plan = importer.unpacked(job.options)
        first_row, rows = chunk
        done = import_chunk(unit, importer, plan, first_row, unpacked(plan.form, rows))
        return replace(done, last=(job.progress + done.progress).processed >= job.total)

    def complete(unit: Work, job: Held) -> None:
        unit.execute(record.decider, job.id, record.complete(counts=_counts(job.progress)))

    def fail(unit: Work, job: Held) -> str:
        tried = "A part of the rows could not be imported, however often it was tried."
        reason = f"{tried} From row {job.progress.processed + 1} on nothing was imported."
        unit.execute(record.decider, job.id, record.fail(reason=reason, counts=_counts(job.progress)))
        return reason

    def cancel(unit: Work, job: Held) -> None:
        unit.execute(record.decider, job.id, record.cancel(counts=_counts(job.progress)))

    return Job(step, complete, fail, cancel, begun_by)


def _counts(progress: Progress) -> ImportCounts:
    return ImportCounts(total=progress.processed, **progress.counts)
