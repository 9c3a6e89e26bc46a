"""Whether the process lives and can serve, and what it measures."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore.database import open_pool
from tests.api.serving import services_on, serving
from tests.api.team import Team


def test_a_living_process_says_so_to_anybody(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ready"}


def test_requests_are_measured_by_operation_and_status(team: Team, http: httpx.Client) -> None:
    def counted() -> float:
        lines = http.get("/metrics").text.splitlines()
        wanted = 'daybook_requests_total{operation="listTags",status="200"}'
        return sum(float(line.removeprefix(wanted)) for line in lines if line.startswith(wanted))

    before = counted()
    team.owner.listed("/tags")
    assert counted() == before + 1
    assert "daybook_request_seconds_bucket" in http.get("/metrics").text


def test_no_measure_grows_with_what_callers_make_up(http: httpx.Client) -> None:
    for number in range(3):
        http.get(f"/api/v1/made-up-{number}")
        http.request(f"MADEUP{number}", "/api/v1/tags")
    assert "made-up" not in http.get("/metrics").text
    assert "MADEUP" not in http.get("/metrics").text


@pytest.fixture
def as_superuser(postgres: EmbeddedPostgres) -> Iterator[str]:
    with open_pool(postgres.url(), size=2) as pool, serving(services_on(pool)) as url:
        yield url


def test_a_role_that_bypasses_row_level_security_is_not_ready(as_superuser: str) -> None:
    answer = httpx.get(f"{as_superuser}/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "the database role bypasses row-level security"})
