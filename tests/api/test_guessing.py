"""Guessing passwords and addresses: slowed down however it is spelled or spread, and never at the expense of others."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import uuid4

import httpx
import pytest
from argon2 import PasswordHasher

from api.http.attempts import Attempts, Guessing, client_of
from api.http.limits import TooMany
from api.http.passwords import AT_ONCE, WAITING
from eventstore.database import Pool
from tests.api.asserting import ok, refused
from tests.api.serving import QUICK_HASHER, services_on, serving
from tests.api.team import PASSWORD, Team


@pytest.fixture
def team(pool: Pool) -> Iterator[Team]:
    """On an API of its own, which counts and remembers nobody's attempts yet."""
    services = services_on(pool)
    with serving(services, rate_limits=True) as url, httpx.Client(base_url=url, timeout=60) as http:
        yield Team(services, http)


def wrong(team: Team, email: str) -> httpx.Response:
    return team.anonymous.post("/auth/login", {"email": email, "password": "wrong horse"})


def form(email: str = "") -> dict[str, Any]:
    email = email or f"{uuid4()}@example.com"
    return {"name": "Olga", "email": email, "password": PASSWORD, "workspaceName": "Acme"}


def late(answer: httpx.Response, *, within: int) -> None:
    refused(answer, 429)
    assert 1 <= int(answer.headers["retry-after"]) <= within


class TestLoggingIn:
    def test_every_spelling_of_an_address_is_the_same_account(self, team: Team) -> None:
        name, _, domain = team.email.partition("@")
        spellings = [f"{name}@{domain[:at]}{chr(ord(domain[at]) + 0xFEE0)}{domain[at + 1 :]}" for at in range(7)]
        spellings += [team.email.upper(), f" {team.email} ", f"{name}@{domain.replace('.', chr(0x3002))}"]
        assert len({*spellings, team.email}) == 11
        assert [wrong(team, spelled).status_code for spelled in spellings] == [401] * 10
        late(wrong(team, team.email), within=60)
        late(wrong(team, spellings[0]), within=60)

    def test_one_client_does_not_try_many_accounts(self, team: Team) -> None:
        statuses = Counter(wrong(team, f"{uuid4()}@example.com").status_code for _ in range(32))
        assert statuses == {401: 30, 429: 2}
        late(team.anonymous.post("/auth/login", {"email": team.email, "password": PASSWORD}), within=60)
        ok(team.owner.get("/auth/me"))

    def test_what_is_no_address_counts_too(self, team: Team) -> None:
        assert [wrong(team, f"nobody{number}").status_code for number in range(11)] == [401] * 10 + [429]


class TestRegistering:
    def test_who_asks_for_many_taken_addresses_is_not_told_of_more(self, team: Team) -> None:
        """However slowly: they are counted for an hour."""
        for _ in range(10):
            refused(team.anonymous.post("/auth/register", form(team.email)), 422, "email")
        for body in (form(team.email), form()):
            answer = team.anonymous.post("/auth/register", body)
            late(answer, within=3600)
            assert int(answer.headers["retry-after"]) > 3000

    def test_an_address_that_is_taken_takes_as_long_as_one_that_is_not(self, team: Team) -> None:
        """In both cases the password is hashed, before anything is looked up."""
        hashing = Holding()
        with serving_with(team, hashing) as there:
            hashing.go.set()
            refused(there.anonymous.post("/auth/register", form(team.email)), 422, "email")
            assert hashing.done == 1
            ok(there.anonymous.post("/auth/register", form()), 201)
            assert hashing.done == 2

    def test_what_is_wrong_with_the_form_is_said_without_hashing(self, team: Team) -> None:
        hashing = Holding()
        with serving_with(team, hashing) as there:
            refused(there.anonymous.post("/auth/register", {**form(), "name": ""}), 422, "name")
        assert hashing.done == 0


@dataclass
class Holding(PasswordHasher):
    """A hasher that takes until it is told to go on, and knows how many it has been at once."""

    go: threading.Event = field(default_factory=threading.Event)
    now: int = 0
    most: int = 0
    done: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def hash(self, password: Any, **_: Any) -> str:
        with self._held():
            return QUICK_HASHER.hash(password)

    def verify(self, hash: Any, password: Any) -> Any:  # noqa: A002 - as it is called in the library
        with self._held():
            return QUICK_HASHER.verify(hash, password)

    @contextmanager
    def _held(self) -> Iterator[None]:
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        try:
            assert self.go.wait(30)
            yield
        finally:
            with self.lock:
                self.now -= 1
                self.done += 1


