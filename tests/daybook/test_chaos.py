"""What was acknowledged is kept, and what happened is told, however the processes die."""

from __future__ import annotations

import signal
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

import httpx
import psutil
import pytest
from standardwebhooks import Webhook

from tests.daybook.serving import Served

CLIENTS = 6
PER_CLIENT = 40
KILLS = ("api", "worker", "api", "worker")


class Receiver(ThreadingHTTPServer):
    """Takes webhooks, checks their signatures, and remembers them by id."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.secret = ""
        self.seen: Counter[str] = Counter()
        self.contacts: set[str] = set()
        self.wrong: list[str] = []
        self.lock = threading.Lock()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/hook"


class _Handler(BaseHTTPRequestHandler):
    server: Receiver
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        with self.server.lock:
            try:
                found = Webhook(self.server.secret).verify(body, dict(self.headers.items()))
                self.server.seen[self.headers["webhook-id"]] += 1
                self.server.contacts.add(found["subject"]["id"])
            except Exception as error:  # noqa: BLE001 - whatever is wrong with it fails the test
                self.server.wrong.append(repr(error))
        self.send_response(204)
        self.send_header("content-length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Nothing to the terminal."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def create_until_acknowledged(served: Served, number: int) -> str:
    """Creates a contact as a careful client does: under one key, again and again until it has an answer."""
    key = {"Idempotency-Key": str(uuid4()), "Authorization": f"Bearer {served.credentials['apiKey']}"}
    url = f"{served.credentials['url']}/api/v1/contacts"
    deadline = time.monotonic() + 60
    while True:
        try:
            answer = httpx.post(url, json={"email": f"c{number}@example.com"}, headers=key, timeout=10)
            if answer.status_code == 201:
                found: str = answer.json()["data"]["id"]
                return found
            assert answer.status_code == 503, answer.text
        except httpx.TransportError:
            pass
        assert time.monotonic() < deadline
        time.sleep(0.05)


def kill_in_turn(served: Served, done: threading.Event) -> None:
    assert served.process is not None
    for name in KILLS:
        if done.wait(0.7):
            return
        for child in psutil.Process(served.process.pid).children():
            if child.cmdline()[-1] == name:
                child.send_signal(signal.SIGKILL)


def test_kill_minus_nine_loses_no_acknowledged_command_and_no_webhook(served: Served, receiver: Receiver) -> None:
    hook = served.request("POST", "/webhooks", json={"url": receiver.url, "events": ["contact.created"]})
    receiver.secret = hook.json()["data"]["secret"]
    done = threading.Event()
    killer = threading.Thread(target=kill_in_turn, args=(served, done))
    killer.start()
    with ThreadPoolExecutor(CLIENTS) as clients:
        numbers = range(CLIENTS * PER_CLIENT)
        acknowledged = list(clients.map(lambda number: create_until_acknowledged(served, number), numbers))
    done.set()
    killer.join()

    entries = served.whole_log()
    assert [entry["seq"] for entry in entries] == list(range(1, len(entries) + 1))
    created = Counter(entry["stream"]["id"] for entry in entries if entry["type"] == "contact.created")
    assert created == Counter(acknowledged)

    events = {entry["id"] for entry in entries if entry["type"] == "contact.created"}
    deadline = time.monotonic() + 60
    while not events <= receiver.seen.keys() and time.monotonic() < deadline:
        time.sleep(0.1)
    assert receiver.wrong == []
    assert receiver.seen.keys() == events
    assert receiver.contacts == set(acknowledged)
    assert served.run("verify").returncode == 0
