"""Imports of contacts: a small one is carried out at once, a larger one becomes a job that a worker does chunk by chunk."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import chain
from typing import Final
from uuid import UUID

import msgspec

from application import tag as tags
from application.calling.caller import Caller
from application.importing.chunk import ChunkResult, import_chunk
from application.importing.constants import constants, fixed
from application.importing.rows import ImportPlan, Row, packed, unpacked
from application.importing.source import Source, table
from application.job import Job, Step, carried_out
from domain.contact_import import (
    CONTACT_IMPORT,
    CancelImport,
    CompleteImport,
    FailImport,
    ImportCounts,
    ImportStarted,
    StartImport,
)
from domain.tag import TagRef
from eventstore.unit_of_work import Work
from projections import job_queue as queue
from projections.job_queue import Held, NewJob, Progress
from schemas.contact_import import ImportAnswer, ImportOptions
from schemas.job import JobStatus

KIND: Final = "contact_import"

_encode = msgspec.json.Encoder().encode
_plan = msgspec.json.Decoder(ImportPlan).decode


def start(
    unit: Work, caller: Caller, import_id: UUID, source: Source, options: ImportOptions, *, as_job: bool = False
) -> ImportAnswer:
    """Carries out an import of one chunk at once; keeps the chunks of a larger one, or of one that is wanted ``as_job``.

    The unit of work is a bulk one whose origin has the import's id as correlation.
    """
    unit.begin(CONTACT_IMPORT, import_id, StartImport(source=source.form))
    unit.origin = replace(unit.origin, causation_id=unit.staged[-1].event_id)
    same, tag_names = constants(options)
    rows = table(source, options.mapping, fixed(same), organizations=same.type == "organization")
    plan = ImportPlan(
        form=source.form,
        mapping=rows.mapping,
        constants=same,
        tag_ids=_ids([*tags.named(unit, tag_names), *tags.existing(unit, options.tag_ids or [])]),
        skip_duplicates=options.skip_duplicates,
        visible_to=caller.visible_to,
    )
    chunks = rows.chunks()
    first, second = next(chunks, []), next(chunks, None)
    if second is None and not as_job:
        return _carried_out(unit, caller, import_id, plan, first)
    total = _kept(unit, import_id, chain([first], [] if second is None else [second], chunks))
    _insert(unit, caller, import_id, plan, total)
    return _answer(import_id, plan, "processing", total)


def _ids(refs: list[TagRef]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(ref.id for ref in refs))


def _carried_out(unit: Work, caller: Caller, import_id: UUID, plan: ImportPlan, rows: list[Row]) -> ImportAnswer:
    """An import that is done with its request; its job is there to be looked at, and is completed from the beginning."""
    result = import_chunk(unit, plan, 1, rows)
    _insert(unit, caller, import_id, plan, len(rows))
    job = Held(import_id, KIND, "", len(rows), Progress())
    carried_out(unit, job, Step(result.progress, result.errors, last=True), CONTACT_IMPORTS)
    return _answer(import_id, plan, "completed", result.progress.processed, result)


def _kept(unit: Work, import_id: UUID, chunks: Iterator[list[Row]]) -> int:
    """Keeps the rows for a worker, and answers how many there are."""
    count = 0
    for n, rows in enumerate(chunks):
        queue.add_chunk(unit.conn, unit.origin.workspace_id, import_id, n, count + 1, packed(rows))
        count += len(rows)
    return count


def _insert(unit: Work, caller: Caller, import_id: UUID, plan: ImportPlan, total: int) -> None:
    cause = unit.origin.causation_id
    job = NewJob(import_id, KIND, _encode(plan).decode(), total, caller.account_id, cause)
    queue.insert(unit.conn, unit.origin, job)


def step(unit: Work, job: Held) -> Step:
    """The next chunk of an import that a worker does."""
    chunk = queue.take_chunk(unit.conn, unit.origin.workspace_id, job.id)
    if chunk is None:
        return Step(Progress(), last=True)
    plan = _plan(job.options)
    first_row, rows = chunk
    result = import_chunk(unit, plan, first_row, unpacked(plan.form, rows))
    return Step(result.progress, result.errors, last=(job.progress + result.progress).processed >= job.total)


def complete(unit: Work, job: Held) -> None:
    unit.execute(CONTACT_IMPORT, job.id, CompleteImport(counts=_counts(job.progress)))


def fail(unit: Work, job: Held) -> str:
    row = job.progress.processed + 1
    tried = "A part of the rows could not be imported, however often it was tried."
    reason = f"{tried} From row {row} on nothing was imported."
    unit.execute(CONTACT_IMPORT, job.id, FailImport(reason=reason, counts=_counts(job.progress)))
    return reason


def cancel(unit: Work, job: Held) -> None:
    unit.execute(CONTACT_IMPORT, job.id, CancelImport(counts=_counts(job.progress)))


CONTACT_IMPORTS: Final = Job(step, complete, fail, cancel, begun_by=ImportStarted)


def _counts(progress: Progress) -> ImportCounts:
    return ImportCounts(total=progress.processed, **progress.counts)


def _answer(
    import_id: UUID, plan: ImportPlan, status: JobStatus, total: int, result: ChunkResult | None = None
) -> ImportAnswer:
    counts = _counts(Progress() if result is None else result.progress)
    return ImportAnswer(
        import_id=import_id,
        job_id=import_id,
        status=status,
        total=total,
        created=counts.created,
        imported=counts.created,
        updated=counts.updated,
        skipped=counts.skipped,
        error_count=counts.errors,
        errors=[] if result is None else result.errors,
        mapping=plan.mapping,
    )
