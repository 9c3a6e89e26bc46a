"""An installation for worker tests: a database and a NATS of its own, and workers in threads or processes."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar
from uuid import UUID

import nats
from nats.errors import TimeoutError as NatsTimeoutError
from nats.js.errors import NotFoundError

from daybook.embedded import EmbeddedNats
from domain.contact import CONTACT, CreateContact
from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from eventstore.work import Work
from schemas.log import Actor
from workers.running.broker import STREAM, Broker, Connection
from workers.running.context import WorkerConfig, WorkerContext, open_context

T = TypeVar("T")

Loop = Callable[[WorkerContext], Awaitable[None]]

PROCESS = """
import asyncio, json, logging, sys
from functools import partial
from workers.catalogue import WORKERS
from workers.relay import relay
from workers.running import lease, runner
from workers.running.context import WorkerConfig
database_url, nats_url, names, poll, idle = json.loads(sys.argv[1])
logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s", stream=sys.stdout)
lease.IDLE_SECONDS = idle
workers = {**WORKERS, "relay": {"relay": partial(relay.run, poll=poll)}}
asyncio.run(runner.run(WorkerConfig(database_url, nats_url, bytes(32)), workers, names))
print("ended in good order", flush=True)
"""


@dataclass(frozen=True)
class Stored:
    """A message as the stream has it."""

    id: str
    subject: str
    headers: dict[str, str]
    entry: dict[str, Any]


@dataclass
class Installation:
    owner: Db
    store: EventStore
    config: WorkerConfig
    nats: EmbeddedNats

    def workspace(self) -> UUID:
        workspace_id = new_id()
        self.owner.execute("INSERT INTO log_heads (workspace_id) VALUES (%s)", (workspace_id,))
        return workspace_id

    def commit(self, workspace_id: UUID, times: int = 1, events: int = 1, *, store: EventStore | None = None) -> None:
        """Units of work, one after the other, of so many events each; through another store than ours: with its nudge."""

        def work(unit: Work) -> None:
            for _ in range(events):
                tag_id = new_id()
                unit.begin(TAG, tag_id, CreateTag(name=f"tag {tag_id}"))

        for _ in range(times):
            (store or self.store).run(Origin(workspace_id, Actor(type="system")), work)

    def import_contacts(self, workspace_id: UUID, count: int) -> None:
        """Many events in one commit."""

        def work(unit: Work) -> None:
            for number in range(count):
                unit.begin(CONTACT, new_id(), CreateContact(first_name=f"Ada {number}", company="Analytical Engines"))

        self.store.run(Origin(workspace_id, Actor(type="system")), work, bulk=True)

    def stream(self) -> list[Stored]:
        """All that is in the stream, in its order."""
        return asyncio.run(stored(self.config.nats_url))

    def after_publishing(self, count: int, act: Callable[[], None]) -> None:
        """Acts the moment that so many more messages were published."""
        asyncio.run(_after_publishing(self.nats.url, count, act))

    def of(self, workspace_id: UUID) -> list[Stored]:
        return stored_of(workspace_id, self.stream())

    def event_ids(self, workspace_id: UUID) -> list[str]:
        """Of the events that the log has, in its order."""
        query = "SELECT event_id FROM events WHERE workspace_id = %s ORDER BY seq"
        return [str(row[0]) for row in self.owner.execute(query, (workspace_id,))]

    def checkpoint(self, workspace_id: UUID) -> int:
        query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = 'relay'"
        row = self.owner.execute(query, (workspace_id,)).fetchone()
        return row[0] if row else 0

    def head(self, workspace_id: UUID) -> int:
        row = self.owner.execute("SELECT seq FROM log_heads WHERE workspace_id = %s", (workspace_id,)).fetchone()
        assert row is not None
        return int(row[0])

    def wait_for_relay(self, *workspaces: UUID, seconds: float = 20.0) -> None:
        """Until all that these workspaces have committed is published."""
        for workspace_id in workspaces:
            head = self.head(workspace_id)
            eventually(partial(self._is_at, workspace_id, head), seconds)

    def _is_at(self, workspace_id: UUID, seq: int) -> bool:
        return self.checkpoint(workspace_id) == seq

    def is_complete(self, *workspaces: UUID) -> bool:
        """Whether the stream has each of these workspaces' events once, and in order of ``seq``."""
        stream = self.stream()
        for workspace_id in workspaces:
            if [found.id for found in stored_of(workspace_id, stream)] != self.event_ids(workspace_id):
                return False
        return True


