"""Ending tasks for certain."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Coroutine
from typing import Any, Final

AGAIN_SECONDS: Final = 0.2


async def end(tasks: Collection[asyncio.Task[Any]]) -> None:
    """Cancels until each has ended; what they raise is left to whoever owns them.

    Once is not enough: ``asyncio.wait_for`` of Python 3.11 loses a cancellation that comes at the moment when what it
    waits for is there, and libraries are built on it.
    """
    left = {task for task in tasks if not task.done()}
    while left:
        for task in left:
            task.cancel()
        _, left = await asyncio.wait(left, timeout=AGAIN_SECONDS)


async def first_of(*works: Coroutine[Any, Any, None]) -> None:
    """Does these at once until one of them returns, or raises, and cancels the others."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        await end(tasks)
