"""Slows down who guesses: the password of one account, those of many, or which addresses have an account."""

from __future__ import annotations

import ipaddress
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable
from contextlib import suppress
from math import ceil
from typing import Final

from api.http.limits import TooMany

MOST: Final = 50_000
"""So many of each kind are remembered; of more, whoever tried longest ago is forgotten first."""
LONGEST_NAME: Final = 100


class Attempts:
    """So many attempts within so many seconds for each of those who try, in this process. Thread-safe."""

    def __init__(
        self,
        attempts: int,
        seconds: int,
        *,
        most: int = MOST,
        enabled: bool = True,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._attempts = attempts
        self._seconds = seconds
        self._most = most
        self._enabled = enabled
        self._clock = clock
        self._tried: OrderedDict[str, deque[float]] = OrderedDict()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._tried)

    def take(self, who: str) -> None:
        """Counts an attempt; raises ``TooMany`` (429), and then counts none."""
        now = self._clock()
        with self._lock:
            self._check(who, now)
            if self._enabled:
                self._tried.setdefault(who, deque(maxlen=self._attempts)).append(now)
                self._tried.move_to_end(who)
                self._forget(now)

    def check(self, who: str) -> None:
        """Raises ``TooMany`` where there is no attempt left."""
        with self._lock:
            self._check(who, self._clock())

    def _check(self, who: str, now: float) -> None:
        tried = self._tried.get(who)
        if tried is not None and len(tried) == self._attempts and (left := tried[0] + self._seconds - now) > 0:
            raise TooMany(ceil(left), {})

    def _forget(self, now: float) -> None:
        """Those who have all their attempts again, and the oldest of too many: they stand in order of their last ones."""
        while len(self._tried) > self._most or next(iter(self._tried.values()))[-1] < now - self._seconds:
            self._tried.popitem(last=False)


class Guessing:
    """What is counted of those who have no token yet, each a ``client`` as ``client_of`` calls it."""

    def __init__(self, *, enabled: bool = True) -> None:
        self._registering = Attempts(10, 60, enabled=enabled)
        self._taken = Attempts(10, 3600, enabled=enabled)
        self._logging_in = Attempts(30, 60, enabled=enabled)
        self._account = Attempts(10, 60, enabled=enabled)

    def register(self, client: str) -> None:
        """Raises ``TooMany``."""
        self._taken.check(client)
        self._registering.take(client)

    def was_taken(self, client: str) -> None:
        """A registration for an address that has an account: who makes many of them finds out which have. Raises ``TooMany``."""
        self._taken.take(client)

    def log_in(self, client: str, email: str) -> None:
        """``email`` as accounts have it, so that no other spelling of it is another. Raises ``TooMany``."""
        self._logging_in.take(client)
        self._account.take(f"{client} {email}")


def client_of(host: str | None) -> str:
    """Who asks: an IPv4 address, or the network of 64 bits that an IPv6 address is in, as one client has all of it."""
    with suppress(ValueError):
        address = ipaddress.ip_address(host or "")
        if isinstance(address, ipaddress.IPv4Address):
            return str(address)
        if address.ipv4_mapped is not None:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address.packed, 64), strict=False))
    return (host or "unknown")[:LONGEST_NAME]
