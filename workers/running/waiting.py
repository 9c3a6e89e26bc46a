"""Waiting: for a while, or until asked to stop; and ever longer after each failure in a row."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from dataclasses import dataclass, field


async def pause(stop: asyncio.Event, seconds: float) -> None:
    """Waits for that long, or until ``stop``."""
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await stop.wait()


@dataclass
class Backoff:
    """How long to wait after a failure: twice as long each time, up to ``longest``, with jitter."""

    first: float = 0.1
    longest: float = 5.0
    _next: float = field(default=0.0, init=False)

    def next(self) -> float:
        seconds = self._next or self.first
        self._next = min(2 * seconds, self.longest)
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311 - jitter

    def reset(self) -> None:
        self._next = 0.0
