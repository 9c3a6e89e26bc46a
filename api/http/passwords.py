"""Where passwords are hashed: in few threads of their own, as each hash takes 64 MiB and a processor for a while."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

from api.http.limits import TooMany

AT_ONCE: Final = max(1, min(4, (os.cpu_count() or 1) // 2))
WAITING: Final = 16
RETRY_SECONDS: Final = 2
"""In which those who wait will have been served."""

T = TypeVar("T")


class Passwords:
    """For one process: ``at_once`` are hashed, ``waiting`` more wait, and who comes then is refused."""

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        self._threads = ThreadPoolExecutor(at_once, thread_name_prefix="passwords")
        self._places = threading.BoundedSemaphore(at_once + waiting)

    async def run(self, work: Callable[..., T], *args: object) -> T:
        """What ``work`` answers, which hashes and does nothing else; raises ``TooMany`` (429) where all places are taken.

        Who goes away meanwhile gives up their place, unless it is being hashed already.
        """
        if not self._places.acquire(blocking=False):
            raise TooMany(RETRY_SECONDS, {})
        future = self._threads.submit(work, *args)
        future.add_done_callback(lambda _: self._places.release())
        return await asyncio.wrap_future(future)
