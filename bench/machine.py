"""What processes cost: CPU time and memory, from the operating system's accounting."""

from __future__ import annotations

import os
import platform
import threading
from collections.abc import Collection, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from time import perf_counter, process_time
from typing import Final

import msgspec
import psutil

from domain.contact import CONTACT, CreateContact

_CONTACT: Final = (
    b'{"firstName":"Sarah","lastName":"Kimberley","email":"sarah@example.com","phone":"+14155552671",'
    b'"company":"Acme Corp","source":"website","customFields":{"plan":"gold"}}'
)


@dataclass(frozen=True)
class Spent:
    """Wall-clock seconds, and CPU seconds by who spent them."""

    seconds: float
    cpu: Mapping[str, float]

    @property
    def total(self) -> float:
        return sum(self.cpu.values())


@dataclass
class Meter:
    """Process trees by name, of which each counts with all that it started, what has ended by now included, but for what
    is counted under a name of its own.
    """

    roots: Mapping[str, psutil.Process]

    def read(self) -> dict[str, float]:
        known = {root.pid for root in self.roots.values()}
        return {name: sum(map(_seconds, _tree(root, known))) for name, root in self.roots.items()}

    @contextmanager
    def measured(self) -> Iterator[list[Spent]]:
        """What is spent inside; the list has it afterwards."""
        found: list[Spent] = []
        before, started = self.read(), perf_counter()
        yield found
        taken, after = perf_counter() - started, self.read()
        found.append(Spent(taken, {name: after[name] - before[name] for name in after}))


def _tree(root: psutil.Process, known: Collection[int]) -> Iterator[psutil.Process]:
    """A process and all that it started, without what is among the ``known``."""
    yield root
    with suppress(psutil.NoSuchProcess):
        for child in root.children():
            if child.pid not in known:
                yield from _tree(child, known)


def _seconds(process: psutil.Process) -> float:
    """User and system time; a parent's accounts have that of the children it collected."""
    with suppress(psutil.NoSuchProcess):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


@dataclass
class PeakMemory:
    """The most resident memory that some processes have had together, in bytes, looked at every few milliseconds."""

    processes: tuple[psutil.Process, ...]
    peak: int = 0
    _done: threading.Event = field(default_factory=threading.Event, repr=False)

    @contextmanager
    def watched(self) -> Iterator[None]:
        watcher = threading.Thread(target=self._watch, name="memory", daemon=True)
        watcher.start()
        try:
            yield
        finally:
            self._done.set()
            watcher.join()

    def _watch(self) -> None:
        while not self._done.wait(0.01):
            with suppress(psutil.NoSuchProcess):
                self.peak = max(self.peak, sum(process.memory_info().rss for process in self.processes))


def work() -> float:
    """CPU microseconds for decoding and encoding a contact, the least of several rounds: a fixed piece of Python's work."""
    decoder = msgspec.json.Decoder(CreateContact)
    least = float("inf")
    for _ in range(10):
        began = process_time()
        for _ in range(2_000):
            event = CONTACT.decide(decoder.decode(_CONTACT), None)[0]
            msgspec.json.encode(CONTACT.evolve(None, event))
        least = min(least, (process_time() - began) / 2_000 * 1e6)
    return least


def description() -> dict[str, object]:
    """The machine, and how busy it is."""
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "cores": psutil.cpu_count(),
        "load": [round(load, 2) for load in os.getloadavg()],
    }
