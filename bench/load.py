"""The load generator: a process of its own that sends prebuilt requests over kept-alive connections, as fast as they are answered.

It reads one ``Job`` from standard input and writes one ``Outcome`` to standard output.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections import Counter
from time import perf_counter
from typing import Any, Final

import msgspec
import uvloop

UNIQUE: Final = b"<unique 16 hex.>"
"""Where this stands in a request, a number comes that no other request has: 16 hexadecimal digits."""

_LENGTH: Final = b"content-length: "


class Job(msgspec.Struct):
    """``requests`` are sent in turn; for ``seconds``, or ``count`` of them in all when that is given."""

    host: str
    port: int
    connections: int
    requests: list[bytes]
    seconds: float = 0.0
    count: int = 0
    first: int = 0
    """The first unique number."""


class Outcome(msgspec.Struct):
    """``latencies`` are seconds, in ascending order; ``strange`` is the first answer that was not a success."""

    seconds: float
    latencies: list[float]
    statuses: dict[int, int]
    strange: bytes | None = None

    @property
    def count(self) -> int:
        return len(self.latencies)

    @property
    def per_second(self) -> float:
        return self.count / self.seconds

    def percentile(self, percent: float) -> float:
        return self.latencies[min(self.count - 1, int(self.count * percent / 100))]


class LoadError(Exception):
    """The server answered something else than was to be measured."""


def request(method: str, path: str, key: str, body: bytes = b"") -> bytes:
    """A request as it goes over the wire; body and path may have a place for a unique number."""
    lines = [f"{method} {path} HTTP/1.1", "host: bench", f"authorization: Bearer {key}"]
    if body:
        lines += ["content-type: application/json", f"content-length: {len(body)}"]
    return "\r\n".join([*lines, "", ""]).encode() + body


def run(job: Job) -> Outcome:
    """Runs the job in a process of its own. Raises ``LoadError`` unless every answer was a success."""
    done = subprocess.run(
        [sys.executable, "-m", "bench.load"], input=msgspec.msgpack.encode(job), stdout=subprocess.PIPE, check=True
    )
    outcome = msgspec.msgpack.decode(done.stdout, type=Outcome)
    if outcome.strange is not None:
        raise LoadError(f"{outcome.statuses}: {outcome.strange[:500].decode(errors='replace')}")
    return outcome


class _Generator:
    """What the connections share: whose turn it is, and what came of it."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.sent = 0
        self.latencies: list[float] = []
        self.statuses: Counter[int] = Counter()
        self.strange: bytes | None = None
        self.deadline = float("inf")

    def next(self) -> bytes | None:
        """The next request; ``None`` when that is all."""
        job = self.job
        if self.strange is not None or (self.sent >= job.count if job.count else perf_counter() >= self.deadline):
            return None
        number, self.sent = self.sent, self.sent + 1
        return job.requests[number % len(job.requests)].replace(UNIQUE, b"%016x" % (job.first + number))

    async def run(self) -> Outcome:
        loop = asyncio.get_running_loop()
        connections = [
            (await loop.create_connection(lambda: _Connection(self), self.job.host, self.job.port))[1]
            for _ in range(self.job.connections)
        ]
        started = perf_counter()
        if not self.job.count:
            self.deadline = started + self.job.seconds
        for connection in connections:
            connection.send()
        await asyncio.gather(*(connection.done for connection in connections))
        seconds = perf_counter() - started
        return Outcome(seconds, sorted(self.latencies), dict(self.statuses), self.strange)


class _Connection(asyncio.Protocol):
    """One request after the other."""

    def __init__(self, generator: _Generator) -> None:
        self._generator = generator
        self._transport: Any = None
        self._received = b""
        self._sent_at = 0.0
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: Any) -> None:  # uvloop's are no asyncio.Transport
        self._transport = transport

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.done.done():
            self._generator.strange = self._generator.strange or f"connection lost: {exc}".encode()
            self.done.set_result(None)

    def send(self) -> None:
        wanted = self._generator.next()
        if wanted is None:
            self.done.set_result(None)
            self._transport.close()
            return
        self._sent_at = perf_counter()
        self._transport.write(wanted)

    def data_received(self, data: bytes) -> None:
        received = self._received = self._received + data if self._received else data
        head = received.find(b"\r\n\r\n")
        if head < 0 or len(received) < head + 4 + _content_length(received, head):
            return
        self._received = b""
        generator = self._generator
        generator.latencies.append(perf_counter() - self._sent_at)
        status = int(received[9:12])
        generator.statuses[status] += 1
        if not 200 <= status < 300:
            generator.strange = received
        self.send()


def _content_length(received: bytes, head: int) -> int:
    start = received.find(_LENGTH, 0, head)
    return int(received[start + len(_LENGTH) : received.find(b"\r\n", start)]) if start >= 0 else 0


def main() -> None:
    job = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Job)
    outcome = uvloop.run(_Generator(job).run())
    sys.stdout.buffer.write(msgspec.msgpack.encode(outcome))


if __name__ == "__main__":
    main()
