"""Rate limits by plan, shared by all API processes; and the slowing down of who guesses passwords."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import replace
from uuid import uuid4

import httpx
import pytest

from api.http.limits import BLOCKS, LIMITS, RateLimiter
from application.calling.services import Services
from daybook.embedded import EmbeddedPostgres
from domain.workspace import Plan
from eventstore.database import Pool
from eventstore.migrate import connect
from tests.api.asserting import ok, refused
from tests.api.serving import services_on, serving
from tests.api.team import PASSWORD, Member, Team


@pytest.fixture(scope="module")
def limited(pool: Pool) -> Iterator[list[tuple[Services, httpx.Client]]]:
    """Two API processes that count, each with limiters of its own, on one database."""
    with ExitStack() as stack:
        processes = []
        for _ in range(2):
            services = services_on(pool)
            url = stack.enter_context(serving(services, rate_limits=True))
            processes.append((services, stack.enter_context(httpx.Client(base_url=url, timeout=60))))
        yield processes


def team_on(limited: list[tuple[Services, httpx.Client]], plan: Plan) -> Team:
    services, http = limited[0]
    return Team(services, http, plan=plan)


def beginning_of_a_minute(seconds: float) -> None:
    """Waits for the next minute unless that many seconds of this one are left."""
    left = 60 - time.time() % 60
    if left < seconds:
        time.sleep(left + 0.05)


def spread(member: Member, count: int, *, per_second: int) -> Counter[int]:
    """That many requests, never more in one second than are allowed."""
    answers: Counter[int] = Counter()
    for _ in range(-(-count // per_second)):
        time.sleep(1.02 - time.time() % 1)
        for _ in range(min(per_second, count - answers.total())):
            answers[member.get("/tags").status_code] += 1
    return answers


def test_every_answer_says_how_many_are_left(limited: list[tuple[Services, httpx.Client]]) -> None:
    team = team_on(limited, "standard")
    beginning_of_a_minute(3)
    first, second = team.owner.get("/tags"), team.owner.get("/nothing-here/x") and team.owner.get("/tags")
    assert first.headers["ratelimit-policy"] == '"minute";q=300;w=60, "second";q=30;w=1'
    assert first.headers["ratelimit"].startswith('"minute";r=299;t=')
    assert second.headers["ratelimit"].startswith('"minute";r=298;t=')
    assert 1 <= int(first.headers["ratelimit"].rpartition("=")[2]) <= 60
    assert "ratelimit" in team.owner.post("/tags", {}).headers
    assert "ratelimit" not in team.anonymous.get("/tags").headers


def test_a_burst_is_refused_with_when_to_try_again(limited: list[tuple[Services, httpx.Client]]) -> None:
    team = team_on(limited, "free")
    other = team_on(limited, "free")
    beginning_of_a_minute(3)
    time.sleep(1.02 - time.time() % 1)
    with ThreadPoolExecutor(8) as several:
        answers = list(several.map(lambda _: team.owner.get("/tags"), range(15)))
    statuses = Counter(answer.status_code for answer in answers)
    assert statuses == {200: 10, 429: 5}
    late = next(answer for answer in answers if answer.status_code == 429)
    refused(late, 429)
    assert late.headers["retry-after"] == "1"
    assert "ratelimit" in late.headers
    ok(other.owner.get("/tags"))
    time.sleep(1.05)
    ok(team.owner.get("/tags"))


def test_a_minutes_requests_are_counted_over_all_processes(limited: list[tuple[Services, httpx.Client]]) -> None:
    """Each process takes the minute's allowance in blocks, so none of it is lost and none given twice."""
    team = team_on(limited, "free")
    here, there = team.owner, replace(team.owner, http=limited[1][1])
    beginning_of_a_minute(12)
    with ThreadPoolExecutor(2) as both:
        counted = both.map(lambda member: spread(member, 45, per_second=9), (here, there))
        answers = sum(counted, Counter())
    assert answers == {200: LIMITS["free"].minute, 429: 90 - LIMITS["free"].minute}
    late = here.get("/tags")
    refused(late, 429)
    wait = int(late.headers["retry-after"])
    assert abs(wait - (60 - time.time() % 60)) < 2
    assert late.headers["ratelimit"].startswith('"minute";r=0;')


def test_nothing_but_a_workspaces_own_threads_waits_for_its_next_block(postgres: EmbeddedPostgres, pool: Pool) -> None:
    """The event loop counts without waiting, while a thread is held up by the database."""
    limiter, stuck, other = RateLimiter(pool), uuid4(), uuid4()
    beginning_of_a_minute(10)
    limiter.take(stuck, "free")
    with connect(postgres.url()) as conn, ThreadPoolExecutor(1) as threads:
        with conn.transaction():
            conn.execute("SELECT FROM rate_windows WHERE workspace_id = %s FOR UPDATE", (stuck,))
            for _ in range(LIMITS["free"].minute // BLOCKS - 1):
                limiter.take(stuck, "free", lease=False)
            waiting = threads.submit(limiter.take, stuck, "free")
            time.sleep(0.3)
            began = time.monotonic()
            assert limiter.take(stuck, "free", lease=False) is None
            assert limiter.take(other, "free")
            assert time.monotonic() - began < 1
            assert not waiting.done()
        assert waiting.result(10)


@pytest.mark.parametrize(
    ("plan", "minute", "second"),
    [("free", 60, 10), ("starter", 60, 10), ("standard", 300, 30), ("premium", 1000, 100)],
)
def test_the_limits_are_the_documented_ones(plan: Plan, minute: int, second: int) -> None:
    assert (LIMITS[plan].minute, LIMITS[plan].second) == (minute, second)


def test_guessing_a_password_is_slowed_down_for_that_account(limited: list[tuple[Services, httpx.Client]]) -> None:
    team, other = team_on(limited, "free"), team_on(limited, "free")
    wrong = {"email": team.email, "password": "wrong horse"}
    statuses = [team.anonymous.post("/auth/login", wrong).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    late = team.anonymous.post("/auth/login", {"email": f" {team.email.upper()} ", "password": PASSWORD})
    refused(late, 429)
    assert 1 <= int(late.headers["retry-after"]) <= 60
    ok(other.anonymous.post("/auth/login", {"email": other.email, "password": PASSWORD}))


def test_so_is_making_accounts(limited: list[tuple[Services, httpx.Client]]) -> None:
    team = team_on(limited, "free")
    statuses = [team.anonymous.post("/auth/register", {"name": 1}).status_code for _ in range(3)]
    assert statuses == [422] * 3
    form = {"name": "", "email": "", "password": "", "workspaceName": ""}
    statuses = [team.anonymous.post("/auth/register", form).status_code for _ in range(12)]
    assert statuses == [422] * 10 + [429] * 2
