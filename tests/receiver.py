"""A receiver of webhooks: a real HTTP server in a thread, whose endpoints answer as a test says and keep what they got."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from standardwebhooks.webhooks import Webhook as Verifier

from eventstore.ids import new_id


@dataclass(frozen=True)
class Got:
    """A request as it came in."""

    at: float
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def event(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.body)
        return found

    def verified(self, secret: str) -> dict[str, Any]:
        """The body, if the signature is right; raises ``WebhookVerificationError``."""
        found: dict[str, Any] = Verifier(secret).verify(self.body, self.headers)
        return found


@dataclass(frozen=True)
class Answer:
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    after: float = 0.0
    body: str = ""


NEVER = Answer(after=3600)
OK = Answer()


@dataclass
class Endpoint:
    """Answers its requests one after the other with ``answers``, and all further ones with the last of them."""

    url: str
    answers: tuple[Answer, ...]
    got: list[Got] = field(default_factory=list)

    @property
    def ids(self) -> list[str]:
        return [got.id for got in self.got]

    @property
    def types(self) -> list[str]:
        return [got.event["type"] for got in self.got]

    def of(self, event_type: str) -> list[Got]:
        return [got for got in self.got if got.event["type"] == event_type]


class Receiver:
    def __init__(self) -> None:
        self.endpoints: dict[str, Endpoint] = {}
        self.port = 0

    def endpoint(self, *answers: Answer) -> Endpoint:
        path = f"/{new_id()}"
        made = Endpoint(f"http://127.0.0.1:{self.port}{path}", answers or (OK,))
        self.endpoints[path] = made
        return made

    async def handle(self, request: web.Request) -> web.Response:
        endpoint = self.endpoints[request.path]
        answer = endpoint.answers[min(len(endpoint.got), len(endpoint.answers) - 1)]
        headers = {name.lower(): value for name, value in request.headers.items()}
        endpoint.got.append(Got(time.time(), headers, await request.read()))
        if answer.after:
            await asyncio.sleep(answer.after)
        return web.Response(status=answer.status, headers=answer.headers, text=answer.body)


@contextmanager
def receiving() -> Iterator[Receiver]:
    receiver = Receiver()
    started = threading.Event()
    made: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        app = web.Application(client_max_size=2**26)
        app.router.add_post("/{name}", receiver.handle)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        receiver.port = runner.addresses[0][1]
        stop = asyncio.Event()
        made.append((asyncio.get_running_loop(), stop))
        started.set()
        await stop.wait()
        await runner.cleanup()

    thread = threading.Thread(target=lambda: asyncio.run(serve()), name="receiver")
    thread.start()
    try:
        assert started.wait(10)
        yield receiver
    finally:
        loop, stop = made[0]
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)
