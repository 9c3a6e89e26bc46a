"""Rebuilding rows while the service goes on and somebody has a transaction open: how long requests are kept waiting."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Final

from bench import load, people
from bench.creating import BODY
from bench.figure import Figure, budget
from bench.load import Job
from bench.scale import Scale
from bench.stack import Api, Entry, Stack
from eventstore.migrate import connect
from projections.contact import CONTACTS

CONNECTIONS: Final = 2
LONGEST_MS: Final = 250
WAITING: Final = "waiting for"
"""What a rebuild says when it has tried for some seconds to have the table to itself."""


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, 2 * scale.contacts):
        continue
    stack.settle()
    latencies: list[float] = []
    with stack.api() as api, connect(stack.owner_url) as other:
        send = partial(_second_of_commands, api, entry, count())
        before = _longest(send())
        began = perf_counter()
        with _rebuilding(stack) as (process, said):
            with other.transaction():
                other.execute(f"SELECT FROM {CONTACTS.table} LIMIT 1".encode())
                while WAITING not in said.read_text() and process.poll() is None:
                    latencies += send()
            while process.poll() is None:
                latencies += send()
        took = perf_counter() - began
    if process.returncode or WAITING not in said.read_text():
        raise RuntimeError(f"the rebuild went otherwise than expected: {said.read_text()}")
    name = f"rebuild: longest answer beside it, {2 * scale.contacts:,} contacts"
    details = {"requests": len(latencies), "seconds": took, "longest_before_ms": before}
    return [budget(name, _longest(latencies), "ms", LONGEST_MS, details=details, remark=f"{before:.0f} before")]


def _second_of_commands(api: Api, entry: Entry, numbers: Iterator[int]) -> list[float]:
    """How long each took, in seconds."""
    request = load.request("POST", "/api/v1/contacts", entry.key, BODY)
    return load.run(Job(api.host, api.port, CONNECTIONS, [request], seconds=1, first=next(numbers) << 32)).latencies


def _longest(latencies: Sequence[float]) -> float:
    return max(latencies) * 1_000


@contextmanager
def _rebuilding(stack: Stack) -> Iterator[tuple[subprocess.Popen[bytes], Path]]:
    """A process that rebuilds the contacts, and the file with what it says; ended at the end, come what may."""
    said = stack.data / "rebuild.log"
    program = [sys.executable, "-m", "daybook", "projections", "rebuild", "contacts"]
    with said.open("wb") as output:
        process = subprocess.Popen(
            program, env={**os.environ, "DATABASE_URL": stack.owner_url}, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield process, said
    finally:
        process.kill()
        process.wait()
