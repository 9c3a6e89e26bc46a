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
from domain.contact_import import CONTACT_IMPORT, CompleteImport, FailImport, ImportCounts, StartImport
from domain.tag import TagRef
from eventstore.unit_of_work import Work
from projections import job as jobs
from projections.job import Claimed, NewJob
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
    return _answer(import_id, plan, "processing", ImportCounts(total=total))


def _ids(refs: list[TagRef]) -> tuple[UUID, ...]:
    return tuple(dict.fromkeys(ref.id for ref in refs))


def _carried_out(unit: Work, caller: Caller, import_id: UUID, plan: ImportPlan, rows: list[Row]) -> ImportAnswer:
    """An import that is done with its request; its job is there to be looked at, and is completed from the beginning."""
    result = import_chunk(unit, plan, 1, rows)
    _insert(unit, caller, import_id, plan, len(rows))
    _advance(unit, import_id, result, result.counts)
    _complete(unit, import_id, result.counts)
    return _answer(import_id, plan, "completed", result.counts, result)


def _kept(unit: Work, import_id: UUID, chunks: Iterator[list[Row]]) -> int:
    """Keeps the rows for a worker, and answers how many there are."""
    count = 0
    for n, rows in enumerate(chunks):
        jobs.add_chunk(unit.conn, unit.origin.workspace_id, import_id, n, count + 1, packed(rows))
        count += len(rows)
    return count


def _insert(unit: Work, caller: Caller, import_id: UUID, plan: ImportPlan, total: int) -> None:
    cause = unit.origin.causation_id
    jobs.insert(
        unit.conn, unit.origin, NewJob(import_id, KIND, _encode(plan).decode(), total, caller.account_id, cause)
    )


def work_on(unit: Work, job: Claimed) -> bool:
    """The next chunk of a claimed job: contacts, errors, progress and the chunk's end are one transaction.

    False when the job is no longer this worker's.
    """
    held = jobs.hold(unit.conn, job)
    if held is None:
        return False
    counts = held.counts
    chunk = jobs.take_chunk(unit.conn, job)
    if chunk is not None:
        plan = _plan(held.options)
        first_row, rows = chunk
        result = import_chunk(unit, plan, first_row, unpacked(plan.form, rows))
        counts = _sum(counts, result.counts)
        _advance(unit, job.id, result, counts)
    if counts.total >= held.total:
        _complete(unit, job.id, counts)
    return True


def fail(unit: Work, job: Claimed, reason: str) -> bool:
    """Gives up a claimed job: what was done of it stays. False when it is no longer this worker's."""
    held = jobs.hold(unit.conn, job)
    if held is None:
        return False
    said = f"{reason} From row {held.counts.total + 1} on nothing was imported."
    jobs.end(unit.conn, unit.origin.workspace_id, job.id, "failed", said)
    unit.execute(CONTACT_IMPORT, job.id, FailImport(reason=said, counts=held.counts))
    return True


def _advance(unit: Work, import_id: UUID, result: ChunkResult, counts: ImportCounts) -> None:
    jobs.add_errors(unit.conn, unit.origin.workspace_id, import_id, result.errors)
    jobs.advance(unit.conn, unit.origin.workspace_id, import_id, counts)


def _complete(unit: Work, import_id: UUID, counts: ImportCounts) -> None:
    jobs.end(unit.conn, unit.origin.workspace_id, import_id, "completed")
    unit.execute(CONTACT_IMPORT, import_id, CompleteImport(counts=counts))


def _sum(one: ImportCounts, other: ImportCounts) -> ImportCounts:
    return ImportCounts(
        total=one.total + other.total,
        created=one.created + other.created,
        updated=one.updated + other.updated,
        skipped=one.skipped + other.skipped,
        errors=one.errors + other.errors,
    )


def _answer(
    import_id: UUID, plan: ImportPlan, status: JobStatus, counts: ImportCounts, result: ChunkResult | None = None
) -> ImportAnswer:
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
        errors=[] if result is None else result.errors,
        mapping=plan.mapping,
    )
