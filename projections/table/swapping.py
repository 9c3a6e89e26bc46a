"""Tables that are built anew out of sight, and the moment in which they take the place of the live ones.

Who waits for a lock makes all others wait behind it: so the one on the live tables is waited for shortly, but again and
again. A table that is built has no effect but its rows, and none at all before the swap.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import uniform
from typing import Final

from psycopg.errors import LockNotAvailable, QueryCanceled

from eventstore.database import Db, one
from eventstore.migrate import MigrationError, alone
from projections.table.following import TooFarBehindError

SCHEMA: Final = "rebuilding"
"""Where tables are built: the service gets at nothing there."""

TRY_MILLISECONDS: Final = 80
"""For each try: so long others may have to wait behind it, though nothing comes of it."""
PAUSES: Final = (0.3, 0.7)
"""Seconds between two tries, the shortest and the longest; by chance, so that nobody is met in the same place each time."""
TELLING_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 600.0
"""For all tries together."""
LITTLE: Final = 50
"""So many events are few enough to be caught up with while everybody waits."""

Say = Callable[[str], None]

_HOLDERS: Final = """
    SELECT a.pid, a.usename, a.state, extract(epoch FROM now() - a.xact_start)::int
    FROM pg_locks l JOIN pg_stat_activity a ON a.pid = l.pid
    WHERE l.granted AND l.relation = ANY(%s::text[]::regclass[]) AND a.pid <> pg_backend_pid()
    ORDER BY a.xact_start LIMIT 1
"""


class NotSwappedError(MigrationError):
    """Others held the live table all the time; the message says who."""


@contextmanager
def out_of_sight(conn: Db) -> Iterator[None]:
    """Room for tables that are built, by one alone: what others left there goes first, and what is left goes in the end."""
    with alone(conn):
        _clear(conn)
        try:
            yield
        finally:
            if not conn.broken:
                _clear(conn)


def _clear(conn: Db) -> None:
    conn.execute("SELECT clear_rebuilding()")


def swap(
    conn: Db,
    live: Callable[[], Sequence[str]],
    lock: Callable[[Sequence[str]], None],
    catch_up: Callable[[int | None], int],
    change: Callable[[Sequence[str]], None],
    say: Say,
) -> None:
    """Tries until it has the ``live`` tables to itself, and changes them when all that was written is caught up with.

    ``catch_up`` answers how many events that was; given a number, it raises ``TooFarBehindError`` if there are more. Nobody
    waits for it longer than a try takes, or the change. Raises ``NotSwappedError`` when its patience is at an end.
    """
    started = told = time.monotonic()
    while not _tried(conn, live, lock, catch_up, change):
        waited = time.monotonic() - started
        if waited > PATIENCE_SECONDS:
            raise NotSwappedError(f"gave up after {waited:.0f} s: {_holders(conn, live())}; nothing has changed")
        if time.monotonic() - told > TELLING_SECONDS:
            told = time.monotonic()
            say(f"waiting for {waited:.0f} s: {_holders(conn, live())}")
        time.sleep(uniform(*PAUSES))  # noqa: S311 - nobody gains by guessing it


def _tried(
    conn: Db,
    live: Callable[[], Sequence[str]],
    lock: Callable[[Sequence[str]], None],
    catch_up: Callable[[int | None], int],
    change: Callable[[Sequence[str]], None],
) -> bool:
    while catch_up(None) > LITTLE:
        continue
    tables = live()
    try:
        with conn.transaction():
            conn.execute(f"SET LOCAL statement_timeout = {TRY_MILLISECONDS}".encode())
            lock(tables)
            conn.execute("SET LOCAL statement_timeout = 0")
            catch_up(2 * LITTLE)
            change(tables)
    except (QueryCanceled, LockNotAvailable, TooFarBehindError):
        return False
    return True


def lock_tables(conn: Db, tables: Sequence[str]) -> None:
    """Keeps everybody off them.

    Readers too: a unit of work that has read its row would wait to write it, and the swap for the unit to end.
    """
    if tables:
        conn.execute(f"LOCK TABLE {', '.join(tables)} IN ACCESS EXCLUSIVE MODE".encode())


def show(conn: Db, table: str) -> None:
    """Moves a table from where it was built to where it is seen, with its indexes, policies and rights."""
    (schema,) = one(conn, "SELECT current_schema()") or ("public",)
    conn.execute(f"ALTER TABLE {SCHEMA}.{table} SET SCHEMA {schema}".encode())


def _holders(conn: Db, tables: Sequence[str]) -> str:
    row = conn.execute(_HOLDERS, (list(tables),)).fetchone()
    if row is None:
        return f"others hold {', '.join(tables)}"
    pid, user, state, seconds = row
    return f"{', '.join(tables)} is held by session {pid} ({user}, {state}), whose transaction began {seconds} s ago"
