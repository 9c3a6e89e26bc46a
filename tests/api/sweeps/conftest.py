"""What every sweep may ask for: two workspaces with one of everything in each, and what is written of them."""

from __future__ import annotations

import httpx
import pytest

from application.calling.services import Services
from daybook.embedded import EmbeddedPostgres
from eventstore.database import Db
from tests.api.sweeps.makers import Things
from tests.api.sweeps.operations import OPERATIONS
from tests.api.sweeps.written import Written
from tests.api.team import Team, created


@pytest.fixture(scope="module")
def ours(services: Services, http: httpx.Client, postgres: EmbeddedPostgres) -> Things:
    """The workspace of those who ask."""
    return stocked(Things(Team(services, http), postgres))


@pytest.fixture(scope="module")
def theirs(services: Services, http: httpx.Client, postgres: EmbeddedPostgres) -> Things:
    """A workspace that must not notice anything, and of which nobody else may learn anything."""
    return stocked(Things(Team(services, http), postgres))


def stocked(things: Things) -> Things:
    """With one of everything, and knowing what every operation takes: nothing more is written to find it out.

    All of it is signed, so that it can be proved.
    """
    things.all()
    for op in OPERATIONS:
        things.body(op)
    created(things.team.owner.post("/log/checkpoints"))
    return things


@pytest.fixture(scope="session")
def written(owner: Db) -> Written:
    return Written(owner)
