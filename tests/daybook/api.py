"""A ``daybook api`` for tests: a real process, on servers that are there already."""

from __future__ import annotations

import base64
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from tests.daybook.serving import PROGRAM, free_port


class ApiProcess:
    """``output`` is all that it has said."""

    def __init__(self, postgres: EmbeddedPostgres, nats: EmbeddedNats, folder: Path, **settings: str) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._output = folder / f"api-{self.port}.txt"
        env = {
            **os.environ,
            "DAYBOOK_PORT": str(self.port),
            "DATABASE_URL": postgres.url(user="daybook_app"),
            "NATS_URL": nats.url,
            "DAYBOOK_SECRET_KEY": base64.b64encode(bytes(range(32))).decode(),
            "DAYBOOK_RATE_LIMITS": "0",
            **settings,
        }
        with self._output.open("wb") as output:
            self.process = subprocess.Popen([*PROGRAM, "api"], env=env, stdout=output, stderr=subprocess.STDOUT)

    @property
    def output(self) -> str:
        return self._output.read_text()

    def wait_until_ready(self) -> None:
        deadline = time.monotonic() + 60
        while True:
            assert self.process.poll() is None, self.output
            assert time.monotonic() < deadline, self.output
            try:
                if httpx.get(f"{self.url}/readyz").status_code == 200:
                    return
            except httpx.TransportError:
                time.sleep(0.05)

    def end(self) -> float:
        """The seconds that it takes to end when it is asked to."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(60)
        return time.monotonic() - began


@contextmanager
def api_process(postgres: EmbeddedPostgres, nats: EmbeddedNats, folder: Path, **settings: str) -> Iterator[ApiProcess]:
    found = ApiProcess(postgres, nats, folder, **settings)
    try:
        found.wait_until_ready()
        yield found
    finally:
        if found.process.poll() is None:
            found.process.kill()
            found.process.wait(10)
