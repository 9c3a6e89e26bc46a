"""Large deletions: where more refer to a thing than one unit of work takes, a job has them let go of it, then ends it.

From the moment it is asked for, nothing new may refer to the thing; until it has gone it is shown as before.
"""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

import msgspec

from application.calling.caller import Caller
from application.working.job import Job, Step, shown
from domain.kernel import Value
from eventstore import endings
from eventstore.ids import new_id
from eventstore.references import still_referred
from eventstore.rows import Current, Rows
from eventstore.work import Work
from projections import job_queue as queue
from projections.job_queue import Held, NewJob, Progress
from schemas.job import JobView

KIND: Final = "deletion"
STEP: Final = 500
"""How many let go in one unit of work: others' commands wait for it to be written."""


class Deletion(Value):
    """What is to go: a kind of stream, its id, and what others refer to it by."""

    kind: str
    id: UUID
    key: UUID
    more: str = ""
    """What whoever ends it wants to know then."""


def begin(
    unit: Work,
    caller: Caller,
    kind: str,
    stream_id: UUID,
    if_version: int | None,
    *,
    job_kind: str = KIND,
    more: str = "",
) -> JobView:
    """Makes a job of the deletion, and answers it; if there is one already, that one.

    Waits for those who are just making references to it. Refuses as the deletion itself would. So who sees only what is
    theirs is never told of others: no one else's refers to it.
    """
    rows = unit.rows[kind]
    current = unit.get(rows.decider, stream_id, if_version=if_version)
    wanted = Deletion(kind=kind, id=stream_id, key=rows.key_of(current), more=more)
    rows.hold(unit.conn, [wanted.key], ending=True)
    _check_may_end(unit, rows, current)
    unit.check_shared(rows.decider, current, ending=True)
    job_id = endings.check(unit.conn, kind, wanted.key, rows.noun)
    return shown(unit, job_id or _insert(unit, caller, wanted, current, job_kind))


def _check_may_end(unit: Work, rows: Rows, current: Current[Any]) -> None:
    """Refuses as its decider does what has to stay, as the thing stands behind whoever was waited for."""
    decider = rows.decider
    assert decider.delete is not None, f"{decider.stream_type} must say by which command it ends"
    now = rows.load(unit.conn, [current.id]).get(current.id)
    decider.decide(decider.delete(), None if now is None else now.state)


def _insert(unit: Work, caller: Caller, wanted: Deletion, current: Current[Any], job_kind: str) -> UUID:
    total = _count(unit, unit.rows[wanted.kind], current)
    cause = unit.staged[-1].event_id if unit.staged else unit.origin.causation_id
    job = NewJob(new_id(), job_kind, msgspec.json.encode(wanted).decode(), total, caller.account_id, cause)
    queue.insert(unit.conn, unit.origin, job)
    endings.mark(unit.conn, wanted.kind, wanted.key, job.id)
    unit.defining.changes(wanted.kind)
    return job.id


def _count(unit: Work, rows: Rows, current: Current[Any]) -> int:
    """How many have to let go, but for the thing itself; refuses where one of them cannot do without it."""
    total = 0
    for referring in unit.letting_go.referring_to(rows.decider, current):
        table, reference = referring
        count = table.count_referring(unit.conn, reference, rows.key_of(current), but=current.id)
        if count and reference.to.on_end == "refuse":
            raise still_referred(rows.noun, referring)
        total += count
    return total


def step(unit: Work, job: Held) -> Step:
    wanted = _decode(job.options)
    decider = unit.rows[wanted.kind].decider
    current = unit.load(decider, [wanted.id]).get(wanted.id)
    count = 0 if current is None else unit.letting_go.release(decider, current, STEP)
    return Step(Progress(count, {"updated": count}), last=count < STEP)


def complete(unit: Work, job: Held) -> None:
    """Nothing refers to it any more."""
    wanted = stays(unit, job)
    decider = unit.rows[wanted.kind].decider
    if unit.load(decider, [wanted.id]):
        assert decider.delete is not None, f"{wanted.kind} must say by which command it ends"
        unit.execute(decider, wanted.id, decider.delete())


def fail(unit: Work, job: Held) -> str:
    wanted = stays(unit, job)
    noun = unit.rows[wanted.kind].noun
    done = job.progress.processed
    return f"Not all that refer to the {noun} could let go of it, however often it was tried. {done} have; the {noun} stays."


def cancel(unit: Work, job: Held) -> None:
    stays(unit, job)


def stays(unit: Work, job: Held) -> Deletion:
    """It is on its way out no more."""
    wanted = _decode(job.options)
    endings.unmark(unit.conn, wanted.kind, wanted.key)
    unit.defining.changes(wanted.kind)
    return wanted


_decode = msgspec.json.Decoder(Deletion).decode

DELETIONS: Final = Job(step, complete, fail, cancel)
