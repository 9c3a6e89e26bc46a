"""Whether the process lives and can serve, and what it measures."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore.database import Pool, open_pool
from tests.api.asserting import refused
from tests.api.serving import metrics, services_on, serving
from tests.api.team import Team


def test_a_living_process_says_so_to_anybody(http: httpx.Client) -> None:
    assert http.get("/healthz").json() == {"status": "ok"}
    assert http.get("/readyz").json() == {"status": "ready"}


def test_requests_are_measured_by_operation_and_status(team: Team, http: httpx.Client) -> None:
    def counted() -> float:
        wanted = 'daybook_requests_total{operation="listTags",status="200"}'
        return sum(float(line.removeprefix(wanted)) for line in metrics(http) if line.startswith(wanted))

    before = counted()
    team.owner.listed("/tags")
    assert counted() == before + 1
    assert any(line.startswith("daybook_request_seconds_bucket") for line in metrics(http))


def test_no_measure_grows_with_what_callers_make_up(http: httpx.Client) -> None:
    for number in range(3):
        http.get(f"/api/v1/made-up-{number}")
        http.request(f"MADEUP{number}", "/api/v1/tags")
    assert not [line for line in metrics(http) if "made-up" in line or "MADEUP" in line]


@pytest.mark.parametrize("token", [None, "what-prometheus-sent"])
def test_what_is_measured_is_told_to_who_has_the_token(http: httpx.Client, team: Team, token: str | None) -> None:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    assert refused(http.get("/metrics", headers=headers), 401)
    assert refused(team.owner.http.get("/metrics", headers={"authorization": f"Bearer {team.owner.token}"}), 401)


def test_and_without_one_to_nobody(pool: Pool) -> None:
    with serving(services_on(pool), metrics_token=None) as url:
        refused(httpx.get(f"{url}/metrics"), 404, says="DAYBOOK_METRICS_TOKEN")


@pytest.fixture
def as_superuser(postgres: EmbeddedPostgres) -> Iterator[str]:
    with open_pool(postgres.url(), size=2) as pool, serving(services_on(pool)) as url:
        yield url


def test_a_role_that_bypasses_row_level_security_is_not_ready(as_superuser: str) -> None:
    answer = httpx.get(f"{as_superuser}/readyz")
    assert (answer.status_code, answer.json()) == (503, {"status": "the database role bypasses row-level security"})
