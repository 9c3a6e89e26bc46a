"""Merging two contacts, of which so much refers to one that a job leads it over part by part.

Until all has gone over both are there, and are shown as before. Whoever would refer to the one that will be gone refers to the
other; neither ends in another way meanwhile. Cancelled or given up, the merge is called off: what had gone over goes back.
"""

from __future__ import annotations

from typing import Final
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from application.calling.caller import Caller
from application.contact_merge import both, counted, lead, make_one, merging, planned, referring
from application.contact_merge_undo import Wanted, put_back, wanted
from application.working.deletion import STEP
from application.working.job import Job, Step, shown
from domain.contact import CONTACT
from domain.contact_merge import (
    CONTACT_MERGE,
    BeginContactMerge,
    CallOffContactMerge,
    ContactMerge,
    MergeDetails,
    MoveInContactMerge,
    RecordContactMerge,
)
from domain.kernel import Refused
from eventstore import endings
from eventstore.ids import new_id
from eventstore.letting_go import TooManyToEndError
from eventstore.work import Work
from projections import job_queue as queue
from projections.job_queue import Held, NewJob, Progress
from schemas.contact_merge import MergeContacts
from schemas.job import JobView

KIND: Final = "contact_merge"


def begin(unit: Work, caller: Caller, winner_id: UUID, form: MergeContacts, if_version: int | None) -> JobView:
    """Makes a job of the merge, and answers it; if there is one already, that one. Refuses as the merge itself would."""
    try:
        winner, loser = both(unit, winner_id, form.loser_id, if_version)
    except TooManyToEndError:
        return _under_way(unit, form)
    if loser is None:
        raise Refused("conflict", "These contacts were made one just now.")
    details = planned(unit, winner, loser)
    CONTACT.decide(merging(details), winner.state)
    return shown(unit, _begun(unit, caller, details, counted(unit, loser).total()))


def _under_way(unit: Work, form: MergeContacts) -> JobView:
    (one,) = endings.taken(unit.conn, CONTACT.stream_type, [form.loser_id])
    if form.dry_run:
        raise one.refusal("other contact")
    return shown(unit, one.job_id)


def _begun(unit: Work, caller: Caller, details: MergeDetails, total: int) -> UUID:
    """What the job does is caused by the event that tells of its beginning."""
    merge_id, kind = new_id(), CONTACT.stream_type
    unit.begin(CONTACT_MERGE, merge_id, BeginContactMerge(**asdict(details)))
    options = msgspec.json.encode(Wanted(merge_id=merge_id, account_id=caller.account_id)).decode()
    job = NewJob(new_id(), KIND, options, total, caller.account_id, unit.staged[-1].event_id)
    queue.insert(unit.conn, unit.origin, job)
    endings.mark(unit.conn, kind, details.loser_id, job.id, successor=details.winner_id)
    endings.need(unit.conn, kind, details.winner_id, job.id, f"has {details.loser_id} merged into it")
    return job.id


def _step(unit: Work, job: Held) -> Step:
    """Leads over so many as one unit of work takes. Before the last it waits for whoever was just making a reference to the loser
    as the job was begun.
    """
    made = unit.get(CONTACT_MERGE, wanted(job).merge_id)
    loser = unit.get(CONTACT, made.state.loser_id)
    moved = referring(unit, loser, STEP)
    if len(moved) < STEP:
        unit.rows[CONTACT.stream_type].hold(unit.conn, [loser.id], ending=True)
        moved = referring(unit, loser, STEP)
    if moved:
        unit.execute(CONTACT_MERGE, made.id, MoveInContactMerge(moved=tuple(moved)))
        with unit.because():
            lead(unit, moved, made.state.winner_id)
    return Step(Progress(len(moved), {"updated": len(moved)}), last=len(moved) < STEP)


def _complete(unit: Work, job: Held) -> None:
    """Nothing refers to the loser any more: they are made one, as they are by now."""
    endings.release(unit.conn, job.id)
    merge_id = wanted(job).merge_id
    details = _planned(unit, unit.get(CONTACT_MERGE, merge_id).state)
    unit.execute(CONTACT_MERGE, merge_id, RecordContactMerge(**asdict(details)))
    with unit.because():
        make_one(unit, details)


def _planned(unit: Work, merged: ContactMerge) -> MergeDetails:
    return planned(unit, unit.get(CONTACT, merged.winner_id), unit.get(CONTACT, merged.loser_id))


def _fail(unit: Work, job: Held) -> str:
    why = _why(unit, unit.get(CONTACT_MERGE, wanted(job).merge_id).state)
    _call_off(unit, job)
    return f"The two stay two, and what had gone over goes back: {why}"


def _why(unit: Work, merged: ContactMerge) -> str:
    """What keeps them from being one, if that can be told."""
    details = _planned(unit, merged)
    try:
        CONTACT.decide(merging(details), unit.get(CONTACT, details.winner_id).state)
    except Refused as refusal:
        return refusal.message
    return "it could not be done, however often it was tried."


def _call_off(unit: Work, job: Held) -> None:
    """What had gone over goes back by another job."""
    endings.release(unit.conn, job.id)
    asked = wanted(job)
    unit.execute(CONTACT_MERGE, asked.merge_id, CallOffContactMerge())
    made = unit.get(CONTACT_MERGE, asked.merge_id)
    if made.state.parts:
        put_back(unit, made, asked.account_id, unit.staged[-1].event_id)


MERGES: Final = Job(_step, _complete, _fail, _call_off)