@contextmanager
def serving_with(team: Team, hasher: PasswordHasher) -> Iterator[Team]:
    """The same workspace on an API with this hasher, which counts no attempts."""
    there = replace(services_on(team.services.pool), hasher=hasher)
    with serving(there) as url, httpx.Client(base_url=url, timeout=60) as http:
        found = object.__new__(Team)
        found.__dict__.update(team.__dict__, http=http, owner=replace(team.owner, http=http))
        yield found


class TestHashing:
    CLIENTS = 60

    def test_many_who_log_in_hold_up_nobody_else_and_take_bounded_memory(self, team: Team) -> None:
        """Argon2 takes 64 MiB: so many at once are hashed, so many wait, and the rest are told when to come back."""
        hashing = Holding()
        with serving_with(team, hashing) as there, ThreadPoolExecutor(self.CLIENTS) as clients:
            asked = [clients.submit(wrong, there, f"{uuid4()}@example.com") for _ in range(self.CLIENTS)]
            try:
                full = [future.result(30) for future in done_first(asked, self.CLIENTS - AT_ONCE - WAITING)]
                for _ in range(20):
                    ok(there.owner.get("/auth/me", timeout=5))
            finally:
                hashing.go.set()
            for answer in full:
                late(answer, within=5)
            statuses = Counter(future.result(30).status_code for future in asked)
            assert statuses == {401: AT_ONCE + WAITING, 429: self.CLIENTS - AT_ONCE - WAITING}
            assert hashing.most <= AT_ONCE
            ok(there.anonymous.post("/auth/login", {"email": team.email, "password": PASSWORD}))

    def test_who_goes_away_gives_up_their_place(self, team: Team) -> None:
        hashing = Holding()
        with serving_with(team, hashing) as there:
            gone_away = ThreadPoolExecutor(AT_ONCE + WAITING)
            impatient = [
                gone_away.submit(
                    there.anonymous.post,
                    "/auth/login",
                    {"email": team.email, "password": PASSWORD},
                    timeout=1,
                )
                for _ in range(AT_ONCE + WAITING)
            ]
            assert all(isinstance(future.exception(30), httpx.TimeoutException) for future in impatient)
            try:
                assert any(has_place(there) for _ in range(60)), "those who went away still wait for their turn"
            finally:
                hashing.go.set()
            ok(there.anonymous.post("/auth/login", {"email": team.email, "password": PASSWORD}))
            gone_away.shutdown()


def has_place(there: Team) -> bool:
    """Whether somebody who logs in now is let wait, while nobody's turn comes."""
    try:
        late(there.anonymous.post("/auth/login", {"email": there.email, "password": PASSWORD}, timeout=0.5), within=5)
    except httpx.TimeoutException:
        return True
    time.sleep(0.5)
    return False


def done_first(futures: list[Any], count: int) -> list[Any]:
    """Those that are done once so many are."""
    deadline = time.monotonic() + 30
    while len(found := [future for future in futures if future.done()]) < count:
        assert time.monotonic() < deadline, f"{len(found)} of {count} are done"
        time.sleep(0.05)
    return found


class TestAttempts:
    def test_so_many_are_remembered_and_no_more(self) -> None:
        attempts = Attempts(2, 60, most=100)
        for number in range(1000):
            attempts.take(str(number))
        assert len(attempts) == 100
        attempts.take("999")
        with pytest.raises(TooMany):
            attempts.take("999")
        attempts.take("1")  # forgotten

    def test_those_who_have_all_their_attempts_again_are_forgotten(self) -> None:
        clock = [0.0]
        attempts = Attempts(2, 60, clock=lambda: clock[0])
        for number in range(50):
            attempts.take(str(number))
        clock[0] = 61.0
        attempts.take("new")
        assert len(attempts) == 1

    def test_an_attempt_is_free_again_when_its_time_is_over(self) -> None:
        clock = [0.0]
        attempts = Attempts(2, 60, clock=lambda: clock[0])
        attempts.take("a")
        clock[0] = 30.0
        attempts.take("a")
        with pytest.raises(TooMany) as refusal:
            attempts.take("a")
        assert refusal.value.headers["retry-after"] == "30"
        clock[0] = 60.5
        attempts.take("a")
        with pytest.raises(TooMany):
            attempts.check("a")

    def test_none_are_counted_where_limits_are_off(self) -> None:
        guessing = Guessing(enabled=False)
        for _ in range(100):
            guessing.log_in("client", "email")
            guessing.register("client")
            guessing.was_taken("client")


@pytest.mark.parametrize(
    ("host", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::1%eth0", "2001:db8:1:2::/64"),
        (None, "unknown"),
        ("x" * 5000, "x" * 100),
    ],
)
def test_a_client_is_an_address_or_the_network_that_one_client_has(host: str | None, client: str) -> None:
    assert client_of(host) == client
