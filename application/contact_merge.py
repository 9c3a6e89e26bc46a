"""Merging two contacts: one goes on with all that referred to the other, which is gone; and making them two again."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from application import contact as contacts
from application import tag as tags
from domain.contact import CONTACT, Contact, CreateContact, DeleteContact, MergeContact, UnmergeContact
from domain.contact_merge import (
    CONTACT_MERGE,
    ContactMerge,
    MergeInFull,
    Moved,
    RecordContactMerge,
    UndoContactMerge,
    lacking,
    unchanged,
)
from domain.kernel import Refused, invalid
from domain.kernel.changes import applied, difference, named
from domain.kernel.fields import path_of, references
from domain.tag import TagRef
from eventstore import endings
from eventstore.ids import new_id
from eventstore.letting_go import FEW, BulkNeededError
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact_merge as merges
from schemas.contact import ContactView
from schemas.contact_merge import MergeContacts, MergedField, MergeView, UndoMerge

MOST: Final = 1_000
"""More that refer to a contact do not go over in one transaction."""


def merge(unit: Work, winner_id: UUID, form: MergeContacts, if_version: int | None) -> MergeView:
    """What came of it; nothing, where they are one already. Refuses (``conflict``) where more refer to the loser than go over
    at once, or it is being deleted.
    """
    winner = unit.get(CONTACT, winner_id, if_version=if_version)
    unit.rows[CONTACT.stream_type].hold(unit.conn, [winner_id, form.loser_id], ending=True)
    loser = _loser(unit, winner, form.loser_id)
    if loser is None:
        return MergeView(
            contact=contacts.view(unit, winner), loser_id=form.loser_id, dry_run=False, fields=[], moved={}
        )
    details = _planned(unit, winner, loser)
    if not form.dry_run:
        _carry_out(unit, details)
    return _view(unit, winner, details, dry_run=form.dry_run)


def _loser(unit: Work, winner: Current[Contact], loser_id: UUID) -> Current[Contact] | None:
    """``None`` where it was merged into the winner before."""
    if loser_id == winner.id:
        raise invalid("loserId", "must be another contact")
    found = unit.load(CONTACT, [loser_id]).get(loser_id)
    if found is None and merges.leads_to(unit.conn, loser_id) == winner.id:
        return None
    if found is None or not unit.rows[CONTACT.stream_type].visible(unit.conn, found, unit.origin.visible_to):
        raise invalid("loserId", f"no such contact: {loser_id}")
    unit.check_shared(CONTACT, found, ending=True)
    if endings.job_of(unit.conn, CONTACT.stream_type, loser_id) is not None:
        raise Refused("conflict", "This contact is being deleted.")
    if found.state.legal_hold is not None:
        raise found.state.legal_hold.refusal("merge")
    return found


def _planned(unit: Work, winner: Current[Contact], loser: Current[Contact]) -> MergeInFull:
    changed, previous = difference(named(lacking(winner.state, loser.state)), winner.state)
    kind = type(lacking(winner.state, loser.state))
    return MergeInFull(
        winner_id=winner.id,
        winner_name=winner.state.name,
        loser_id=loser.id,
        loser_name=loser.state.name,
        loser=loser.state,
        changed=kind(**changed),
        previous=kind(**previous),
        tags=_refs(unit, [tag_id for tag_id in loser.state.tags if tag_id not in winner.state.tags]),
        moved=tuple(_referring(unit, loser)),
    )


def _refs(unit: Work, ids: Sequence[UUID]) -> tuple[TagRef, ...]:
    names = {tag.id: tag.name for tag in tags.shown(unit, ids)}
    return tuple(TagRef(id=tag_id, name=names[tag_id]) for tag_id in ids if tag_id in names)


def _referring(unit: Work, loser: Current[Contact]) -> list[Moved]:
    """All that refers to it by any field, but for itself."""
    found: list[Moved] = []
    for table, reference in unit.letting_go.referring_to(CONTACT, loser):
        ids = table.referring(unit.conn, reference, loser.id, MOST + 1 - len(found))
        kind = table.decider.stream_type
        found += [Moved(kind=kind, id=key, field=reference.called) for key in ids if key != loser.id]
        if len(found) > MOST:
            message = f"More than {MOST} things refer to the contact {loser.id}: merge into it, or delete some first."
            raise Refused("conflict", message)
    return found


def _carry_out(unit: Work, details: MergeInFull) -> None:
    """The merge is what causes the rest. All that refers to the loser goes over before it ends, so that nothing ends with it;
    its e-mail address is free then.
    """
    command = MergeContact(
        loser_id=details.loser_id, loser_name=details.loser_name, changes=details.changed, tags=details.tags
    )
    unit.begin(CONTACT_MERGE, new_id(), RecordContactMerge(**asdict(details)))
    with unit.because():
        _lead(unit, details.moved, details.winner_id)
        unit.execute(CONTACT, details.loser_id, DeleteContact())
        unit.execute(CONTACT, details.winner_id, command)


def _lead(unit: Work, moved: Sequence[Moved], to: UUID) -> None:
    """Has these refer to another contact."""
    if len(moved) > FEW and not unit.bulk:
        raise BulkNeededError
    for kind, group in groupby(moved, key=attrgetter("kind")):
        things, decider = list(group), unit.rows[kind].decider
        assert decider.refer is not None, f"{kind} must say how it refers to another"
        unit.load(decider, [thing.id for thing in things])
        for thing in things:
            unit.execute(decider, thing.id, decider.refer(path_of(decider.state, thing.field), to))


def undo(unit: Work, winner_id: UUID, form: UndoMerge, if_version: int | None) -> Current[Contact]:
    """The winner, parted from the loser again; what was changed since stays as it is. Refuses (``conflict``) where nothing is
    left to undo, or somebody else has the loser's e-mail address by now.
    """
    unit.get(CONTACT, winner_id, if_version=if_version)
    unit.rows[CONTACT.stream_type].hold(unit.conn, [winner_id], ending=True)
    made = merges.last(unit.conn, winner_id, form.loser_id)
    if made is None and form.loser_id is not None:
        raise invalid("loserId", f"was not merged into this contact: {form.loser_id}")
    if made is None or (made.state.undone and form.loser_id is None):
        raise Refused("conflict", "Nothing was merged into this contact that is not undone already.")
    if not made.state.undone:
        _part(unit, made)
    return unit.get(CONTACT, winner_id)


def _part(unit: Work, made: Current[ContactMerge]) -> None:
    merged, winner = made.state, unit.get(CONTACT, made.state.winner_id)
    back = [moved for moved in merged.moved if _still(unit, moved, merged.winner_id)]
    command = UnmergeContact(
        loser_id=merged.loser_id,
        loser_name=merged.loser_name,
        changes=unchanged(merged, winner.state),
        tags=merged.tags,
    )
    unit.know(CONTACT_MERGE, [made])
    unit.execute(CONTACT_MERGE, made.id, UndoContactMerge())
    with unit.because():
        unit.execute(CONTACT, merged.winner_id, command)
        unit.load(CONTACT, [merged.loser_id])
        unit.execute(CONTACT, merged.loser_id, _restored(unit, merged.loser))
        _lead(unit, back, merged.loser_id)


def _still(unit: Work, moved: Moved, winner_id: UUID) -> bool:
    """Whether it refers to the winner; refuses what the caller may not see."""
    rows = unit.rows[moved.kind]
    current = unit.load(rows.decider, [moved.id]).get(moved.id)
    field, _, key = path_of(rows.decider.state, moved.field).partition(".")
    value: Any = None if current is None else getattr(current.state, field)
    if current is None or str(value.get(key) if key else value) != str(winner_id):
        return False
    if not rows.visible(unit.conn, current, unit.origin.visible_to):
        raise Refused(
            "permission_denied", f"A {rows.noun} that you may not see would go back: others have to undo this."
        )
    return True


def _restored(unit: Work, loser: Contact) -> CreateContact:
    """The contact as it was, without what is no more."""
    fields = {name: value for name, value in asdict(loser).items() if name not in ("tags", "legal_hold")}
    for reference in references(Contact):
        gone = set(reference.ids(loser)) - unit.standing(reference.to.kind, reference.ids(loser))
        if gone and not reference.many:
            fields[reference.field] = None
    fields["custom_fields"] = _standing(unit, loser.custom_fields)
    return CreateContact(**fields, tags=_refs(unit, loser.tags))


def _standing(unit: Work, values: dict[str, Any]) -> dict[str, Any]:
    """Without those that refer to what is no more."""
    defined = unit.defining.now().of.get((CONTACT.stream_type, None), {}) if values else {}
    kinds = {key: found.refers for key, found in defined.items() if found.refers is not None and key in values}
    gone = {key for key, kind in kinds.items() if not unit.standing(kind, [UUID(values[key])])}
    return {key: value for key, value in values.items() if key not in gone}


# What callers are told.


def _view(unit: Work, winner: Current[Contact], details: MergeInFull, *, dry_run: bool) -> MergeView:
    return MergeView(
        contact=_merged(unit, winner, details) if dry_run else contacts.view(unit, unit.get(CONTACT, winner.id)),
        loser_id=details.loser_id,
        dry_run=dry_run,
        fields=_fields(winner.state, details),
        moved=dict(Counter(moved.kind for moved in details.moved)),
    )


def _merged(unit: Work, winner: Current[Contact], details: MergeInFull) -> ContactView:
    borne = (*winner.state.tags, *(tag.id for tag in details.tags))
    state = msgspec.structs.replace(applied(winner.state, details.changed), tags=borne)
    return contacts.view(unit, Current(winner.id, state, winner.version, winner.created_at, winner.updated_at))


def _fields(winner: Contact, details: MergeInFull) -> list[MergedField]:
    """Each field that either has, those of maps by key."""
    ours, theirs, after = (_flat(state) for state in (winner, details.loser, applied(winner, details.changed)))
    return [
        MergedField(
            field=name,
            winner=ours.get(name),
            loser=theirs.get(name),
            result=after.get(name),
            of="winner" if after.get(name) == ours.get(name) else "loser",
        )
        for name in sorted(ours.keys() | theirs.keys())
    ]


def _flat(contact: Contact) -> dict[str, Any]:
    """What is set, by the name that callers use."""
    found: dict[str, Any] = {}
    for name, value in msgspec.to_builtins(contact).items():
        if name in ("tags", "legalHold"):
            continue
        if isinstance(value, dict):
            found |= {f"{name}.{key}": one for key, one in value.items()}
        else:
            found[name] = value
    return found
