"""Merging two contacts: one goes on with all that referred to the other, which is gone.

Where more refers to the other than one transaction takes, a job does the same part by part (``contact_merge_job.py``).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from msgspec.structs import asdict

from application import contact as contacts
from application import contact_merge_view as views
from application import tag as tags
from domain.contact import CONTACT, Contact, DeleteContact, MergeContact
from domain.contact_fields import ContactChanges
from domain.contact_merge import CONTACT_MERGE, MergeDetails, Moved, RecordContactMerge, lacking
from domain.kernel import invalid
from domain.kernel.changes import difference, named
from domain.kernel.fields import path_of
from domain.tag import TagRef
from eventstore import endings
from eventstore.ids import new_id
from eventstore.letting_go import FEW, MANY, AnyDecider, BulkNeededError, TooManyToEndError
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact_merge as merges
from projections.table.asking.named import id_of
from schemas.contact_merge import MergeContacts, MergeView


def merge(unit: Work, winner_id: UUID, form: MergeContacts, if_version: int | None) -> MergeView:
    """What came of it; nothing, where they are one already. Refuses (``conflict``) where a job has one of them in hand.

    Raises ``TooManyToEndError`` where more refer to the loser than go over at once, or are going over by a job already.
    """
    winner, loser = both(unit, winner_id, form.loser_id, if_version)
    if loser is None:
        return MergeView(
            contact=contacts.view(unit, winner), loser_id=form.loser_id, dry_run=False, fields=[], moved={}
        )
    details = planned(unit, winner, loser)
    if form.dry_run:
        return views.planned(unit, winner, details, counted(unit, loser))
    moved = tuple(referring(unit, loser, MANY + 1))
    if len(moved) > MANY:
        raise TooManyToEndError(CONTACT.stream_type, loser.id)
    _carry_out(unit, details, moved)
    return views.done(unit, winner, details, Counter(thing.kind for thing in moved))


def both(
    unit: Work, winner_id: UUID, loser_id: UUID, if_version: int | None
) -> tuple[Current[Contact], Current[Contact] | None]:
    """Winner and loser, held to end; no loser where it was merged into the winner before."""
    winner = unit.get(CONTACT, winner_id, if_version=if_version)
    unit.rows[CONTACT.stream_type].hold(unit.conn, [winner_id, loser_id], ending=True)
    return winner, _loser(unit, winner, loser_id)


def _loser(unit: Work, winner: Current[Contact], loser_id: UUID) -> Current[Contact] | None:
    if loser_id == winner.id:
        raise invalid("loserId", "must be another contact")
    found = unit.load(CONTACT, [loser_id]).get(loser_id)
    if found is None and merges.leads_to(unit.conn, loser_id) == winner.id:
        return None
    if found is None or not unit.rows[CONTACT.stream_type].visible(unit.conn, found, unit.origin.visible_to):
        raise invalid("loserId", f"no such contact: {loser_id}")
    unit.check_shared(CONTACT, found, ending=True)
    _check_free(unit, winner.id, loser_id)
    if found.state.legal_hold is not None:
        raise found.state.legal_hold.refusal("merge")
    return found


def _check_free(unit: Work, winner_id: UUID, loser_id: UUID) -> None:
    """Others may be going over to the winner too; the loser has to be nobody's."""
    for one in endings.taken(unit.conn, CONTACT.stream_type, [winner_id, loser_id]):
        if one.id == loser_id and one.successor == winner_id:
            raise TooManyToEndError(CONTACT.stream_type, loser_id)
        if one.id == loser_id or one.why is None:
            raise one.refusal("contact")


def planned(unit: Work, winner: Current[Contact], loser: Current[Contact]) -> MergeDetails:
    """What the merge is, but for what goes over."""
    found = _of_itself(unit, lacking(winner.state, loser.state), loser.id, winner.id)
    changed, previous = (type(found)(**part) for part in difference(named(found), winner.state))
    return MergeDetails(
        winner_id=winner.id,
        winner_name=winner.state.name,
        loser_id=loser.id,
        loser_name=loser.state.name,
        loser=loser.state,
        changed=changed,
        previous=previous,
        tags=refs(unit, [tag_id for tag_id in loser.state.tags if tag_id not in winner.state.tags]),
    )


