"""Webhooks: how soon the first byte is at the receiver, what a delivery costs, and what a dead endpoint costs the others."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import urllib.request
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime

from aiohttp import web

from bench.figure import Figure, budget, rate
from bench.scale import Scale
from bench.stack import Api, Entry, Stack
from domain.contact import CONTACT, CreateContact
from eventstore.ids import new_id

IDLE_EVENTS = 40
WAIT_SECONDS = 120.0
DELIVERING = ("relay", "webhooks")
"""The workers that a delivery takes; what views take of an event is measured by itself."""


class Receiver:
    """Answers at once and notes when each event came, by path; ``/dead/…`` takes the request and never answers."""

    def __init__(self) -> None:
        self.port = 0
        self.delays: dict[str, list[float]] = defaultdict(list)
        self.count = 0

    async def take(self, request: web.Request) -> web.Response:
        came = time.time()
        if request.path.startswith("/dead"):
            await asyncio.sleep(3600)
        event = json.loads(await request.read())
        self.delays[request.path].append(came - datetime.fromisoformat(event["timestamp"]).timestamp())
        self.count += 1
        return web.Response(status=204)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}{path}"

    def wait_for(self, count: int) -> None:
        deadline = time.monotonic() + WAIT_SECONDS
        while self.count < count:
            if time.monotonic() > deadline:
                raise RuntimeError(f"{self.count} of {count} webhooks came")
            time.sleep(0.005)


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    with receiving() as receiver, stack.api() as api:
        idle, busy, crowd = stack.enter(3)
        with stack.worker():
            _subscribe(api, idle, receiver.url("/idle"))
            for number in range(IDLE_EVENTS):
                _post(api, idle, "/contacts", {"firstName": f"N{number}"})
                receiver.wait_for(number + 1)
                time.sleep(0.05)
            alone, beside = _with_a_dead_one(api, crowd, receiver, scale)
        with stack.worker(*DELIVERING) as worker:
            _subscribe(api, busy, receiver.url("/busy"))
            _deliver(stack, busy, receiver, scale.deliveries // 10)  # warms up
            with stack.meter(worker=worker).measured() as spent:
                _deliver(stack, busy, receiver, scale.deliveries)
    cost = spent[0].cpu
    remark = ", ".join(f"{name} {seconds / scale.deliveries * 1000:.2f} ms" for name, seconds in cost.items())
    return [
        budget("commit to first webhook byte, idle, p50", _p50(receiver.delays["/idle"]) * 1000, "ms", 30),
        rate("webhook deliveries", scale.deliveries / spent[0].total, "/CPU s", 500, details=cost, remark=remark),
        Figure(
            f"p50 beside a dead endpoint among {scale.endpoints}", beside * 1000, "ms", "without it", alone * 1000, 1.1
        ),
    ]


def _with_a_dead_one(api: Api, entry: Entry, receiver: Receiver, scale: Scale) -> tuple[float, float]:
    """The p50 of the living endpoints' delays, first without and then with a dead one among them, in seconds."""
    living = [f"/crowd/{number}" for number in range(scale.endpoints - 1)]
    for path in living:
        _subscribe(api, entry, receiver.url(path))
    found = []
    for dead in (False, True):
        if dead:
            _subscribe(api, entry, receiver.url("/dead"))
            before = receiver.count
            _post(api, entry, "/contacts", {"firstName": "Hanging"})
            receiver.wait_for(before + len(living))  # by now the dead one hangs
        for path in living:
            receiver.delays[path].clear()
        for _ in range(5):
            before = receiver.count
            for number in range(4):
                _post(api, entry, "/contacts", {"firstName": f"N{number}"})
            receiver.wait_for(before + 4 * len(living))
        found.append(_p50([delay for path in living for delay in receiver.delays[path]]))
    return found[0], found[1]


def _deliver(stack: Stack, entry: Entry, receiver: Receiver, count: int) -> None:
    before = receiver.count
    _create(stack, entry, count)
    receiver.wait_for(before + count)


def _create(stack: Stack, entry: Entry, count: int) -> None:
    """Contacts in one unit of work. Nothing nudges the relay, which looks by itself twice a second."""
    done = stack.services.store.run(
        entry.caller.origin(),
        lambda unit: [unit.begin(CONTACT, new_id(), CreateContact(first_name=f"N{n}")) for n in range(count)],
        bulk=count > 1,
    )
    assert done.seq is not None


def _subscribe(api: Api, entry: Entry, url: str) -> None:
    _post(api, entry, "/webhooks", {"url": url, "events": ["contact.created"]})


def _post(api: Api, entry: Entry, path: str, content: dict[str, object]) -> None:
    headers = {"Authorization": f"Bearer {entry.key}", "Content-Type": "application/json"}
    request = urllib.request.Request(api.url + path, json.dumps(content).encode(), headers)
    with urllib.request.urlopen(request, timeout=10) as answer:
        answer.read()


def _p50(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """A receiver on an event loop of its own."""
    receiver = Receiver()
    ready = threading.Event()
    loop = asyncio.new_event_loop()

    async def serve() -> None:
        app = web.Application()
        app.router.add_post("/{path:.*}", receiver.take)
        runner = web.AppRunner(app, shutdown_timeout=0.1)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        receiver.port = runner.addresses[0][1]
        ready.set()
        stop = loop.create_future()
        loop.stopping = stop  # type: ignore[attr-defined]  # set from the other thread below
        await stop
        await runner.cleanup()
        left = asyncio.all_tasks() - {asyncio.current_task()}  # the dead endpoint's
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)

    thread = threading.Thread(target=lambda: loop.run_until_complete(serve()), name="receiver", daemon=True)
    thread.start()
    ready.wait(10)
    try:
        yield receiver
    finally:
        loop.call_soon_threadsafe(lambda: loop.stopping.set_result(None))  # type: ignore[attr-defined]  # set above
        thread.join(10)
        loop.close()
