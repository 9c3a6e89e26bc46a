"""Connections: pools, and the workspace that a transaction is for."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, LiteralString
from uuid import UUID

import psycopg
from psycopg import Cursor
from psycopg.abc import Params
from psycopg.rows import TupleRow
from psycopg_pool import ConnectionPool, PoolClosed, PoolTimeout

from eventstore.breaker import Breaker
from eventstore.gathering import GatheringConnection
from eventstore.patience import PATIENCE_SECONDS, server_limits, within_time
from eventstore.then import Then

NO_WAITING: Final[LiteralString] = "SET LOCAL synchronous_commit = off"
"""For a transaction that is made again when a crash of Postgres loses it: it need not wait for the disk."""


_NAMED: Final = re.compile(r'unique constraint "([^"]+)"')
_PART: Final = re.compile(r"_\d{6,}$")


class Db(GatheringConnection):
    """A connection, which knows the workspace that its transaction is for, and for whose eyes."""

    visible_to: UUID | None = None
    """The user who reads and sees only what is assigned to them; ``None`` sees all."""

    single: bool = False
    """Whether all that the transaction asks is one statement."""

    then: Then | None = None
    """The moment that the transaction reads as of; ``None``: now."""

    _workspace_id: UUID | None = None

    @property
    def now(self) -> datetime:
        """What time it is, or was then."""
        return datetime.now(UTC) if self.then is None else self.then.at

    @property
    def workspace_id(self) -> UUID:
        """What statements about a tenant carry, so that they can be sent to where its rows are."""
        if self._workspace_id is None:
            raise RuntimeError("this transaction is for no workspace")
        return self._workspace_id

    def execute(self, query: Any, params: Params | None = None, **how: Any) -> Cursor[TupleRow]:
        if self.then is not None and isinstance(query, str | bytes):
            query = self.then.marked(query)
        return super().execute(query, params, **how)

    def answer(self, query: bytes, params: Sequence[Any]) -> list[TupleRow]:
        """The rows of a statement. A transaction that asks no other ends with it: its end goes out along with it."""
        cursor = self.execute(query, params)
        if self.single:
            self.end()
            self.pipeline_in_hand.sync()
        return cursor.fetchall()

    def end(self) -> None:
        """The end of a transaction for a workspace, where it has not ended before; nothing can be asked behind it."""
        if self._workspace_id is not None:
            self.say(b"COMMIT")
            self._workspace_id = None

    @contextmanager
    def entered(self, workspace_id: UUID, visible_to: UUID | None = None) -> Iterator[None]:
        """The transaction in hand is for this workspace, and ends inside."""
        self._workspace_id, self.visible_to = workspace_id, visible_to
        try:
            self.say(entering(workspace_id))
            yield
        finally:
            self._workspace_id = self.visible_to = self.then = None
            self.single = False

    def look_back(self, then: Then) -> None:
        """The transaction in hand reads as of then, from here on. Fails where the database has another version of the past."""
        self.execute("SELECT hold_view(%s, %s)", then.view)
        self.then = then
        for command in then.entering(self.visible_to):
            self.say(command)


class _LastFirst(deque[Db]):
    """Gives out first what came last: a connection in use a moment ago has its statements at hand, on both ends, while one in
    turn has lost them to the others.
    """

    def popleft(self) -> Db:
        return self.pop()


class Pool(ConnectionPool[Db]):
    """Gives out the connection that was given back last. Knows whether the server is away, whose disk is full, and which of
    its connections are in use.
    """

    def __init__(self, url: str, **settings: Any) -> None:
        super().__init__(url, connection_class=Db, **settings)
        self._pool = _LastFirst()
        self._url = url
        self.breaker = Breaker(url, self.check)
        self.disk_full = False
        """Whether the server had no room for what was last written."""
        self.in_use: set[Db] = set()

    def close(self, timeout: float = 5.0) -> None:
        self.breaker.close()
        super().close(timeout)

    def give_up(self, seconds: float) -> None:
        """Has the server end the connections in use, so that what is done on them fails with ``Unavailable``.

        They are not cancelled: a commit that is cancelled while it waits for a standby is said to have succeeded.
        """
        ended = [conn.info.backend_pid for conn in list(self.in_use) if not conn.closed]
        with suppress(psycopg.Error), Db.connect(self._url, autocommit=True) as conn:
            conn.patience = seconds
            conn.execute("SELECT pg_terminate_backend(pid) FROM unnest(%s::integer[]) AS given (pid)", (ended,))


def entering(workspace_id: UUID) -> bytes:
    """The one statement that says which workspace a transaction is for: tenant policies hold it to that until it ends."""
    return f"SET LOCAL daybook.workspace_id = '{workspace_id.hex}'".encode()


def wait_for_turn(conn: Db, what: str) -> None:
    """Waits for the workspace's other transactions that have this turn, and has it until this one ends."""
    conn.execute("SELECT pg_advisory_xact_lock(hashtextextended(%s, 0))", (f"{conn.workspace_id} {what}",))


