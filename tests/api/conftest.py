"""What every test of the API may ask for: a server, a workspace with its members, and another workspace."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from application.calling.services import Services
from eventstore.database import Pool
from tests.api.serving import services_on, serving
from tests.api.team import Team


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
def others(services: Services, http: httpx.Client) -> Team:
    """Another workspace, that must not notice anything."""
    return Team(services, http)
