"""The worker that looks at what has changed in contacts, so that who asks for duplicates need not."""

from __future__ import annotations

from functools import partial
from uuid import UUID

import pytest

from domain.contact import CONTACT, CreateContact
from eventstore.append import Origin
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.work import Work
from projections import contact_alike, contact_alike_kept
from schemas.log import Actor
from schemas.wire.page import PageRequest
from tests.workers.running import Installation, eventually, running
from workers import contact_alike as worker


def make(unit: Work) -> None:
    for _ in range(3):
        unit.begin(CONTACT, new_id(), CreateContact(last_name="Kim", phone="+14155552671"))


def behind(installation: Installation, workspace_id: UUID) -> int:
    with reading(installation.store.pool, workspace_id) as conn:
        return contact_alike_kept.behind(conn)


def asked(installation: Installation, workspace_id: UUID) -> tuple[list[int], int]:
    """How many are in each group, and how many groups there are."""
    with reading(installation.store.pool, workspace_id) as conn:
        groups, total, _ = contact_alike.listed(conn, PageRequest())
    return [group.count for group in groups], total


def test_what_has_changed_is_looked_at_where_somebody_has_asked_step_by_step(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_alike_kept, "STEP", 2)
    monkeypatch.setattr(contact_alike, "SOON", 2)
    origins = [Origin(installation.workspace(), Actor(type="system")) for _ in range(3)]
    *those, never = (origin.workspace_id for origin in origins)
    for origin in origins:
        installation.store.run(origin, make)
    assert [asked(installation, workspace_id) for workspace_id in those] == [([3], 1)] * 2
    with running(installation.config, partial(worker.run, every=0.05)):
        eventually(lambda: not any(behind(installation, workspace_id) for workspace_id in those), 10)
        installation.store.run(origins[0], make)
        eventually(lambda: not behind(installation, those[0]), 10)
    assert [asked(installation, workspace_id) for workspace_id in those] == [([6], 1), ([3], 1)]
    assert behind(installation, never) == 3
