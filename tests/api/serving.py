"""The API on a real socket: its server in a thread, as ``daybook api`` runs it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from argon2 import PasswordHasher

from api.app import create_app
from api.http.server import server
from application.calling.secretbox import SecretBox
from application.calling.services import Services
from eventstore.database import Pool
from eventstore.unit_of_work import EventStore
from projections.catalogue import ROWS

METRICS_TOKEN = "what-prometheus-sends"
QUICK_HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
"""What argon2 costs in earnest is not for tests to pay."""


def services_on(pool: Pool) -> Services:
    """What an API process has, on this pool; with a store of its own, as no two processes share one."""
    return Services(
        pool=pool,
        store=EventStore(pool, ROWS),
        box=SecretBox(bytes(range(32))),
        allow_private_webhooks=True,
        hasher=QUICK_HASHER,
    )


@contextmanager
def serving(
    services: Services, *, rate_limits: bool = False, metrics_token: str | None = METRICS_TOKEN, **more: Any
) -> Iterator[str]:
    """The address of a running server, such as ``http://127.0.0.1:40123``; stopped and closed at the end."""
    running = server(create_app(services, rate_limits=rate_limits, metrics_token=metrics_token, **more))
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        thread = threading.Thread(target=running.run, args=([listening],), name="api")
        thread.start()
        try:
            deadline = time.monotonic() + 30
            while not running.started:
                assert thread.is_alive(), "the server ended before it had started"
                assert time.monotonic() < deadline, "the server does not start"
                time.sleep(0.01)
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            running.should_exit = True
            thread.join(30)
            assert not thread.is_alive(), "the server does not stop"


def metrics(http: httpx.Client) -> list[str]:
    """The lines of what the API measures."""
    answer = http.get("/metrics", headers={"authorization": f"Bearer {METRICS_TOKEN}"})
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()
