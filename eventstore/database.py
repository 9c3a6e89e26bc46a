"""Connections: pools, and the workspace that a transaction is for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import Any, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from eventstore.patience import PATIENCE_SECONDS, PatientConnection, within_time

NO_WAITING: Final[LiteralString] = "SET LOCAL synchronous_commit = off"
"""For a transaction that is made again when a crash of Postgres loses it: it need not wait for the disk."""


_JSONB_VERSION: Final = b"\x01"
"""What a jsonb begins with on the wire; behind it comes its text."""


class Db(PatientConnection):
    """A connection, which knows the workspace that its transaction is for."""

    _workspace_id: UUID | None = None

    @property
    def workspace_id(self) -> UUID:
        """What statements about a tenant carry, so that they can be sent to where its rows are."""
        if self._workspace_id is None:
            raise RuntimeError("this transaction is for no workspace")
        return self._workspace_id

    @contextmanager
    def entered(self, workspace_id: UUID) -> Iterator[None]:
        """The transaction in hand is for this workspace, and ends inside."""
        self._workspace_id = workspace_id
        try:
            self.execute(entering(workspace_id), prepare=False)
            yield
        finally:
            self._workspace_id = None


Pool = ConnectionPool[Db]


def entering(workspace_id: UUID) -> bytes:
    """The one statement that says which workspace a transaction is for: tenant policies hold it to that until it ends."""
    return f"SET LOCAL daybook.workspace_id = '{workspace_id.hex}'".encode()


class Unavailable(Exception):  # noqa: N818 - says what is the case
    """The database cannot be reached or went away; the request may be tried again."""


def open_pool(
    url: str, *, size: int = 16, wait: bool = True, timeout: float = 5.0, patience: float = PATIENCE_SECONDS
) -> Pool:
    """A pool of autocommitting connections.

    ``timeout`` is the seconds that a request waits for one, ``patience`` those that it waits for each answer on it.
    """

    def configure(conn: Db) -> None:
        conn.autocommit = True
        conn.prepare_threshold = 2
        conn.patience = patience

    pool = ConnectionPool(
        within_time(url),
        connection_class=Db,
        configure=configure,
        min_size=min(4, size),
        max_size=size,
        timeout=timeout,
        reconnect_timeout=timeout,  # else the pause between two tries doubles while Postgres is away, up to minutes
        open=False,
        name="daybook",
    )
    pool.open(wait=wait, timeout=30)
    return pool


@contextmanager
def connection(pool: Pool) -> Iterator[Db]:
    """A connection of the pool; ``Unavailable`` when there is none to be had or it broke."""
    try:
        with pool.connection() as conn:
            yield conn
    except (PoolTimeout, PoolClosed, psycopg.OperationalError, psycopg.InterfaceError) as error:
        if isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
            raise
        raise Unavailable("the database is not available") from error


@contextmanager
def reading(pool: Pool, workspace_id: UUID) -> Iterator[Db]:
    """A transaction that reads one workspace: where no statement waits for another's answer, in one round trip."""
    with connection(pool) as conn, conn.pipeline():
        conn.execute("BEGIN")
        with conn.entered(workspace_id):
            yield conn
            conn.execute("COMMIT")


@contextmanager
def writing(pool: Pool, workspace_id: UUID) -> Iterator[Db]:
    """A transaction for one workspace, outside the log: for ordinary tables such as jobs and deliveries."""
    with connection(pool) as conn, within(conn, workspace_id):
        yield conn


@contextmanager
def within(conn: Db, workspace_id: UUID) -> Iterator[None]:
    """A transaction for one workspace, on a connection that is in none."""
    with conn.transaction(), conn.entered(workspace_id):
        yield


def copy_rows(
    conn: Db,
    table: str,
    columns: Mapping[str, str],
    rows: Iterable[Sequence[Any]],
    same: Mapping[str, Any] = MappingProxyType({}),
) -> None:
    """Many rows into a tenant table: COPY into a temporary table, and from there by INSERT.

    ``columns`` have their types; a value for ``jsonb`` is its text. ``same``: further columns, with the value that all
    rows have in them. Postgres refuses COPY into a table with row-level security; this way every row is still checked
    against it. Needs an open transaction, outside a pipeline.
    """
    names = ", ".join(columns)
    documents = [place for place, kind in enumerate(columns.values()) if kind == "jsonb"]
    conn.execute(
        f"CREATE TEMPORARY TABLE copied_{table} ON COMMIT DROP AS SELECT {names} FROM {table} WITH NO DATA".encode()  # noqa: S608 - our own names
    )
    with conn.cursor().copy(f"COPY copied_{table} ({names}) FROM STDIN (FORMAT BINARY)".encode()) as copy:
        copy.set_types(["bytea" if kind == "jsonb" else kind for kind in columns.values()])
        for row in rows:
            values = list(row)
            for place in documents:
                values[place] = _JSONB_VERSION + values[place].encode()
            copy.write_row(values)
    into = ", ".join([names, *same])
    found = ", ".join([names, *["%s"] * len(same)])
    inserting = f"INSERT INTO {table} ({into}) SELECT {found} FROM copied_{table}".encode()  # noqa: S608 - our own names
    conn.execute(inserting, tuple(same.values()))
    conn.execute(f"DROP TABLE copied_{table}".encode())


def one(conn: Db, query: LiteralString, params: Any = ()) -> TupleRow | None:
    return conn.execute(query, params).fetchone()


def bypasses_row_security(pool: Pool) -> bool:
    """Whether the service has been given a role that tenant policies do not hold for. Raises ``Unavailable``."""
    with connection(pool) as conn:
        row = one(conn, "SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = current_user")
    return row is None or bool(row[0])
