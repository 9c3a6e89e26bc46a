"""What callers are told of a merge of two contacts: whose values win, and what goes over."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from application import contact as contacts
from domain.contact import CONTACT, Contact
from domain.contact_merge import MergeDetails
from domain.kernel.changes import applied
from eventstore.rows import Current
from eventstore.work import Work
from schemas.contact import ContactView
from schemas.contact_merge import MergedField, MergeView


def planned(unit: Work, winner: Current[Contact], details: MergeDetails, moved: Counter[str]) -> MergeView:
    """What would come of it."""
    return _view(winner, details, moved, _merged(unit, winner, details), dry_run=True)


def done(unit: Work, winner: Current[Contact], details: MergeDetails, moved: Counter[str]) -> MergeView:
    """What came of it; the winner is as it was before."""
    return _view(winner, details, moved, contacts.view(unit, unit.get(CONTACT, winner.id)), dry_run=False)


def _view(
    winner: Current[Contact], details: MergeDetails, moved: Counter[str], then: ContactView, *, dry_run: bool
) -> MergeView:
    return MergeView(
        contact=then,
        loser_id=details.loser_id,
        dry_run=dry_run,
        fields=_fields(winner.state, details),
        moved=dict(+moved),
    )


def _merged(unit: Work, winner: Current[Contact], details: MergeDetails) -> ContactView:
    borne = (*winner.state.tags, *(tag.id for tag in details.tags))
    state = msgspec.structs.replace(applied(winner.state, details.changed), tags=borne)
    return contacts.view(unit, Current(winner.id, state, winner.version, winner.created_at, winner.updated_at))


def _fields(winner: Contact, details: MergeDetails) -> list[MergedField]:
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