class Unavailable(Exception):  # noqa: N818 - says what is the case
    """The database cannot be reached, went away or took too long; the request may be tried again."""

    says: ClassVar[str] = "The database is not available."


class HeldByOthers(Unavailable):
    """Others have held for too long what the request needs."""

    says = "Others keep what this needs."


class OtherVersion(Unavailable):
    """The database has rows of another shape than this process knows; one that was updated along with it can go on."""

    says = "The database is of another version than what answers here."


_GIVEN_UP: Final = (psycopg.errors.IdleInTransactionSessionTimeout, psycopg.errors.TransactionTimeout)
_VERSION: Final = re.compile(r"_v\d")
"""In the name of a table that another version of this process has under another (docs/adr/0049)."""
_NO_TABLE: Final = psycopg.errors.UndefinedTable
_GONE: Final = (
    PoolTimeout, PoolClosed, psycopg.OperationalError, psycopg.InterfaceError, *_GIVEN_UP, _NO_TABLE
)  # fmt: skip


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
        # Statements carry the workspace as a parameter; left to itself, Postgres would plan a list anew for each value,
        # which costs as much as the list (docs/adr/0015).
        generic = b"SET plan_cache_mode = force_generic_plan; "
        conn.execute(generic + server_limits(patience, conn.info.server_version), prepare=False)

    pool = Pool(
        within_time(url),
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
    if pool.breaker.away:
        raise Unavailable("the database is away")
    conn: Db | None = None
    try:
        with pool.connection() as conn:
            pool.in_use.add(conn)
            yield conn
    except _GONE as error:
        if isinstance(error, psycopg.errors.DeadlockDetected | psycopg.errors.SerializationFailure):
            raise
        if isinstance(error, _NO_TABLE) and not _VERSION.search(str(error.diag.message_primary)):
            raise
        raise _unavailable(pool, error, broken=conn is None or conn.closed) from error
    finally:
        if conn is not None:
            pool.in_use.discard(conn)


def _unavailable(pool: Pool, error: Exception, *, broken: bool) -> Unavailable:
    """Why there was no answer; where it may be that the server is away, that is looked into."""
    if isinstance(error, psycopg.errors.LockNotAvailable):
        return HeldByOthers("others hold what is needed")
    if isinstance(error, _NO_TABLE):
        return OtherVersion("the database is of another version")
    if isinstance(error, psycopg.errors.DiskFull):
        pool.disk_full = True
    if broken:
        pool.breaker.suspect()
    return Unavailable("the database is not available")


@contextmanager
def pipeline(conn: Db) -> Iterator[None]:
    """Statements go out without waiting for each other's answers.

    What is raised inside is what is raised: psycopg's own pipeline warns of every other statement that then fails too.
    """
    raised: BaseException | None = None
    try:
        with conn.pipeline():
            try:
                yield
            except BaseException as error:  # noqa: BLE001 - raised again, once the pipeline has ended
                raised = error
    except psycopg.Error:
        if raised is None:
            raise
    if raised is not None:
        raise raised


Connected = Callable[[], AbstractContextManager[Db]]
"""Inside ``reading`` again and again, for what takes longer than a transaction should."""


@contextmanager
def reading(
    pool: Pool, workspace_id: UUID, visible_to: UUID | None = None, *, single: bool = False, then: Then | None = None
) -> Iterator[Db]:
    """A transaction that reads one workspace: where no statement waits for another's answer, in one round trip.

    ``visible_to``: a user who sees only what is assigned to them. ``single``: the first ``answer`` is all that is asked.
    ``then``: it reads what was.
    """
    with connection(pool) as conn, pipeline(conn):
        conn.say(b"BEGIN")
        with conn.entered(workspace_id, visible_to):
            conn.single = single
            if then is not None:
                conn.look_back(then)
            yield conn
            conn.end()


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


@contextmanager
def planned_anew(conn: Db) -> Iterator[None]:
    """For statements whose plan should depend on their parameters' values; inside a transaction."""
    conn.execute("SET LOCAL plan_cache_mode = force_custom_plan")
    yield
    conn.execute("SET LOCAL plan_cache_mode = force_generic_plan")


def violated(error: psycopg.errors.UniqueViolation) -> str:
    """The name of the unique index that a row violated, as it is where all tables are on one machine.

    Elsewhere a table has parts, whose indexes have a number behind their name; it may be said in the message alone.
    """
    found = _NAMED.search(error.diag.message_primary or "")
    name = error.diag.constraint_name or (found[1] if found else "")
    return _PART.sub("", name)


def one(conn: Db, query: LiteralString, params: Any = ()) -> TupleRow | None:
    return conn.execute(query, params).fetchone()
