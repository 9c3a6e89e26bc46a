"""The worker process: runs loops by name, restarts those that fail, and ends them all in good order."""

from __future__ import annotations

import asyncio
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from prometheus_client import Counter, start_http_server

from workers.running.context import WorkerConfig, WorkerContext, open_context
from workers.running.waiting import Backoff, pause

Loop = Callable[[WorkerContext], Awaitable[None]]

GRACE_SECONDS: Final = 15.0
"""What loops are given to finish what is in hand."""
STEADY_SECONDS: Final = 30.0
"""A loop that ran for so long is restarted without delay."""

RESTARTS: Final = Counter("daybook_worker_restarts", "Loops that failed and were started again.", ["loop"])

logger = logging.getLogger("daybook.worker")


async def run(config: WorkerConfig, workers: Mapping[str, Mapping[str, Loop]], names: Sequence[str] = ()) -> None:
    """Runs the named workers (without a name: all) until SIGTERM or SIGINT; raises ``ValueError`` for an unknown name."""
    unknown = [name for name in names if name not in workers]
    if unknown:
        raise ValueError(f"no such worker: {', '.join(unknown)}; there are {', '.join(workers)}")
    loops = {name: loop for worker in names or workers for name, loop in workers[worker].items()}
    stop = asyncio.Event()
    # The pool says at every attempt that Postgres cannot be reached; the loops say it once.
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    with _signals(stop), _metrics(config):
        async with open_context(config, stop) as context:
            logger.info("running %s", ", ".join(loops))
            await _run_all(context, loops)
    logger.info("stopped")


async def _run_all(context: WorkerContext, loops: Mapping[str, Loop]) -> None:
    tasks = [asyncio.create_task(_supervise(name, loop, context), name=name) for name, loop in loops.items()]
    try:
        await context.stop.wait()
        _, late = await asyncio.wait(tasks, timeout=GRACE_SECONDS)
        for task in late:
            logger.warning("%s is cut off: it did not finish within %.0f s", task.get_name(), GRACE_SECONDS)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _supervise(name: str, loop: Loop, context: WorkerContext) -> None:
    """Runs a loop until it is told to stop, and again whenever it ends before."""
    backoff = Backoff(longest=10.0)
    while not context.stop.is_set():
        started = time.monotonic()
        try:
            await loop(context)
        except Exception:
            logger.exception("%s failed", name)
        if context.stop.is_set():
            return
        if time.monotonic() - started >= STEADY_SECONDS:
            backoff.reset()
        RESTARTS.labels(name).inc()
        seconds = backoff.next()
        logger.warning("%s ended; starting it again in %.1f s", name, seconds)
        await pause(context.stop, seconds)


@contextmanager
def _signals(stop: asyncio.Event) -> Iterator[None]:
    loop = asyncio.get_running_loop()
    numbers = (signal.SIGTERM, signal.SIGINT)
    for number in numbers:
        loop.add_signal_handler(number, stop.set)
    try:
        yield
    finally:
        for number in numbers:
            loop.remove_signal_handler(number)


@contextmanager
def _metrics(config: WorkerConfig) -> Iterator[None]:
    if config.metrics_port is None:
        yield
        return
    server, thread = start_http_server(config.metrics_port, config.metrics_host)
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
