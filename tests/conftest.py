"""What every test may ask for: real servers, started once, and a workspace of its own."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import UUID

import pytest
from hypothesis import settings

from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from eventstore.append import Origin
from eventstore.database import Db, Pool, open_pool
from eventstore.ids import new_id
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from schemas.log import Actor
from tests.servers import running_nats, running_postgres

settings.register_profile("daybook", deadline=None, max_examples=50)
settings.load_profile("daybook")


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """A command that is run in the tests' own process says how logs are written: those behind it have them as before."""
    root = logging.getLogger()
    level, handlers = root.level, root.handlers[:]
    yield
    root.setLevel(level)
    root.handlers[:] = handlers


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """A Postgres with Daybook's schema.

    Not in pytest's own folder: as root, that is closed to the account that Postgres runs as at every session's start.
    """
    with TemporaryDirectory(prefix="daybook-test-") as folder, running_postgres(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def nats() -> Iterator[EmbeddedNats]:
    """A NATS with JetStream."""
    with TemporaryDirectory(prefix="daybook-test-") as folder, running_nats(Path(folder)) as server:
        yield server


@pytest.fixture(scope="session")
def owner(postgres: EmbeddedPostgres) -> Iterator[Db]:
    """An autocommitting connection of the schema's owner, a superuser: row-level security does not bind it."""
    with connect(postgres.url()) as conn:
        yield conn


@pytest.fixture(scope="session")
def pool(postgres: EmbeddedPostgres) -> Iterator[Pool]:
    """Connections as the service has them."""
    with open_pool(postgres.url(user="daybook_app"), size=24, timeout=30) as opened:
        yield opened


@pytest.fixture(scope="session")
def worker_pool(postgres: EmbeddedPostgres) -> Iterator[Pool]:
    """Connections as workers have them."""
    with open_pool(postgres.url(user="daybook_worker"), size=8, timeout=30) as opened:
        yield opened


@pytest.fixture(scope="session")
def store(pool: Pool) -> EventStore:
    return EventStore(pool, ROWS)


def make_workspace(owner: Db) -> UUID:
    """A new workspace: an empty log, and nothing else."""
    workspace_id = new_id()
    owner.execute("INSERT INTO log_heads (workspace_id) VALUES (%s)", (workspace_id,))
    return workspace_id


@pytest.fixture
def workspace(owner: Db) -> UUID:
    """A workspace that no other test knows."""
    return make_workspace(owner)


@pytest.fixture
def other_workspace(owner: Db) -> UUID:
    """Another tenant."""
    return make_workspace(owner)


@pytest.fixture
def origin(workspace: UUID) -> Origin:
    """The system acting in the test's workspace."""
    return Origin(workspace, Actor(type="system"))
