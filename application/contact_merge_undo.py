"""Undoing a merge of two contacts: they are two again, and what went over goes back; what a job led over, a job leads back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from application.calling.caller import Caller
from application.contact_merge import lead, loaded, refs, related
from application.working.job import Job, Step, shown
from domain.contact import CONTACT, Contact, CreateContact, UnmergeContact
from domain.contact_merge import (
    CONTACT_MERGE,
    ContactMerge,
    Moved,
    PutBackInContactMerge,
    UndoContactMerge,
    unchanged,
)
from domain.kernel import Refused, Value, invalid
from domain.kernel.fields import path_of, references
from eventstore import endings
from eventstore.ids import new_id
from eventstore.letting_go import TooManyError
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact_merge as merges
from projections import job_queue as queue
from projections.job_queue import Held, NewJob, Progress
from schemas.contact_merge import UndoMerge
from schemas.job import JobView

KIND: Final = "contact_merge_undo"


class Wanted(Value):
    """What a job is to see to, and who has asked for it."""

    merge_id: UUID
    account_id: UUID


def undo(unit: Work, winner_id: UUID, form: UndoMerge, if_version: int | None) -> Current[Contact]:
    """The winner, parted from the loser again; what was changed since stays as it is. Refuses (``conflict``) where nothing is
    left to undo, a job has it in hand, or somebody else has the loser's e-mail address by now.

    Raises ``TooManyError`` where a job led over what has to go back.
    """
    made = _wanted(unit, winner_id, form, if_version)
    if made.state.parts:
        raise TooManyError
    if not made.state.undone:
        _part(unit, made)
    return unit.get(CONTACT, winner_id)


def begin(unit: Work, caller: Caller, winner_id: UUID, form: UndoMerge, if_version: int | None) -> JobView:
    """They are two again at once, and the job that leads back what went over is answered: if there is one already, that one."""
    made = _wanted(unit, winner_id, form, if_version)
    at_it = endings.taken(unit.conn, CONTACT_MERGE.stream_type, [made.id])
    if at_it:
        return shown(unit, at_it[0].job_id)
    unit.check_shared(CONTACT, unit.get(CONTACT, winner_id), ending=True)
    cause = None if made.state.undone else _part(unit, made)
    return shown(unit, put_back(unit, made, caller.account_id, cause))


def _wanted(unit: Work, winner_id: UUID, form: UndoMerge, if_version: int | None) -> Current[ContactMerge]:
    """The merge that is meant."""
    unit.get(CONTACT, winner_id, if_version=if_version)
    unit.rows[CONTACT.stream_type].hold(unit.conn, [winner_id], ending=True)
    made = merges.last(unit.conn, winner_id, form.loser_id)
    if made is None and form.loser_id is not None:
        raise invalid("loserId", f"was not merged into this contact: {form.loser_id}")
    if made is None or (made.state.settled and form.loser_id is None):
        raise Refused("conflict", "Nothing was merged into this contact that is not undone already.")
    _check_free(unit, made)
    return made


def _check_free(unit: Work, made: Current[ContactMerge]) -> None:
    """Neither is on its way into another contact, by this very merge or by another."""
    merged = made.state
    for one in endings.taken(unit.conn, CONTACT.stream_type, [merged.winner_id, merged.loser_id]):
        if one.why is None and (one.successor is not None or merged.parts):
            raise one.refusal("contact" if one.id == merged.winner_id else "other contact")


def _part(unit: Work, made: Current[ContactMerge]) -> UUID:
    """Has them be two again, with what went over at once; answers the event that the rest is caused by.

    Custom values are not held to definitions: they are as they were, whatever is defined since.
    """
    merged, winner = made.state, unit.get(CONTACT, made.state.winner_id)
    back = _still(unit, merged.moved, merged.winner_id)
    command = UnmergeContact(
        loser_id=merged.loser_id,
        loser_name=merged.loser_name,
        changes=unchanged(merged, winner.state),
        tags=merged.tags,
    )
    unit.know(CONTACT_MERGE, [made])
    unit.execute(CONTACT_MERGE, made.id, UndoContactMerge())
    cause = unit.staged[-1].event_id
    with unit.because(cause):
        unit.carry_out(CONTACT, merged.winner_id, command)
        unit.load(CONTACT, [merged.loser_id])
        unit.carry_out(CONTACT, merged.loser_id, _restored(unit, merged))
        lead(unit, back, merged.loser_id)
    return cause


def _still(unit: Work, moved: Sequence[Moved], winner_id: UUID) -> list[Moved]:
    """Those that refer to the winner; refuses what the caller may not see."""
    return [thing for _, things in loaded(unit, moved) for thing in things if _refers(unit, thing, winner_id)]


def _refers(unit: Work, moved: Moved, winner_id: UUID) -> bool:
    rows = unit.rows[moved.kind]
    current = unit.load(rows.decider, [moved.id]).get(moved.id)
    if current is None or _value_at(current.state, path_of(rows.decider.state, moved.field)) != str(winner_id):
        return False
    if not rows.visible(unit.conn, current, unit.origin.visible_to):
        raise Refused(
            "permission_denied", f"A {rows.noun} that you may not see would go back: others have to undo this."
        )
    return True


def _value_at(state: object, path: str) -> str:
    """What a state has in a field, or under a key in it, as text."""
    field, _, key = path.partition(".")
    value = getattr(state, field)
    return str(value.get(key) if key else value)


def _restored(unit: Work, merged: ContactMerge) -> CreateContact:
    """The contact as it was, without what is no more."""
    loser = merged.loser
    fields = {name: value for name, value in asdict(loser).items() if name not in ("tags", "legal_hold")}
    for reference in references(Contact):
        gone = set(reference.ids(loser)) - unit.standing.of(reference.to.kind, reference.ids(loser))
        if gone and not reference.many:
            fields[reference.field] = None
    fields["custom_fields"] = _standing(unit, loser.custom_fields, merged.loser_id)
    return CreateContact(**fields, tags=refs(unit, loser.tags))


def _standing(unit: Work, values: dict[str, Any], itself: UUID) -> dict[str, Any]:
    """Without those that refer to what is no more."""
    others = {key: to for key, to in related(unit, values).items() if to.id != itself}
    gone = {key for key, to in others.items() if not unit.standing.of(to.kind, [to.id])}
    return {key: value for key, value in values.items() if key not in gone}


# By a job.


def put_back(unit: Work, made: Current[ContactMerge], account_id: UUID, cause: UUID | None) -> UUID:
    """Makes a job of what has to go back. Neither contact ends meanwhile; refuses where the other one has ended since."""
    merged, contacts = made.state, unit.rows[CONTACT.stream_type]
    if not unit.load(CONTACT, [merged.loser_id]):
        raise Refused("conflict", "The contact to which it would go back was deleted.")
    contacts.hold(unit.conn, [merged.winner_id, merged.loser_id], ending=True)
    options = msgspec.json.encode(Wanted(merge_id=made.id, account_id=account_id)).decode()
    job = NewJob(new_id(), KIND, options, sum(merged.parts), account_id, cause)
    queue.insert(unit.conn, unit.origin, job)
    for kind, key, why in (
        (CONTACT.stream_type, merged.winner_id, f"is being parted from {merged.loser_id}"),
        (CONTACT.stream_type, merged.loser_id, f"is being parted from {merged.winner_id}"),
        (CONTACT_MERGE.stream_type, made.id, "is being undone"),
    ):
        endings.need(unit.conn, kind, key, job.id, why)
    return job.id


def wanted(job: Held) -> Wanted:
    return msgspec.json.decode(job.options, type=Wanted)


def _step(unit: Work, job: Held) -> Step:
    """Leads the last part back that is not: what of it still refers to the winner."""
    made = unit.get(CONTACT_MERGE, wanted(job).merge_id)
    merged, number = made.state, len(made.state.parts)
    part = merges.part(unit.conn, made.id, number, unit.mapper)
    back = _still(unit, part, merged.winner_id)
    unit.execute(CONTACT_MERGE, made.id, PutBackInContactMerge(moved=tuple(back)))
    with unit.because():
        lead(unit, back, merged.loser_id)
    counts = {"updated": len(back), "skipped": len(part) - len(back)}
    return Step(Progress(len(part), counts), last=number == 1)


def _release(unit: Work, job: Held) -> None:
    endings.release(unit.conn, job.id)


def _fail(unit: Work, job: Held) -> str:
    _release(unit, job)
    done = job.progress.processed
    return (
        f"Not all could go back, however often it was tried: {done} of {job.total} things did. Undo it again to go on."
    )


UNDOINGS: Final = Job(_step, complete=_release, fail=_fail, cancel=_release)
