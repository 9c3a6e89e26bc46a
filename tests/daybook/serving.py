"""A ``daybook serve`` for tests: real processes, in a folder of their own."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import psutil
import psycopg

from daybook.embedded import EmbeddedPostgres

PROGRAM = [sys.executable, "-m", "daybook"]


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Served:
    """A ``daybook serve`` in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.env = {**os.environ, "DAYBOOK_PORT": str(self.port), "DAYBOOK_DATA": str(folder / "data")}
        self.output = folder / "output.txt"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen(
                [*PROGRAM, "serve"], cwd=self.folder, env=self.env, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 60
        while "Stop with Ctrl-C." not in self.output.read_text():
            assert self.process.poll() is None, self.output.read_text()
            assert time.monotonic() < deadline, self.output.read_text()
            time.sleep(0.05)

    def interrupt(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(60)

    def run(self, *arguments: str, patience: float = 60, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [*PROGRAM, *arguments],
            cwd=self.folder,
            env={**self.env, **env},
            capture_output=True,
            text=True,
            timeout=patience,
            check=False,
        )

    @property
    def credentials(self) -> dict[str, str]:
        found: dict[str, str] = json.loads((self.folder / "data/credentials.json").read_text())
        return found

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        headers = {"Authorization": f"Bearer {self.credentials['apiKey']}"}
        return httpx.request(method, f"{self.credentials['url']}/api/v1{path}", headers=headers, timeout=20, **more)

    def child(self, name: str) -> psutil.Process:
        """The process of this name, such as ``api``, that is there now."""
        assert self.process is not None
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for child in psutil.Process(self.process.pid).children():
                if child.cmdline()[-1:] == [name]:
                    return child
            time.sleep(0.05)
        raise AssertionError(f"no process {name}")

    def whole_log(self) -> list[dict[str, Any]]:
        entries: list[dict[str, Any]] = []
        while True:
            after = entries[-1]["seq"] if entries else 0
            lines = self.request("GET", f"/log?limit=1000&after={after}&format=ndjson").text.splitlines()
            if not lines:
                return entries
            entries += [json.loads(line) for line in lines]

    def owner(self) -> psycopg.Connection[Any]:
        return psycopg.connect(EmbeddedPostgres(self.folder / "data").url(), autocommit=True)
