"""A large file, through real processes: their memory does not grow with it."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import psutil
import pytest

from tests.daybook.serving import Served

ROWS = 100_000
ALLOWED = 48 * 1024 * 1024
"""Bytes by which a process may grow from an import of 5,000 rows to one of 100,000, whose file alone is 40 MB."""
PATIENCE = 400
"""Seconds for what takes a minute of a processor: others may use the machine, too, and memory alone is measured."""


class Peaks:
    """The most memory that each process of a ``daybook serve`` has had at one time, by what it is."""

    def __init__(self, served: Served) -> None:
        assert served.process is not None
        children = psutil.Process(served.process.pid).children()
        self._processes = {
            name: child for child in children for name in ("api", "worker") if child.cmdline()[-2:] == ["daybook", name]
        }
        assert self._processes.keys() == {"api", "worker"}
        self.found = dict.fromkeys(self._processes, 0)

    @contextmanager
    def watched(self) -> Iterator[None]:
        ended = threading.Event()

        def watch() -> None:
            while not ended.wait(0.02):
                for name, process in self._processes.items():
                    self.found[name] = max(self.found[name], process.memory_info().rss)

        thread = threading.Thread(target=watch)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()


def file(first: int, rows: int) -> Iterator[bytes]:
    yield b"First Name,Last Name,Email,Company,Notes\n"
    for number in range(first, first + rows):
        yield b"Ada,King,a%d@engine.org,Engines %d,%s\n" % (number, number, b"x" * 350)


def imported(served: Served, first: int, rows: int) -> dict[str, Any]:
    headers = {"content-type": "text/csv", "authorization": f"Bearer {served.credentials['apiKey']}"}
    url = f"http://127.0.0.1:{served.port}/api/v1/contacts/import"
    answer = httpx.post(url, content=file(first, rows), headers=headers, timeout=120)
    assert answer.status_code == 202, answer.text
    path = f"/jobs/{answer.json()['data']['jobId']}"
    deadline = time.monotonic() + PATIENCE
    while (job := served.request("GET", path).json()["data"])["status"] == "processing":
        assert time.monotonic() < deadline, job
        time.sleep(1.1)
    found: dict[str, Any] = job
    return found


@pytest.mark.slow
@pytest.mark.timeout(3 * PATIENCE)
def test_memory_does_not_grow_with_the_file(served: Served) -> None:
    before, after = Peaks(served), Peaks(served)
    with before.watched():
        assert imported(served, 0, 5_000)["created"] == 5_000
    with after.watched():
        job = imported(served, 5_000, ROWS)
    assert (job["status"], job["processed"], job["created"], job["errors"]) == ("completed", ROWS, ROWS, 0)
    growth = {name: after.found[name] - peak for name, peak in before.found.items()}
    assert all(grown < ALLOWED for grown in growth.values()), growth
    assert served.run("verify", patience=PATIENCE).returncode == 0
