"""One `serve` at a time on a data directory."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from daybook.embedded.server import EmbeddedServerError


@contextmanager
def lock_data(data: Path) -> Iterator[None]:
    """Hold the data directory (made when missing) for this process; the lock goes with the process, however it ends.

    Raises EmbeddedServerError, naming the process, where another one holds it.
    """
    data.mkdir(mode=0o700, parents=True, exist_ok=True)
    with os.fdopen(os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600), "r+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            holder = lock.read().strip() or "unknown"
            message = f"{data} is in use by another Daybook (process {holder}): stop that one first"
            raise EmbeddedServerError(message) from None
        lock.truncate()
        lock.write(f"{os.getpid()}\n")
        lock.flush()
        yield
