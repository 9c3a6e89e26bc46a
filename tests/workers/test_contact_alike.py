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


def test_what_has_changed_is_looked_at_in_every_workspace_step_by_step(
    installation: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(contact_alike_kept, "STEP", 2)
    workspaces = [installation.workspace() for _ in range(3)]
    with running(installation.config, partial(worker.run, every=0.05)):
        for number in range(1, 3):
            for workspace_id in workspaces:
                installation.store.run(Origin(workspace_id, Actor(type="system")), make)
            eventually(lambda: not any(behind(installation, found) for found in workspaces), 10)
            for workspace_id in workspaces:
                with reading(installation.store.pool, workspace_id) as conn:
                    groups, total, _ = contact_alike.listed(conn, PageRequest())
                assert ([group.count for group in groups], total) == ([3 * number], 1)
