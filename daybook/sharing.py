"""Processes that build a table together: what folding takes is mostly Python, which is one core's work in one process."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor, as_completed
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager
from functools import partial
from multiprocessing import get_context, parent_process
from typing import Any, Final

from daybook.collector import spare_the_collector
from eventstore.database import Db
from eventstore.mapper import SHARED
from eventstore.migrate import MigrationError, connect
from projections.catalogue import TABLES
from projections.table.parts import Copied, Part, Share, copy
from projections.table.rows import RowTable

NICENESS: Final = 5
"""Requests come first, where the service runs on the same machine."""


@contextmanager
def sharing(url: str, processes: int) -> Iterator[Share | None]:
    """So many processes for the tables of the catalogue, on the owner's connections; they start when there is much to do, and end here.

    With less than two, nobody shares anything.
    """
    if processes < 2:
        yield None
        return
    # Not forked: libpq's connections are none that two processes can have.
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin, initargs=(url,))
    try:
        yield partial(_shared, pool)
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _shared(
    pool: ProcessPoolExecutor, table: RowTable[Any], into: str, batches: Iterable[Sequence[Part]]
) -> Iterator[Copied]:
    """Each batch by one of the processes; of those that nobody has begun when one fails, none is begun."""
    copying: list[Future[list[Copied]]] = []
    try:
        copying += [pool.submit(_copied, table.name, into, batch) for batch in batches]
        for future in as_completed(copying):
            yield from future.result()
    except BrokenProcessPool:
        raise MigrationError(
            f"a process that was building {table.name} has ended before its time; nothing has changed"
        ) from None
    finally:
        for future in copying:
            future.cancel()


_connections: list[Db] = []
_BY_NAME: Final = {table.name: table for table in TABLES}


def _begin(url: str) -> None:
    """In each process, before anything else."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C reaches all of them, and the first says what becomes of it
    threading.Thread(target=_end_with_parent, name="watch-parent", daemon=True).start()
    os.nice(NICENESS)
    spare_the_collector()
    _connections[:] = [connect(url), connect(url)]


def _end_with_parent() -> None:
    """However that ends: nobody is there then who would put the table anywhere."""
    parent = parent_process()
    assert parent is not None
    parent.join()
    os._exit(1)


def _copied(name: str, into: str, batch: Sequence[Part]) -> list[Copied]:
    reader, writer = _connections
    return [copy(reader, writer, _BY_NAME[name], into, part, SHARED) for part in batch]
