"""Few threads for what takes a processor for a while, so that all other requests are answered meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import TypeVar

from api.http.limits import TooMany

T = TypeVar("T")


class FewThreads:
    """For one process: ``at_once`` pieces of work are done, ``waiting`` more wait, and who comes then is refused."""

    def __init__(self, name: str, *, at_once: int, waiting: int, retry_seconds: int) -> None:
        """``retry_seconds``: in which those who wait will have been served."""
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix=name)
        self._places = threading.BoundedSemaphore(at_once + waiting)
        self._retry_seconds = retry_seconds

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """What ``work`` answers; raises ``TooMany`` (429) where all places are taken.

        Who goes away meanwhile gives up their place, unless it is being worked on already.
        """
        if not self._places.acquire(blocking=False):
            raise TooMany(self._retry_seconds, {})
        future = self._threads.submit(copy_context().run, work, *args)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)
