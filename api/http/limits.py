"""Rate limits by plan: so many requests a minute and a second, for a workspace over all API processes."""

from __future__ import annotations

import logging
import threading
import time
from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from application.calling.allowance import take_block
from domain.kernel import Refused
from domain.workspace import Plan
from eventstore.database import Pool, Unavailable

log = logging.getLogger("daybook.api")


@dataclass(frozen=True)
class Limit:
    """Requests a minute, and how many of them may come within one second."""

    minute: int
    second: int


LIMITS: Final[dict[Plan, Limit]] = {
    "free": Limit(60, 10),
    "starter": Limit(60, 10),
    "standard": Limit(300, 30),
    "premium": Limit(1000, 100),
    "enterprise": Limit(60_000, 2_000),
}
"""Free, Pro (standard) and Business (premium) as documented; enterprise is for installations of one's own."""

BLOCKS: Final = 20
"""A process takes a minute's allowance from the shared count in this many blocks, not one by one."""


class TooMany(Refused):
    """``retry_after``: seconds until the next request is accepted."""

    def __init__(self, retry_after: int, headers: dict[str, str]) -> None:
        super().__init__("rate_limited", f"Too many requests; try again in {retry_after} s.")
        self.headers = {**headers, "retry-after": str(retry_after)}


@dataclass
class _Window:
    """What this process has taken and used of a workspace's minute and second."""

    minute: int
    taken: int = 0
    used: int = 0
    exhausted: bool = False
    others: int = 0
    second: int = 0
    in_second: int = 0
    leasing: threading.Lock = field(default_factory=threading.Lock)
    """Held by the thread that waits for the next block."""


class RateLimiter:
    """Counts requests; thread-safe. The minute is shared through Postgres in blocks, the second is this process's own."""

    def __init__(self, pool: Pool, *, enabled: bool = True) -> None:
        self._pool = pool
        self._enabled = enabled
        self._windows: dict[UUID, _Window] = {}
        self._lock = threading.Lock()

    def take(self, workspace_id: UUID, plan: Plan, *, lease: bool = True) -> dict[str, str] | None:
        """Counts one request and answers the ``RateLimit`` headers; raises ``TooMany`` (429).

        Without ``lease`` it never waits for the database: ``None`` then says that the next block must be taken first.
        """
        if not self._enabled:
            return {}
        limit = LIMITS[plan]
        while (headers := self._taken(workspace_id, limit)) is None and lease:
            self._lease(workspace_id, limit)
        return headers

    def _taken(self, workspace_id: UUID, limit: Limit) -> dict[str, str] | None:
        """Counts one request of those that this process has; ``None`` where it must take more first."""
        now = time.time()
        with self._lock:
            window = self._window(workspace_id, int(now))
            if window.in_second >= limit.second:
                raise TooMany(1, self._headers(limit, window, now))
            if window.used >= window.taken and not window.exhausted:
                return None
            if window.used >= window.taken:
                raise TooMany(60 - int(now) % 60, self._headers(limit, window, now))
            window.used += 1
            window.in_second += 1
            return self._headers(limit, window, now)

    def _window(self, workspace_id: UUID, now: int) -> _Window:
        window = self._windows.get(workspace_id)
        if window is None or window.minute != now // 60:
            if len(self._windows) > 10_000:
                self._windows = {key: old for key, old in self._windows.items() if old.minute == now // 60}
            window = self._windows[workspace_id] = _Window(minute=now // 60)
        if window.second != now:
            window.second, window.in_second = now, 0
        return window

    def _lease(self, workspace_id: UUID, limit: Limit) -> None:
        """Takes the next block of the minute's allowance, unless another thread just has; when the database is away,
        requests are let through to it. Only threads of the same workspace wait for one another meanwhile.
        """
        block = max(1, limit.minute // BLOCKS)
        with self._lock:
            window = self._window(workspace_id, int(time.time()))
        with window.leasing:
            if window.used < window.taken or window.exhausted:
                return
            try:
                all_taken = take_block(self._pool, workspace_id, window.minute, block)
            except Unavailable:
                with self._lock:
                    window.taken += 1
                return
            with self._lock:
                self._add(limit, window, block, all_taken)

    def _add(self, limit: Limit, window: _Window, block: int, all_taken: int) -> None:
        over = max(0, all_taken - limit.minute)
        window.taken += max(0, block - over)
        window.exhausted = over > 0
        window.others = all_taken - window.taken

    def _headers(self, limit: Limit, window: _Window, now: float) -> dict[str, str]:
        left = max(0, limit.minute - max(0, window.others) - window.used)
        return {
            "ratelimit-policy": f'"minute";q={limit.minute};w=60, "second";q={limit.second};w=1',
            "ratelimit": f'"minute";r={left};t={60 - int(now) % 60}',
        }
