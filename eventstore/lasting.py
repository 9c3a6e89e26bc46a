"""Transactions that last: work in bulk, and a picture of all that there is of something."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from uuid import UUID

from eventstore.database import Db, Pool, connection
from eventstore.patience import BULK, READS, server_limits


@contextmanager
def in_bulk(conn: Db, times: int = BULK) -> Iterator[None]:
    """For a transaction that takes so many times longer than those of most requests; from its beginning to its end."""
    patience = conn.patience
    assert patience is not None
    conn.execute(server_limits(patience * times, conn.info.server_version, scope="LOCAL"), prepare=False)
    conn.patience = patience * times
    try:
        yield
    finally:
        conn.patience = patience


@contextmanager
def snapshot(pool: Pool, workspace_id: UUID, tables: Sequence[str], visible_to: UUID | None = None) -> Iterator[Db]:
    """A transaction in which the workspace stays as it is at the beginning, for reading all that there is of something.

    ``tables``: those that may be rebuilt meanwhile; they are held.
    """
    with connection(pool) as conn, conn.transaction(), conn.entered(workspace_id, visible_to), in_bulk(conn, READS):
        conn.say(b"SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        conn.say(b"SET LOCAL cursor_tuple_fraction = 1")  # all rows of a cursor are wanted, not its first
        conn.say(holding(tables))
        yield conn


def holding(tables: Iterable[str]) -> bytes:
    """Keeps rebuilt tables out while a picture lasts: it was made before their rows, and would have none of them.

    At its very beginning, before anything is read.
    """
    return f"LOCK TABLE {', '.join(tables)} IN ACCESS SHARE MODE".encode()
