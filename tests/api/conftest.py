"""What every test of the API may ask for: a server, a workspace with its members, and another workspace."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from application.calling.services import Services
from daybook.embedded import EmbeddedPostgres
from eventstore.database import Db, Pool
from projections.catalogue import VIEWS
from tests.api.asserting import ok
from tests.api.serving import services_on, serving
from tests.api.team import Team
from tests.api.working import step
from tests.projections.house import a_house
from workers.consuming.consumer import Consuming
from workers.consuming.view import consumer_of
from workers.running.context import async_pool

Keep = Callable[[Team], None]

Done = Callable[[httpx.Response], dict[str, Any]]
WorkOff = Callable[[], None]


@pytest.fixture(scope="session")
def services(pool: Pool) -> Services:
    return services_on(pool)


@pytest.fixture(scope="session")
def server(services: Services) -> Iterator[str]:
    """The address of an API that counts no requests."""
    with serving(services) as url:
        yield url


@pytest.fixture(scope="session")
def http(server: str) -> Iterator[httpx.Client]:
    """A client of that API, without a token."""
    with httpx.Client(base_url=server, timeout=60) as client:
        yield client


@pytest.fixture
def team(services: Services, http: httpx.Client) -> Team:
    """A workspace that no other test knows."""
    return Team(services, http)


@pytest.fixture
def alone(postgres: EmbeddedPostgres) -> Iterator[tuple[Team, Db]]:
    """A team in a database of its own, which can be rebuilt, and the owner's connection to that."""
    with a_house(postgres) as house:
        services = services_on(house.pool)
        with serving(services) as url, httpx.Client(base_url=url, timeout=60) as http:
            yield Team(services, http), house.owner


@pytest.fixture
def others(services: Services, http: httpx.Client) -> Team:
    """Another workspace, that must not notice anything."""
    return Team(services, http)


@pytest.fixture
def work_off(team: Team, worker_pool: Pool) -> WorkOff:
    """Carries out all jobs that are due."""

    def worked_off() -> None:
        while step(team.services.store, worker_pool):
            continue

    return worked_off


@pytest.fixture
def done(team: Team, worker_pool: Pool) -> Done:
    """Carries out, as workers do, the job that an answer tells of, and answers it."""

    def carried_out(answer: httpx.Response) -> dict[str, Any]:
        begun = ok(answer, 202)
        assert begun.keys() == {"jobId", "status", "total", "processed", "errors"}
        assert (begun["status"], begun["processed"], begun["errors"]) == ("processing", 0, 0)
        assert answer.headers["location"] == f"/api/v1/jobs/{begun['jobId']}"
        while (job := team.owner.shown(f"/jobs/{begun['jobId']}"))["status"] == "processing":
            assert step(team.services.store, worker_pool)
        assert job["status"] == "completed"
        assert job["total"] == begun["total"] == job["processed"]
        return job

    return carried_out


@pytest.fixture
def keep(postgres: EmbeddedPostgres) -> Keep:
    """Brings a workspace's views up to date, as workers do, in the database that its team is in."""

    async def main(team: Team) -> None:
        with team.services.pool.connection() as conn:
            database = conn.info.dbname
        async with async_pool(postgres.url(user="daybook_worker", database=database)) as pool:
            for view in VIEWS:
                await Consuming(pool, consumer_of(view)).catch_up(team.workspace_id)

    return lambda team: asyncio.run(main(team))
