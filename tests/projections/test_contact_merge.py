"""Where the id of a contact leads that was merged into another."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

import pytest

from domain.contact import Contact
from domain.contact_fields import ContactChanges
from domain.contact_merge import ContactMerge
from eventstore.database import Pool, writing
from eventstore.ids import new_id
from eventstore.rows import Change, Current
from projections.contact_merge import CONTACT_MERGES, leads_to
from tests.projections.test_asking import START

NOTHING = ContactChanges()
A, B, C = (new_id() for _ in range(3))


@pytest.mark.parametrize(
    ("merges", "end"),
    [([], A), ([(A, B)], B), ([(A, B), (B, C)], C), ([(A, B), (B, A)], B), ([(A, A)], A)],
    ids=["none", "one", "two", "circle", "itself"],
)
def test_it_leads_from_merge_to_merge_and_never_in_circles(
    pool: Pool, workspace: UUID, merges: Sequence[tuple[UUID, UUID]], end: UUID
) -> None:
    told: dict[str, Any] = {
        "winner_name": "B",
        "loser_name": "A",
        "loser": Contact(),
        "changed": NOTHING,
        "previous": NOTHING,
    }
    states = [ContactMerge(winner_id=winner, loser_id=loser, **told) for loser, winner in merges]
    rows = [Current(new_id(), state, 1, START, START) for state in states]
    with writing(pool, workspace) as conn:
        CONTACT_MERGES.write(conn, workspace, [Change(row.id, None, row) for row in rows], bulk=False)
        assert leads_to(conn, A) == end
