"""A workspace whose log is locked, and the end of an API process: real processes, as they are attacked and stopped."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import Self

import httpx
import pytest

from application.calling.services import Services
from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from domain.contact import CONTACT, CreateContact
from eventstore.append import Origin
from eventstore.database import Pool
from eventstore.ids import new_id
from schemas.log import Actor
from tests.api.asserting import ok
from tests.api.serving import services_on
from tests.api.team import Team
from tests.daybook.api import ApiProcess, api_process
from tests.locking import locked_head

CLIENTS = 60


@pytest.fixture(scope="module")
def services(pool: Pool) -> Services:
    return services_on(pool)


@pytest.fixture
def api(postgres: EmbeddedPostgres, nats: EmbeddedNats, tmp_path: Path) -> Iterator[ApiProcess]:
    """It has little patience, so that tests need little."""
    with api_process(postgres, nats, tmp_path, DAYBOOK_PATIENCE_SECONDS="3") as found:
        yield found


@pytest.fixture
def http(api: ApiProcess) -> Iterator[httpx.Client]:
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=api.url, timeout=60, limits=limits) as client:
        yield client


class Attack:
    """Clients who go on writing to a workspace and give up each time soon, until it is over."""

    def __init__(self, team: Team, clients: int, *, patience: float) -> None:
        self._team = team
        self._patience = patience
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._go_on) for _ in range(clients)]
        self.given_up = 0

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def _go_on(self) -> None:
        while not self._over.is_set():
            try:
                answer = self._team.owner.post("/contacts", {"firstName": "Stuck"}, timeout=self._patience)
                assert answer.status_code == 503
            except httpx.TimeoutException:
                self.given_up += 1


def slowest_of(team: Team, seconds: float) -> float:
    """What a hundredth of a workspace's requests take longer than, in seconds; every third of them writes."""
    taken: list[float] = []
    until = time.monotonic() + seconds
    while time.monotonic() < until or len(taken) <= 10:  # a busy machine takes longer for so many
        began = time.monotonic()
        if len(taken) % 3:
            ok(team.owner.get("/contacts?limit=5"))
        else:
            ok(team.owner.post("/contacts", {"firstName": "Free"}), 201)
        taken.append(time.monotonic() - began)
        time.sleep(0.01)
    return sorted(taken)[int(len(taken) * 0.99)]


@pytest.mark.parametrize(
    ("seconds", "quiet"), [(2, 2), pytest.param(24, 6, marks=pytest.mark.slow)], ids=["for 4 s", "for 30 s"]
)
def test_a_locked_log_stops_no_other_workspace_and_nothing_given_up_is_carried_out(
    postgres: EmbeddedPostgres, services: Services, api: ApiProcess, http: httpx.Client, seconds: int, quiet: int
) -> None:
    team, others = Team(services, http), Team(services, http)
    for known in (team, others):
        ok(known.owner.get("/contacts"))
    usual = slowest_of(others, 1)
    with locked_head(postgres, team.workspace_id):
        with Attack(team, CLIENTS, patience=0.7) as attack:
            slowest = slowest_of(others, seconds)
            assert http.get("/readyz", timeout=1).status_code == 200
        assert attack.given_up > CLIENTS
        time.sleep(quiet)
    ok(team.owner.post("/contacts", {"firstName": "After"}), 201)
    assert [contact["firstName"] for contact in team.owner.listed("/contacts")] == ["After"]
    assert slowest <= max(0.1 if seconds > quiet else 0.5, 3 * usual)  # few requests, beside other tests, say less
    assert "Traceback" not in api.output


def test_it_ends_within_three_seconds_whatever_is_in_hand(
    postgres: EmbeddedPostgres, services: Services, api: ApiProcess, http: httpx.Client
) -> None:
    team = Team(services, http)
    head = ok(team.owner.get("/log?limit=1"))["meta"]["head"]

    def poll() -> list[object]:
        return list(ok(team.owner.get(f"/log?after={head}&wait=30"))["data"])

    def write() -> int:
        return team.owner.post("/contacts", {"firstName": "Stuck"}).status_code

    with ExitStack() as held, ThreadPoolExecutor(CLIENTS + 5) as threads:
        held.enter_context(locked_head(postgres, team.workspace_id))
        polls = [threads.submit(poll) for _ in range(5)]
        writes = [threads.submit(write) for _ in range(CLIENTS)]
        held.enter_context(half_a_request(api, team))
        time.sleep(0.7)
        assert not any(asked.done() for asked in polls)
        assert api.end() < 3
        assert [asked.result() for asked in polls] == [[]] * 5
        assert {asked.result() for asked in writes} == {503}
    assert "Traceback" not in api.output
    assert "ERROR" not in api.output


def half_a_request(api: ApiProcess, team: Team) -> socket.socket:
    """A connection on which a body has begun."""
    found = socket.create_connection(("127.0.0.1", api.port))
    head = "POST /api/v1/contacts HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: 50\r\n"
    found.sendall(f'{head}Authorization: Bearer {team.owner.token}\r\n\r\n{{"fir'.encode())
    return found


def test_a_process_that_is_frozen_in_a_command_blocks_its_workspace_for_a_moment(
    postgres: EmbeddedPostgres, services: Services, api: ApiProcess, http: httpx.Client
) -> None:
    team = Team(services, http)
    headers = {"idempotency-key": "frozen"}  # the command's end is not sent along with its events then
    with ThreadPoolExecutor(1) as threads:
        with locked_head(postgres, team.workspace_id):
            frozen = threads.submit(team.owner.post, "/contacts", {"firstName": "Frozen"}, headers=headers)
            time.sleep(0.5)
            api.process.send_signal(signal.SIGSTOP)
        try:
            began = time.monotonic()
            services.store.run(
                Origin(team.workspace_id, Actor(type="system")),
                lambda unit: unit.begin(CONTACT, new_id(), CreateContact(first_name="A")),
            )
            assert time.monotonic() - began < 3
        finally:
            api.process.send_signal(signal.SIGCONT)
        assert frozen.result().status_code == 503
    ok(team.owner.post("/contacts", {"firstName": "Frozen"}, headers=headers), 201)
    assert ok(team.owner.get("/contacts"))["meta"]["total"] == 2
