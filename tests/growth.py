"""How time grows with what is looked at: CPU time of this thread, at a size and at four times that."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable

MOST = 2.5**2
"""Times the time that four times the input may take: what is linear takes four, and a shared machine adds to that."""
SHORTEST = 0.01
"""Seconds; what takes less is not worth comparing."""
BEYOND_CHANCE = 12.0
"""Times the time that no busy machine makes of four: three tries are enough to tell."""
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
    """Times the time that ``run`` takes for four times the size, at best; 0 where that is too short to tell.

    ``run`` prepares the input of a size, and answers what is to be measured.
    """
    once, fourfold = run(size), run(4 * size)
    short = long = float("inf")
    for tries in range(_TRIES):
        short, long = min(short, taken(once)), min(long, taken(fourfold))
        settled = tries > 1 and long > BEYOND_CHANCE * short
        if settled or long < SHORTEST or long <= MOST * short:
            break
    return 0.0 if long < SHORTEST else long / short


def is_linear(run: Callable[[int], Callable[[], object]], largest: int) -> bool:
    """Whether four times the input, up to double the largest, takes at most ``MOST`` times as long.

    Small ones first, so that what is not linear ends soon.
    """
    size = 256
    while size < largest // 2:
        if growth(run, size) > MOST:
            return False
        size *= 8
    return growth(run, largest // 2) <= MOST
