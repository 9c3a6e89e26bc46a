"""Bulk jobs: one action on many things, each by itself; what cannot be done to one keeps it from no other."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec
from msgspec import UNSET

from application.calling.caller import Caller
from application.working.job import Job, Step
from domain.kernel import Refused, Value, invalid
from domain.kernel.fields import kept
from domain.kernel.filter import Group
from eventstore.ids import new_id
from eventstore.letting_go import TooManyToEndError
from eventstore.rows import Change
from eventstore.work import Work
from projections import job_queue as queue
from projections.job_queue import Held, NewJob, Progress
from projections.table import finding
from projections.table.asking.compiled import Compiled
from projections.table.rows import RowTable
from schemas.job import BulkAnswer, Many, RowError, row_error

MAX_FOUND: Final = 200_000
"""So many things can be found for one job."""
STEP: Final = 100
"""How many are worked on in one unit of work: others' commands wait for it to be written."""

F = TypeVar("F")
Ids = Sequence[UUID]


class Options(Value):
    """What is done to each, as JSON, and the member limited to what is theirs who has asked for it."""

    form: msgspec.Raw
    visible_to: UUID | None = None


@dataclass(frozen=True)
class Action(Generic[F]):
    """Something that can be done to many: ``act`` does it to one. ``counted`` is what that makes of it in the job. ``itself``:
    the id of one that was merged into another does not mean that other.
    """

    kind: str
    table: RowTable[Any]
    form: type[F]
    act: Callable[[Work, UUID, F], object]
    counted: str
    itself: bool = False

    def begin(self, unit: Work, caller: Caller, ids: Ids, form: F) -> BulkAnswer:
        """A job that does it to each of these. The same id twice is one."""
        wanted = list(dict.fromkeys(ids))
        options = Options(form=msgspec.Raw(msgspec.json.encode(form)), visible_to=caller.visible_to)
        job = NewJob(new_id(), self.kind, msgspec.json.encode(options).decode(), len(wanted), caller.account_id)
        queue.insert(unit.conn, unit.origin, job)
        entries = iter(wanted)
        for n, chunk in enumerate(iter(lambda: list(islice(entries, STEP)), [])):
            rows = msgspec.json.encode(chunk).decode()
            queue.add_chunk(unit.conn, unit.origin.workspace_id, job.id, n, n * STEP + 1, rows)
        return BulkAnswer(job_id=job.id, status="processing", total=len(wanted), processed=0, errors=0)

    def found(self, unit: Work, where: Compiled) -> Ids:
        """The ids of all that is found and that the caller sees; refuses more than 200,000."""
        ids = finding.ids(unit.conn, self.table, where, MAX_FOUND + 1)
        if len(ids) > MAX_FOUND:
            raise invalid("filter", f"must find at most {MAX_FOUND:,}; it finds more")
        return ids

    @property
    def job(self) -> Job:
        return Job(self._step, complete=_nothing_more, fail=_why, cancel=_nothing_more)

    def _step(self, unit: Work, job: Held) -> Step:
        chunk = queue.take_chunk(unit.conn, unit.origin.workspace_id, job.id)
        if chunk is None:
            return Step(Progress(), last=True)
        options = _options(job.options)
        unit.origin = replace(unit.origin, visible_to=options.visible_to)
        form = msgspec.json.decode(options.form, type=self.form)
        first, ids = chunk[0], _ids(chunk[1])
        errors: list[RowError] = []
        counts = {self.counted: 0, "skipped": 0, "errors": 0}
        for row, thing_id in enumerate(ids, first):
            found = self._one(unit, thing_id, form)
            counts[found if isinstance(found, str) else "errors"] += 1
            if isinstance(found, Refused):
                errors += _errors(row, thing_id, found)
        return Step(Progress(len(ids), counts), errors, last=first + len(ids) > job.total)

    def _act(self, unit: Work, thing_id: UUID, form: F) -> None:
        """Refuses with ``conflict`` what no two things can have, before it keeps all others from being written."""
        self.act(unit, thing_id, form)
        key = (self.table.decider.stream_type, thing_id)
        change = Change(thing_id, unit.before.get(key), unit.after.get(key))
        if self.table.renewed(change):
            if (conflict := self.table.taken(unit.conn, change)) is not None:
                raise conflict
            unit.write_rows()  # so that the next one sees it

    def _one(self, unit: Work, thing_id: UUID, form: F) -> str | Refused:
        """What became of one: ``counted``, ``skipped`` where nothing had to be done, or why it could not be."""
        before = len(unit.staged)
        try:
            unit.all_or_nothing(lambda: self._act(unit, thing_id, form))
        except Refused as refusal:
            led_to = self._led_to(unit, thing_id, refusal)
            return refusal if led_to == thing_id else self._one(unit, led_to, form)
        except TooManyToEndError:
            return Refused("conflict", "More than 1,000 things refer to it: delete it by itself.")
        return self.counted if len(unit.staged) > before else "skipped"

    def _led_to(self, unit: Work, thing_id: UUID, refusal: Refused) -> UUID:
        """Where the id of one that is not there leads; itself where it leads nowhere."""
        if refusal.code != "not_found" or self.itself or self.table.leads_to is None:
            return thing_id
        return self.table.leads_to(unit.conn, thing_id)


def meant(form: Many, found: Callable[[Group], Ids]) -> Ids:
    """The ids that are given, or those that are found by the filter in their place."""
    if isinstance(form.ids, list) and form.filter is UNSET:
        return form.ids
    if isinstance(form.filter, Group) and form.ids is UNSET:
        return found(form.filter)
    raise invalid("ids", "is required, or a filter in its place")


def check_changes(unit: Work, table: RowTable[Any], changes: Value) -> None:
    """Refuses values that can be kept in nothing, and references to what is not there."""
    if changes == type(changes)():
        raise Refused("validation_failed", "There must be something to change.")
    given = kept(unit.standing.led_on(changes))
    for reference in table.references:
        if isinstance(wanted := given.get(reference.field), UUID):
            unit.standing.hold(reference.to.kind, [wanted], reference.wire)


def _errors(row: int, thing_id: UUID, refusal: Refused) -> list[RowError]:
    """What is wrong with one thing, by its place among all and its id."""
    if not refusal.details:
        return [row_error(row, None, "id", f"{thing_id}: {refusal.message}")]
    return [row_error(row, None, detail.field, f"{detail.message} ({thing_id})") for detail in refusal.details]


def _nothing_more(_: Work, __: Held) -> None:
    """What was done to each is written down with it."""


def _why(_: Work, job: Held) -> str:
    done = job.progress.processed
    return f"Not all could be dealt with, however often it was tried. {done} of {job.total} have been."


_options = msgspec.json.Decoder(Options).decode
_ids = msgspec.json.Decoder(list[UUID]).decode
