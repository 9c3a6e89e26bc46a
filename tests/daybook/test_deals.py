"""Many move the same deals at the same time while a process dies: counts, statistics and log agree in the end."""

from __future__ import annotations

import random
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest

from daybook.supervisor import PARENT_FD
from tests.daybook.serving import PROGRAM, Served, free_port

CLIENTS = 16
DEALS = 200
SECONDS = 60
KILLS = (15, 20)
"""Seconds before one process is killed, and before it is again."""
STAGES = [
    *({"name": f"Stage {number}", "probability": number / 10} for number in range(1, 7)),
    {"name": "Won", "type": "won"},
    {"name": "Lost", "type": "lost"},
]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(600)]


@contextmanager
def another_api(served: Served) -> Iterator[str]:
    """A second API process on the same database; answers its address."""
    port = free_port()
    env = {**served.child("api").environ(), "DAYBOOK_PORT": str(port)}
    del env[PARENT_FD]  # it is nobody's but the test's
    process = subprocess.Popen([*PROGRAM, "api"], env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(30)


class Client:
    """Moves deals at random, each move under a key and a request id of its own until there is an answer."""

    def __init__(self, url: str, token: str, seed: int) -> None:
        self.chance = random.Random(seed)
        self.http = httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20)
        self.acknowledged: set[str] = set()
        self.refused: Counter[int] = Counter()

    def work(self, deals: list[str], stages: list[str], until: float) -> None:
        with self.http:
            while time.monotonic() < until:
                body: dict[str, Any] = {"stageId": self.chance.choice(stages)}
                if self.chance.random() < 0.3:
                    body["value"] = self.chance.randrange(10_000_000) / 100
                self._change(self.chance.choice(deals), body)

    def _change(self, deal: str, body: dict[str, Any]) -> None:
        key = str(uuid4())
        while True:
            answer = self._ask(deal, body, key)
            if answer is not None and answer.status_code == 200:
                self.acknowledged.add(key)
                assert answer.json()["data"]["stageId"] == body["stageId"]
                return
            if answer is not None and answer.status_code != 503:
                self.refused[answer.status_code] += 1
                assert answer.status_code == 409, answer.text  # too many at once
                return
            time.sleep(0.05)

    def _ask(self, deal: str, body: dict[str, Any], key: str) -> httpx.Response | None:
        try:
            return self.http.patch(f"/deals/{deal}", json=body, headers={"Idempotency-Key": key, "X-Request-Id": key})
        except httpx.TransportError:
            return None


