"""Saying of contacts that are alike that they are not the same person."""

from __future__ import annotations

from itertools import combinations
from uuid import UUID

from domain.contact import CONTACT
from domain.contact_duplicate import CONTACT_DUPLICATE, DismissDuplicate, DismissedDuplicate
from domain.kernel import invalid
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact_duplicate as rows
from schemas.contact_duplicate import DismissDuplicates


def dismiss(unit: Work, form: DismissDuplicates) -> list[Current[DismissedDuplicate]]:
    """What is said of each two of the contacts, by whomever it was first. Refuses (``validation_failed``) fewer than two
    different ones, and who is not there.
    """
    ids = sorted(set(form.contact_ids))
    if len(ids) < 2:
        raise invalid("contactIds", "must be at least two contacts")
    unit.rows[CONTACT.stream_type].hold(unit.conn, ids, ending=True)  # who says the same at the same time is waited for
    unit.standing.hold(CONTACT.stream_type, ids, "contactIds")
    known = rows.among(unit.conn, ids)
    said = {frozenset((pair.state.contact_id, pair.state.other_id)) for pair in known}
    return [*known, *(_said(unit, *pair) for pair in combinations(ids, 2) if frozenset(pair) not in said)]


def _said(unit: Work, one: UUID, other: UUID) -> Current[DismissedDuplicate]:
    contacts = unit.load(CONTACT, [one, other])
    names = {"contact_name": contacts[one].state.name, "other_name": contacts[other].state.name}
    return unit.begin(CONTACT_DUPLICATE, new_id(), DismissDuplicate(contact_id=one, other_id=other, **names))