def _of_itself(unit: Work, changes: ContactChanges, loser_id: UUID, winner_id: UUID) -> ContactChanges:
    """Where the loser is related to itself, so is the winner."""
    values = changes.custom_fields or {}
    own = {key: str(winner_id) for key, to in related(unit, values).items() if to.id == loser_id}
    return msgspec.structs.replace(changes, custom_fields={**values, **own}) if own else changes


class Related(NamedTuple):
    """What a custom value refers to."""

    kind: str
    id: UUID


def related(unit: Work, values: dict[str, Any]) -> dict[str, Related]:
    """What a contact's custom values refer to, by key; not those of before their definition, that are no ids."""
    defined = unit.defining.now().of.get((CONTACT.stream_type, None), {}) if values else {}
    return {
        key: Related(found.refers, to)
        for key, found in defined.items()
        if found.refers is not None and isinstance(values.get(key), str) and (to := id_of(values[key])) is not None
    }


def refs(unit: Work, ids: Sequence[UUID]) -> tuple[TagRef, ...]:
    names = {tag.id: tag.name for tag in tags.shown(unit, ids)}
    return tuple(TagRef(id=tag_id, name=names[tag_id]) for tag_id in ids if tag_id in names)


def referring(unit: Work, loser: Current[Contact], most: int) -> list[Moved]:
    """Up to so many of those that refer to it by any field, but for itself."""
    found: list[Moved] = []
    for table, reference in unit.letting_go.referring_to(CONTACT, loser):
        if len(found) < most:
            ids = table.referring(unit.conn, reference, loser.id, most + 1 - len(found))
            kind = table.decider.stream_type
            found += [Moved(kind=kind, id=key, field=reference.called) for key in ids if key != loser.id]
    return found[:most]


def counted(unit: Work, loser: Current[Contact]) -> Counter[str]:
    """By kind, how many refer to it by any field, but for itself."""
    found: Counter[str] = Counter()
    for table, reference in unit.letting_go.referring_to(CONTACT, loser):
        count = table.count_referring(unit.conn, reference, loser.id, but=loser.id)
        found += Counter({table.decider.stream_type: count})
    return found


def _carry_out(unit: Work, details: MergeDetails, moved: tuple[Moved, ...]) -> None:
    """The merge is what causes the rest. All that refers to the loser goes over before it ends, so that nothing ends with it."""
    unit.begin(CONTACT_MERGE, new_id(), RecordContactMerge(**asdict(details), moved=moved))
    with unit.because():
        lead(unit, moved, details.winner_id)
        make_one(unit, details)


def make_one(unit: Work, details: MergeDetails) -> None:
    """Nothing refers to the loser any more. It ends first: its e-mail address is free then."""
    unit.execute(CONTACT, details.loser_id, DeleteContact())
    unit.execute(CONTACT, details.winner_id, merging(details))


def merging(details: MergeDetails) -> MergeContact:
    """What the winner is told."""
    return MergeContact(
        loser_id=details.loser_id, loser_name=details.loser_name, changes=details.changed, tags=details.tags
    )


def lead(unit: Work, moved: Sequence[Moved], to: UUID) -> None:
    """Has these refer to another contact."""
    if len(moved) > FEW and not unit.bulk:
        raise BulkNeededError
    for decider, things in loaded(unit, moved):
        assert decider.refer is not None, f"{decider.stream_type} must say how it refers to another"
        for thing in things:
            unit.execute(decider, thing.id, decider.refer(path_of(decider.state, thing.field), to))


def loaded(unit: Work, moved: Sequence[Moved]) -> Iterator[tuple[AnyDecider, list[Moved]]]:
    """These by kind, each kind loaded at once."""
    for kind, group in groupby(moved, key=attrgetter("kind")):
        things, decider = list(group), unit.rows[kind].decider
        unit.load(decider, [thing.id for thing in things])
        yield decider, things
