"""A workspace with a past, of which each test may spoil its own."""

from __future__ import annotations

from uuid import UUID

import pytest

from eventstore.append import Origin
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from schemas.log import Actor
from tests.verify.tampering import Auditor, Past, write_past


@pytest.fixture
def origin(workspace: UUID) -> Origin:
    """A user acting, so that no part of an event's metadata is empty."""
    return Origin(workspace, Actor(type="user", id=new_id()), request_id='req-"1"', causation_id=new_id())


@pytest.fixture
def past(store: EventStore, origin: Origin) -> Past:
    """The streams of a log of nine events, in a workspace of its own."""
    return write_past(store, origin)


@pytest.fixture
def auditor(owner: Db, workspace: UUID) -> Auditor:
    return Auditor(owner, workspace)
