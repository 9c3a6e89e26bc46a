"""Too much to do: no workspace waits for another's, and what nobody waits for any longer is not begun."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import httpx
import pytest

from api.app import SPARE
from api.http import middleware
from daybook.embedded import EmbeddedPostgres
from eventstore.database import Pool, open_pool
from tests.api.asserting import ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import Team
from tests.locking import locked_head

THREADS = 4


@pytest.fixture
def small(postgres: EmbeddedPostgres) -> Iterator[Pool]:
    """Connections for few threads."""
    with open_pool(postgres.url(user="daybook_app"), size=THREADS + SPARE) as pool:
        yield pool


def write(team: Team) -> httpx.Response:
    return team.owner.post("/tags", {"name": f"Tag {threading.get_ident()} {time.monotonic_ns()}"})


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def written(team: Team) -> int:
    return len(team.owner.listed("/tags", limit=100))


def stuck(team: Team, threads: ThreadPoolExecutor, many: int) -> list[Future[httpx.Response]]:
    """So many commands that cannot go on, as far as they come; who sends them is known already."""
    team.owner.listed("/tags")
    begun = [threads.submit(write, team) for _ in range(many)]
    time.sleep(0.5)
    return begun


def test_a_workspace_that_is_stuck_leaves_threads_to_others(postgres: EmbeddedPostgres, small: Pool) -> None:
    with (
        serving(services := services_on(small)) as url,
        httpx.Client(base_url=url, timeout=60) as http,
        ThreadPoolExecutor(20) as threads,
    ):
        team, others = Team(services, http), Team(services, http)
        with locked_head(postgres, team.workspace_id):
            waiting = stuck(team, threads, 20)
            for _ in range(10):
                began = time.monotonic()
                ok(write(others), 201)
                assert time.monotonic() - began < 3
            assert http.get("/readyz").status_code == 200
            assert not any(asked.done() for asked in waiting)
        assert {asked.result().status_code for asked in waiting} == {201}
        assert written(team) == 20


def test_what_is_more_than_can_wait_is_refused_at_once(postgres: EmbeddedPostgres, small: Pool) -> None:
    with (
        serving(services := services_on(small), places=8) as url,
        httpx.Client(base_url=url, timeout=60) as http,
        ThreadPoolExecutor(20) as threads,
    ):
        team, others = Team(services, http), Team(services, http)
        with locked_head(postgres, team.workspace_id):
            waiting = stuck(team, threads, 20)
            done = [asked.result() for asked in waiting if asked.done()]
            assert len(done) == 20 - THREADS // 2 - 8 // 2
            for answer in done:
                refused(answer, 503, says="too much to do")
                assert answer.headers["retry-after"] == "1"
            ok(write(others), 201)
        assert sum(asked.result().status_code == 201 for asked in waiting) == 20 - len(done)
        assert written(team) == 20 - len(done)


def test_what_has_waited_too_long_is_refused_and_not_begun(postgres: EmbeddedPostgres, small: Pool) -> None:
    with (
        serving(services := services_on(small), seconds=0.3) as url,
        httpx.Client(base_url=url, timeout=60) as http,
        ThreadPoolExecutor(10) as threads,
    ):
        team = Team(services, http)
        with locked_head(postgres, team.workspace_id):
            waiting = stuck(team, threads, 10)
            until(lambda: sum(asked.done() for asked in waiting) == 10 - THREADS // 2)
            for asked in waiting:
                if asked.done():
                    refused(asked.result(), 503)
        assert sum(asked.result().status_code == 201 for asked in waiting) == THREADS // 2
        assert written(team) == THREADS // 2


def test_what_its_client_has_given_up_is_not_begun(postgres: EmbeddedPostgres, small: Pool) -> None:
    with (
        serving(services := services_on(small)) as url,
        httpx.Client(base_url=url, timeout=60) as http,
        httpx.Client(base_url=url, timeout=0.5) as hasty,
        ThreadPoolExecutor(20) as threads,
    ):
        team = Team(services, http)
        headers = {"authorization": f"Bearer {team.owner.token}"}

        def give_up(number: int) -> None:
            with pytest.raises(httpx.ReadTimeout):
                hasty.post("/api/v1/tags", json={"name": f"Given up {number}"}, headers=headers)

        with locked_head(postgres, team.workspace_id):
            begun = stuck(team, threads, THREADS // 2)
            list(threads.map(give_up, range(18)))
        assert {asked.result().status_code for asked in begun} == {201}
        ok(write(team), 201)
        assert written(team) == THREADS // 2 + 1


def test_what_others_hold_for_too_long_is_said_to_be_held(postgres: EmbeddedPostgres) -> None:
    with (
        open_pool(postgres.url(user="daybook_app"), size=2, patience=0.9) as pool,
        serving(services := services_on(pool)) as url,
        httpx.Client(base_url=url, timeout=60) as http,
    ):
        team = Team(services, http)
        with locked_head(postgres, team.workspace_id):
            refused(write(team), 503, says="Others keep what this needs")
        assert written(team) == 0
        ok(write(team), 201)


def test_more_requests_than_can_be_in_hand_are_refused_at_once(
    postgres: EmbeddedPostgres, small: Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(middleware, "MOST", 6)
    with (
        serving(services := services_on(small)) as url,
        httpx.Client(base_url=url, timeout=60) as http,
        ThreadPoolExecutor(20) as threads,
    ):
        team = Team(services, http)
        with locked_head(postgres, team.workspace_id):
            waiting = stuck(team, threads, 6)
            answer = http.get("/healthz")
            refused(answer, 503, says="too much to do")
            assert answer.headers["retry-after"] == "1"
        assert {asked.result().status_code for asked in waiting} == {201}
        assert http.get("/healthz").status_code == 200