def made(served: Served, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = served.request("POST", path, json=body)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


def shown(served: Served, path: str) -> dict[str, Any]:
    answer = served.request("GET", path)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json(parse_float=Decimal)["data"]
    return found


def watch(url: str, token: str, pipeline: str, until: float) -> int:
    """Looks at the statistics all the while: no deal is ever in two stages, or in none. Answers how often."""
    looks = 0
    with httpx.Client(base_url=f"{url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=20) as http:
        while time.monotonic() < until:
            told = http.get(f"/pipelines/{pipeline}").json()["data"]
            assert told["dealCount"] == sum(stage["dealCount"] for stage in told["stages"]) == DEALS
            assert sum(told["statistics"][status]["dealCount"] for status in ("open", "won", "lost")) == DEALS
            looks += 1
            time.sleep(0.1)
    return looks


def kill_twice(served: Served) -> None:
    for seconds in KILLS:
        time.sleep(seconds)
        process = served.child("api")
        process.kill()
        psutil.wait_procs([process], 10)


class Folded:
    """Where deals are, what they are worth and how they stand, by the log alone; each step must follow from the one before."""

    def __init__(self, entries: list[dict[str, Any]]) -> None:
        self.stage: dict[str, str] = {}
        self.status: dict[str, str] = {}
        self.cents: dict[str, int] = {}
        self.asked: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            if entry["stream"]["type"] == "deal":
                self._add(entry["stream"]["id"], entry["type"], entry["data"])
                self.asked[entry["meta"]["requestId"], entry["type"]] += 1

    def _add(self, deal: str, kind: str, data: dict[str, Any]) -> None:
        if kind == "deal.created":
            self.stage[deal], self.status[deal], self.cents[deal] = data["stageId"], "open", data["value"]["amount"]
            return
        now, before = data["changed"], data["previous"]
        if kind == "deal.updated":
            assert self.cents[deal] == before["value"]["amount"]
            self.cents[deal] = now["value"]["amount"]
        elif kind == "deal.stage_changed":
            assert self.stage[deal] == before["stageId"] != now["stageId"]
            self.stage[deal] = now["stageId"]
        else:
            assert self.status[deal] == before["status"] != now["status"]
            assert kind == {"won": "deal.won", "lost": "deal.lost", "open": "deal.reopened"}[now["status"]]
            self.status[deal] = now["status"]


def test_deals_moved_by_many_while_a_process_dies_are_where_the_log_says(served: Served) -> None:
    token = served.credentials["apiKey"]
    pipeline = made(served, "/pipelines", {"name": "Sales", "stages": STAGES})
    stages = [stage["id"] for stage in pipeline["stages"]]
    first = {"pipelineId": pipeline["id"], "stageId": stages[0], "value": 100}
    deals = [made(served, "/deals", {"name": f"Deal {number}", **first})["id"] for number in range(DEALS)]
    with another_api(served) as second, ThreadPoolExecutor(CLIENTS + 2) as pool:
        clients = [Client((served.credentials["url"], second)[seed % 2], token, seed) for seed in range(CLIENTS)]
        wait_for(second)
        until = time.monotonic() + SECONDS
        works = [pool.submit(client.work, deals, stages, until) for client in clients]
        looks = pool.submit(watch, second, token, pipeline["id"], until)
        pool.submit(kill_twice, served).result()
        for work in works:
            work.result()
        assert looks.result() > SECONDS

    log = Folded(served.whole_log())
    acknowledged = set().union(*(client.acknowledged for client in clients))
    assert sum(client.refused[409] for client in clients) < len(acknowledged) / 50
    assert len(acknowledged) > 20 * SECONDS
    assert set(log.asked.values()) == {1}, "a move that was sent again was made twice"
    making = {asked for asked, event in log.asked if event == "deal.created"}
    assert {asked for asked, _ in log.asked} - acknowledged == making, "what was done was not answered"

    told = shown(served, f"/pipelines/{pipeline['id']}")
    counts = Counter(log.stage.values())
    assert {stage["id"]: stage["dealCount"] for stage in told["stages"]} == {stage: counts[stage] for stage in stages}
    for stage in told["stages"]:
        cents = sum(log.cents[deal] for deal in deals if log.stage[deal] == stage["id"])
        assert stage["totalValue"] * 100 == cents
        assert len(listed(served, stageId=stage["id"])) == counts[stage["id"]]
    for status in ("open", "won", "lost"):
        theirs = [deal for deal in deals if log.status[deal] == status]
        total = told["statistics"][status]
        assert (total["dealCount"], total["totalValue"] * 100) == (len(theirs), sum(log.cents[deal] for deal in theirs))
        assert set(listed(served, status=status)) == set(theirs)
    assert served.run("verify").returncode == 0


def wait_for(url: str) -> None:
    deadline = time.monotonic() + 60
    while True:
        try:
            if httpx.get(f"{url}/readyz", timeout=5).status_code == 200:
                return
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.1)


def listed(served: Served, **params: str) -> list[str]:
    """The ids of all deals that are so."""
    found: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = served.request("GET", "/deals", params={"limit": "100", **params, **cursor}).json()
        found += [deal["id"] for deal in answer["data"]]
        if answer["meta"]["nextCursor"] is None:
            return found
        cursor = {"cursor": answer["meta"]["nextCursor"]}
