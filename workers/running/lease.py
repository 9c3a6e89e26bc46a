"""Leases: of all processes one at a time does a piece of work, and another takes over within seconds when it is gone."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any, Final

import psycopg
from psycopg import AsyncConnection

from eventstore.patience import within_time
from workers.running.ending import end
from workers.running.waiting import Backoff, pause

RETRY_SECONDS: Final = 0.5
BEAT_SECONDS: Final = 1.0
BEAT_TIMEOUT_SECONDS: Final = 3.0
IDLE_SECONDS: Final = 6
"""How long Postgres waits for a holder that says nothing (frozen, or cut off) before it takes the lease away."""

logger = logging.getLogger("daybook.lease")


class LeaseLostError(Exception):
    """The connection that holds the lease is gone, and the lease with it."""


async def hold(url: str, key: int, name: str, work: Callable[[], Awaitable[None]], stop: asyncio.Event) -> None:
    """Runs ``work`` whenever this process has the lease, and cancels it at once when the lease is lost.

    The lease is a Postgres advisory lock, held by a connection of its own. Returns when ``work`` does, or on ``stop``.
    """
    backoff = Backoff(longest=2.0)
    complained = False
    while not stop.is_set():
        try:
            async with await _connect(url, name) as conn:
                complained = False
                backoff.reset()
                if await _taken(conn, key, stop):
                    logger.info("this process has the lease of the %s", name)
                    await _guarded(conn, work)
                    return
        except LeaseLostError as error:
            logger.warning("lost the lease of the %s: %s", name, error)
        except (psycopg.OperationalError, OSError) as error:
            if not complained:
                complained = True
                logger.warning("no lease for the %s, trying on: %s", name, error)
        await pause(stop, backoff.next())


async def _connect(url: str, name: str) -> AsyncConnection[Any]:
    return await AsyncConnection.connect(
        within_time(url),
        autocommit=True,
        application_name=f"daybook {name} lease",
    )


async def _taken(conn: AsyncConnection[Any], key: int, stop: asyncio.Event) -> bool:
    """Waits for the lease; false when asked to stop."""
    await conn.execute(f"SET idle_session_timeout = '{IDLE_SECONDS}s'".encode())
    while not stop.is_set():
        cursor = await conn.execute("SELECT pg_try_advisory_lock(%s)", (key,))
        if await cursor.fetchone() == (True,):
            return True
        await pause(stop, RETRY_SECONDS)
    return False


async def _guarded(conn: AsyncConnection[Any], work: Callable[[], Awaitable[None]]) -> None:
    working = asyncio.ensure_future(work())
    beating = asyncio.create_task(_beat(conn))
    try:
        await asyncio.wait({working, beating}, return_when=asyncio.FIRST_COMPLETED)
        if not working.done():
            error = beating.exception()
            raise LeaseLostError(str(error) or type(error).__name__)
        await working
    finally:
        await end({working, beating})


async def _beat(conn: AsyncConnection[Any]) -> None:
    """Ends, by an exception, when the connection does: at once when it is closed, in seconds when it goes silent."""
    while True:
        async for _ in conn.notifies(timeout=BEAT_SECONDS):
            pass  # none is asked for: this waits for the connection to break
        async with asyncio.timeout(BEAT_TIMEOUT_SECONDS):
            await conn.execute("SELECT 1")