def stored_of(workspace_id: UUID, stream: Sequence[Stored]) -> list[Stored]:
    return [stored for stored in stream if stored.subject.startswith(f"daybook.{workspace_id}.")]


def eventually(condition: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"did not come true within {seconds:.0f} s"
        time.sleep(0.01)


def on_nats(installation: Installation, act: Callable[[Connection], Awaitable[T]]) -> T:
    """Does something over a connection as workers have it."""

    async def main() -> T:
        async with Broker(installation.nats.url) as broker:
            return await act(await broker.connected())

    return asyncio.run(main())


@contextmanager
def running(config: WorkerConfig, *loops: Loop) -> Iterator[WorkerContext]:
    """Loops on an event loop in a thread; told to stop at the end, and given 10 s to do so."""
    started = threading.Event()
    made: list[tuple[WorkerContext, asyncio.AbstractEventLoop]] = []

    async def main() -> None:
        stop = asyncio.Event()
        async with open_context(config, stop) as context:
            made.append((context, asyncio.get_running_loop()))
            started.set()
            await asyncio.gather(*(loop(context) for loop in loops))

    with ThreadPoolExecutor(1) as executor:
        future = executor.submit(asyncio.run, main())
        assert started.wait(10)
        context, event_loop = made[0]
        try:
            yield context
        finally:
            if not future.done():
                event_loop.call_soon_threadsafe(context.stop.set)
            future.result(10)


@dataclass
class WorkerProcess:
    """A worker as an operating system process, and what it logs."""

    process: subprocess.Popen[str]
    lines: list[str] = field(default_factory=list)

    def says(self, text: str) -> bool:
        return any(text in line for line in self.lines)

    def read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip())


@contextmanager
def worker_process(
    config: WorkerConfig, names: Sequence[str] = ("relay",), *, poll: float = 0.5, idle: float = 6
) -> Iterator[WorkerProcess]:
    """``daybook worker`` in a process of its own; killed at the end where it still runs."""
    settings = json.dumps([config.database_url, config.nats_url, list(names), poll, idle])
    with subprocess.Popen(
        [sys.executable, "-W", "error", "-c", PROCESS, settings],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as process:
        worker = WorkerProcess(process)
        reader = threading.Thread(target=worker.read)
        reader.start()
        try:
            yield worker
        finally:
            process.kill()
            reader.join()


async def stored(url: str) -> list[Stored]:
    """All that is in the stream of this NATS, in its order."""
    async with await nats.connect(url.split(",")) as client:
        js = client.jetstream()
        try:
            left = (await js.stream_info(STREAM)).state.messages
        except NotFoundError:
            return []
        found: list[Stored] = []
        subscription = await js.subscribe("daybook.>", ordered_consumer=True)
        while len(found) < left:
            try:
                message = await subscription.next_msg(timeout=5)
            except NatsTimeoutError as error:
                raise AssertionError(f"the stream gave {len(found)} of {left} messages") from error
            headers = message.headers or {}
            found.append(Stored(headers["Nats-Msg-Id"], message.subject, headers, json.loads(message.data)))
        await subscription.unsubscribe()
        return found


async def _after_publishing(url: str, count: int, act: Callable[[], None]) -> None:
    reached = asyncio.Event()
    left = count

    async def received(_: object) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            act()
            reached.set()

    async with await nats.connect(url) as client:
        await client.subscribe("daybook.>", cb=received)
        await client.flush()
        async with asyncio.timeout(20):
            await reached.wait()
