"""Whether the database can be worked with: it is there, of this version, keeps tenants apart, and has room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString

from psycopg.errors import DiskFull, InsufficientPrivilege

from eventstore.database import Pool, Unavailable, connection, one

_WRITE: Final[LiteralString] = "CREATE TEMP TABLE room_to_write ON COMMIT DROP AS SELECT generate_series(1, 5000)"
"""Some 200 KB, gone with the transaction."""


def unready(pool: Pool, tables: Sequence[str] = ()) -> str | None:
    """Why not, or ``None``. At once while the server is known to be away. ``tables`` must be there."""
    try:
        if _bypasses_row_security(pool):
            return "the database role bypasses row-level security"
        if _lacks(pool, tables):
            return "the database is of another version: daybook migrate brings it up to this one"
        return "the database's disk is full" if _has_no_room(pool) else None
    except Unavailable:
        return "database not available"


def _bypasses_row_security(pool: Pool) -> bool:
    """Whether the service has been given a role that tenant policies do not hold for."""
    with connection(pool) as conn:
        row = one(conn, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    return row is None or bool(row[0])


def _lacks(pool: Pool, tables: Sequence[str]) -> bool:
    """Whether one of the tables is not there: it has the version in its name."""
    with connection(pool) as conn:
        missing = one(
            conn, "SELECT FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NULL LIMIT 1", (list(tables),)
        )
    return missing is not None


def _has_no_room(pool: Pool) -> bool:
    """Whether there was none for what was last written, and is still none.

    While this process is not ready nobody may write by it, so it tries by itself.
    """
    if pool.disk_full:
        try:
            with connection(pool) as conn, conn.transaction():
                conn.execute(_WRITE)
            pool.disk_full = False
        except InsufficientPrivilege:  # it may not try: the next to write will tell
            pool.disk_full = False
        except Unavailable as error:
            if not isinstance(error.__cause__, DiskFull):
                raise
    return pool.disk_full
