"""Workers see all workspaces of a database: so their tests have one, and a NATS, that no other tests use."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from eventstore.database import open_pool
from eventstore.migrate import connect
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS
from tests.servers import another_database, running_nats
from tests.workers.running import Installation
from workers.running.context import WorkerConfig


@pytest.fixture(scope="module")
def own_nats(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedNats]:
    with running_nats(tmp_path_factory.mktemp("nats")) as server:
        yield server


@pytest.fixture(scope="module")
def own_installation(postgres: EmbeddedPostgres, own_nats: EmbeddedNats) -> Iterator[Installation]:
    with another_database(postgres, "of_workers") as url:
        config = WorkerConfig(postgres.url("daybook_worker", "of_workers"), own_nats.url, bytes(32))
        with connect(url) as owner, open_pool(postgres.url("daybook_app", "of_workers"), timeout=30) as pool:
            yield Installation(owner, EventStore(pool, ROWS), config, own_nats)


@pytest.fixture
def installation(own_installation: Installation) -> Installation:
    """An installation whose NATS runs, whatever the test before did to it."""
    own_installation.nats.start()
    return own_installation
