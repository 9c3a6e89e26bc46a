"""The system under measurement: the embedded servers with their real settings, and Daybook's processes on them."""

from __future__ import annotations

import base64
import os
import secrets
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from uuid import UUID

import psutil

from application import api_key as api_keys
from application import identity
from application.calling.caller import Caller
from application.calling.secretbox import KEY_BYTES, SecretBox
from application.calling.services import Services
from bench.machine import Meter
from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from eventstore.database import open_pool
from eventstore.migrate import connect, migrate
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS, TABLES, VIEWS
from projections.table.rebuild import ensure_tables
from projections.view.rebuild import ensure_views
from schemas.identity import Registration

START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 30.0


class StackError(Exception):
    """A process that is to be measured does not start."""


@dataclass(frozen=True)
class Entry:
    """A workspace, who acts in it, and the key to enter it with."""

    caller: Caller
    key: str

    @property
    def workspace_id(self) -> UUID:
        return self.caller.workspace_id


@dataclass(frozen=True)
class Api:
    """A running API process."""

    host: str
    port: int
    process: psutil.Process

    @property
    def url(self) -> str:
        return f"http://{self.host}:{self.port}/api/v1"


@dataclass
class Stack:
    """Postgres and NATS, running. ``services`` are as an API process has them, in this process."""

    data: Path
    postgres: EmbeddedPostgres
    nats: EmbeddedNats
    services: Services
    secret_key: bytes
    made: int = 0

    @property
    def owner_url(self) -> str:
        return self.postgres.url()

    @property
    def app_url(self) -> str:
        return self.postgres.url(user="daybook_app")

    def meter(self, **processes: psutil.Process) -> Meter:
        """Counts these processes, and all of Postgres."""
        assert self.postgres.pid is not None
        return Meter({**processes, "postgres": psutil.Process(self.postgres.pid)})

    def enter(self, count: int) -> list[Entry]:
        """New workspaces, each with a key that may do everything."""
        return [self._workspace() for _ in range(count)]

    def _workspace(self) -> Entry:
        self.made += 1
        email, password = f"owner{self.made}@example.com", secrets.token_urlsafe(32)
        form = Registration(name="Owner", email=email, password=password, workspace_name=f"Workspace {self.made}")
        caller = identity.register(self.services, form, plan="enterprise")
        made = api_keys.create_api_key(self.services, caller, "Bench")
        return Entry(caller, made.value.raw)

    def settle(self) -> None:
        """Does now what Postgres would do some time later, so that it falls into nobody's measurement."""
        with connect(self.owner_url) as conn:
            conn.execute("VACUUM ANALYZE")
            conn.execute("CHECKPOINT")

    @contextmanager
    def api(self) -> Iterator[Api]:
        """One API process, as ``daybook api`` runs it, but for the rate limits."""
        port = _free_port()
        environment = {"DATABASE_URL": self.app_url, "DAYBOOK_HOST": "127.0.0.1", "DAYBOOK_PORT": str(port)}
        with self._running("api", ["api"], environment) as process:
            _wait_for(f"http://127.0.0.1:{port}/readyz", process)
            yield Api("127.0.0.1", port, process)

    @contextmanager
    def worker(self, *names: str) -> Iterator[psutil.Process]:
        """A worker process with these workers, all when none is named."""
        with self._running(
            "worker", ["worker", *names], {"DATABASE_URL": self.postgres.url(user="daybook_worker")}
        ) as process:
            yield process

    @contextmanager
    def _running(self, name: str, arguments: Sequence[str], environment: Mapping[str, str]) -> Iterator[psutil.Process]:
        common = {
            "NATS_URL": self.nats.url,
            "DAYBOOK_SECRET_KEY": base64.b64encode(self.secret_key).decode(),
            "DAYBOOK_ALLOW_PRIVATE_WEBHOOKS": "1",
            "DAYBOOK_RATE_LIMITS": "0",
        }
        inherited = {key: value for key, value in os.environ.items() if not key.startswith(("DAYBOOK_", "PG"))}
        with (self.data / f"{name}.log").open("ab") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "daybook", *arguments],
                env={**inherited, **common, **environment},
                stdin=subprocess.DEVNULL,
                stderr=log,
            )
        try:
            yield psutil.Process(process.pid)
        finally:
            process.terminate()
            try:
                process.wait(STOP_SECONDS)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


@contextmanager
def running() -> Iterator[Stack]:
    """Everything in a temporary directory of its own, which goes at the end."""
    with ExitStack() as stack:
        data = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="daybook-bench-")))
        postgres = stack.enter_context(EmbeddedPostgres(data))
        nats = stack.enter_context(EmbeddedNats(data))
        with connect(postgres.url()) as conn:
            migrate(conn)
            ensure_tables(conn, TABLES)
            ensure_views(conn, VIEWS)
        pool = stack.enter_context(open_pool(postgres.url(user="daybook_app"), size=2))
        key = secrets.token_bytes(KEY_BYTES)
        services = Services(pool=pool, store=EventStore(pool, ROWS), box=SecretBox(key), allow_private_webhooks=True)
        yield Stack(data, postgres, nats, services, key)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _wait_for(url: str, process: psutil.Process) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.status() == psutil.STATUS_ZOMBIE:
            raise StackError("the API process ended before it was ready")
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    raise StackError(f"{url} does not answer")
