"""Python's collector of cycles, as a process that runs for long is better off with it."""

from __future__ import annotations

import gc


def spare_the_collector() -> None:
    """What was made at start stays to the end: Python need not go through it again and again for cycles to free.

    A list of contacts, or a step of an import, makes thousands of objects and no cycle, which at the usual threshold is
    one collection after the other.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(5_000, 20, 20)
