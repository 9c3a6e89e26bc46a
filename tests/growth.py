"""How time grows with what is looked at: CPU time of this thread, at a size and at double that."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

MOST = 2.5
"""Times the time that double the input may take: twice, and what a shared machine adds."""
SHORTEST = 0.01
"""Seconds; what takes less is not worth comparing."""
BEYOND_CHANCE = 3.5
"""Times the time that no busy machine makes of twice: three tries are enough to tell."""
_TRIES = 15


def taken(run: Callable[[], object]) -> float:
    """Seconds of CPU, once."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        started = time.thread_time()
        run()
        return time.thread_time() - started
    finally:
        if enabled:
            gc.enable()


def growth(run: Callable[[int], Callable[[], object]], size: int) -> float:
    """Times the time that ``run`` takes for double the size, at best; 0 where that is too short to tell.

    ``run`` prepares the input of a size, and answers what is to be measured.
    """
    once, double = run(size), run(2 * size)
    single = paired = float("inf")
    for tries in range(_TRIES):
        single, paired = min(single, taken(once)), min(paired, taken(double))
        settled = tries > 1 and paired > BEYOND_CHANCE * single
        if settled or paired < SHORTEST or paired <= MOST * single:
            break
    return 0.0 if paired < SHORTEST else paired / single


def is_linear(run: Callable[[int], Callable[[], object]], largest: int) -> bool:
    """Whether double the input takes at most ``MOST`` times as long: small ones first, so that what is not ends soon."""
    size = 512
    while size < largest:
        if growth(run, size) > MOST:
            return False
        size *= 8
    return growth(run, largest) <= MOST
