"""The last step of building tables anew beside the live ones: catching up, and swapping when little is left."""

from __future__ import annotations

import time
from collections.abc import Callable

import psycopg

from eventstore.database import Db


def swap(
    conn: Db, catch_up: Callable[[], int], lock: Callable[[], None], change: Callable[[], None], little: int
) -> None:
    """Catches up with what was written meanwhile; locks when no more than ``little`` was left, and changes the tables.

    Whoever waits for the lock makes others wait: so not for long, rather again.
    """
    while True:
        while catch_up() > little:
            continue
        try:
            with conn.transaction():
                conn.execute("SET LOCAL lock_timeout = '2s'")
                lock()
                catch_up()
                change()
        except psycopg.errors.LockNotAvailable:
            time.sleep(1)
        else:
            return
