"""Erasing a contact: its key is destroyed, its rows and what hangs on it end, and what goes on does so without it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import msgspec

from application import contact_legal_hold as holds
from application.calling.caller import Caller
from application.working import deletion
from application.working.job import Job
from domain.call import UpdateCall
from domain.contact import CONTACT, Contact, UpdateContact
from domain.contact_erasure import ContactErased, EraseContact, GoesOn, Receipt, Unreadable
from domain.contact_merge import CONTACT_MERGE, EraseContactMerge
from domain.deal import UpdateDeal
from domain.kernel import Command, Refused, not_found
from domain.kernel.personal import ERASED
from domain.note import UpdateNote
from domain.task import UpdateTask
from eventstore import endings
from eventstore.reader import fold_stream, read_stream
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact_alike_kept as alike
from projections import contact_erasure as rows
from projections import contact_merge as merges
from projections.catalogue import ROWS
from projections.contact_erasure import Told
from projections.job_queue import Held
from schemas.contact_erasure import EraseRequest, Erasure
from schemas.job import JobView

KIND: Final = "contact_erasure"

_CHANGES: Final[Mapping[str, type[Command]]] = {
    "call": UpdateCall,
    "contact": UpdateContact,
    "deal": UpdateDeal,
    "note": UpdateNote,
    "task": UpdateTask,
}
"""By kind, the command by which what goes on is rid of what was personal."""


class _Wanted(msgspec.Struct):
    """What a job has to know of who wants an erasure, and why."""

    reason: str | None
    by: UUID


def erase(unit: Work, caller: Caller, contact_id: UUID, form: EraseRequest, if_version: int | None) -> Erasure:
    """Erases a contact, be it there, deleted before, or erased already: that is answered with the receipt there is, and
    whatever has come back since, as from a backup of the keys, is gone again.

    Refuses (``conflict``) what is on legal hold, or told of together with what is; on its way out; or one with another
    contact by now.
    """
    unit.rows[CONTACT.stream_type].hold(unit.conn, [contact_id], ending=True)
    current = unit.load(CONTACT, [contact_id]).get(contact_id)
    if current is not None:
        unit.get(CONTACT, contact_id, if_version=if_version)
        _check_stays(unit, contact_id)
    elif (receipt := _receipt(unit, contact_id)) is not None:
        _forgotten(unit, [contact_id, *receipt.merged])
        return Erasure(contact_id=contact_id, receipt=receipt)
    return Erasure(contact_id=contact_id, receipt=_carried_out(unit, contact_id, form.reason, caller.account_id))


def begin(unit: Work, caller: Caller, contact_id: UUID, form: EraseRequest, if_version: int | None) -> JobView:
    """Makes a job of it, as more refer to the contact than can go at once."""
    current = unit.get(CONTACT, contact_id)
    if current.state.legal_hold is not None:
        raise current.state.legal_hold.refusal("erase")
    holds.check_beside(unit, _persons(unit, contact_id))
    wanted = msgspec.json.encode(_Wanted(form.reason, caller.account_id)).decode()
    return deletion.begin(unit, caller, CONTACT.stream_type, contact_id, if_version, job_kind=KIND, more=wanted)


def _complete(unit: Work, job: Held) -> None:
    """What would have gone with the contact is gone: now itself."""
    ending = deletion.stays(unit, job)
    wanted = msgspec.json.decode(ending.more, type=_Wanted)
    if unit.load(CONTACT, [ending.id]):
        _carried_out(unit, ending.id, wanted.reason, wanted.by)


def _fail(unit: Work, job: Held) -> str:
    """Where a hold has come meanwhile, that is why."""
    told = deletion.fail(unit, job)
    try:
        holds.check_beside(unit, _persons(unit, deletion.stays(unit, job).id))
    except Refused as refusal:
        return f"The contact stays. {refusal.message}"
    return told


ERASURES: Final = Job(deletion.step, _complete, _fail, deletion.cancel)


def _persons(unit: Work, contact_id: UUID) -> list[UUID]:
    """The contact, and those who are it by now."""
    return [contact_id, *rows.merged_into(unit.conn, contact_id)]


def _check_stays(unit: Work, contact_id: UUID) -> None:
    job_id = endings.check(unit.conn, CONTACT.stream_type, contact_id, "contact")
    if job_id is not None:
        raise Refused("conflict", f"This contact is on its way out already, by the job {job_id}.")


def _receipt(unit: Work, contact_id: UUID) -> Receipt | None:
    """That of an erasure before, ``None`` of what was deleted and is to be erased; refuses what was never there."""
    happened = read_stream(unit.conn, contact_id, unit.mapper)
    if not happened or happened[0].entry.stream.type != CONTACT.stream_type:
        raise not_found("contact")
    if isinstance(last := happened[-1].event, ContactErased):
        return msgspec.convert(last, Receipt, from_attributes=True)
    if (winner_id := merges.leads_to(unit.conn, contact_id)) != contact_id:
        message = f"This contact was merged into {winner_id}: erase that, and this is erased with it."
        raise Refused("conflict", message, existing_id=str(winner_id))
    return None


def _carried_out(unit: Work, contact_id: UUID, reason: str | None, by: UUID) -> Receipt:
    """The key goes first, so that what goes on is as the log can still tell it; what is written meanwhile is sealed with it."""
    persons = _persons(unit, contact_id)
    holds.check_beside(unit, persons)
    unit.keys.of(persons)
    unit.keys.besides = frozenset(persons)
    told = _forgotten(unit, persons)
    receipt = Receipt(
        erased_at=unit.now,
        erased_by=by,
        reason=reason,
        merged=tuple(persons[1:]),
        unreadable=_unreadable(told),
        goes_on=tuple(_rid(unit, told, persons)),
    )
    unit.load(CONTACT_MERGE, ended := rows.merges_of(unit.conn, persons))
    for merge_id in ended:
        unit.execute(CONTACT_MERGE, merge_id, EraseContactMerge())
    unit.execute(CONTACT, contact_id, EraseContact(**msgspec.structs.asdict(receipt)))
    unit.write_rows()
    alike.look_again(unit.conn, [*persons, *(one.id for one in receipt.goes_on if one.kind == CONTACT.stream_type)])
    return receipt


def _forgotten(unit: Work, persons: Sequence[UUID]) -> list[Told]:
    """Destroys their keys, and what is kept of them beside rows and log; answers the streams that told of them."""
    rows.hold_kept(unit.conn)
    told, values = rows.told(unit.conn, persons), _values(unit, persons)
    unit.keys.destroy(persons)
    rows.clear(unit.conn, persons, values)
    rows.clear_past(unit.conn, told, unit.mapper, ROWS)
    return told


def _values(unit: Work, persons: Sequence[UUID]) -> list[str]:
    """What a message may name them by, or ever could."""
    found: set[str | None] = set()
    for person_id in persons:
        state: Contact | None = None
        for happened in read_stream(unit.conn, person_id, unit.mapper):
            state = CONTACT.evolve(state, happened.event)  # type: ignore[arg-type]  # a contact's stream has its events
            if state is not None:
                found.update((state.email, state.phone, state.name))
    return sorted(value for value in found if value)


def _unreadable(told: Sequence[Told]) -> tuple[Unreadable, ...]:
    groups = ((kind, list(found)) for kind, found in groupby(told, key=attrgetter("kind")))
    return tuple(
        Unreadable(
            kind=kind,
            streams=len(found),
            events=sum(stream.events for stream in found),
            first_seq=min(stream.first_seq for stream in found),
            last_seq=max(stream.last_seq for stream in found),
        )
        for kind, found in groups
    )


def _rid(unit: Work, told: Sequence[Told], persons: Sequence[UUID]) -> list[GoesOn]:
    """Has what goes on say what the log can still tell of it, and no more; answers what that is."""
    gone_on = []
    for stream in told:
        if stream.kind not in _CHANGES or stream.id in persons:
            continue
        decider = unit.rows[stream.kind].decider
        current = unit.load(decider, [stream.id]).get(stream.id)
        if current is None or _goes_along(unit, stream.kind, current, persons):
            continue
        if (left := fold_stream(unit.conn, decider, stream.id, unit.mapper)) is None:
            continue
        unit.carry_out(decider, stream.id, _to(left.state, current.state, _CHANGES[stream.kind]))
        gone_on.append(GoesOn(kind=stream.kind, id=stream.id))
    return gone_on


def _goes_along(unit: Work, kind: str, current: Current[Any], persons: Sequence[UUID]) -> bool:
    """Whether it ends with the contact."""
    return any(
        reference.to.on_end == "cascade" and not set(reference.ids(current.state)).isdisjoint(persons)
        for reference in unit.rows[kind].references
        if reference.to.kind == CONTACT.stream_type
    )


def _to(left: Any, now: Any, command: type[Command]) -> Command:
    """The change that makes of how a thing is what is left of it."""
    changed: dict[str, Any] = {}
    for name in command.__struct_fields__:
        before, after = getattr(now, name, None), getattr(left, name, None)
        if isinstance(before, dict) and before != after:
            changed[name] = {key: (after or {}).get(key) for key in before}
        elif before != after:
            changed[name] = after
    if command is UpdateContact and not any(getattr(left, name) for name in _NAMES):
        changed["first_name"] = ERASED
    return command(**changed)


_NAMES: Final = ("first_name", "last_name", "email", "phone", "company")
"""A contact has one of these."""
