"""What every worker loop is given: connections, the event store, and when to stop."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from application.calling.signing import signing_key
from eventstore.checkpoint import Signer
from eventstore.database import Pool, open_pool
from eventstore.gathering import AsyncGatheringConnection
from eventstore.nudge import Nudger
from eventstore.patience import AsyncPatientConnection, server_limits, within_time
from eventstore.unit_of_work import EventStore
from gateways.checkpoint_sink import CheckpointSink
from gateways.mail import MailServer
from projections.catalogue import ROWS
from workers.running.broker import AS_IT_IS, Broker, StreamSettings

AsyncDb = AsyncGatheringConnection
AsyncPool = AsyncConnectionPool[AsyncDb]

_POOL_SIZE: Final = 8
_POOL_SECONDS: Final = 5.0
PATIENCE_SECONDS: Final = 60.0
"""For each answer in a thread: what imports write at a time is large."""
_CLOSE_SECONDS: Final = 2.0


@dataclass(frozen=True)
class WorkerConfig:
    """``database_url`` is for the role ``daybook_worker``; ``metrics_port`` serves Prometheus metrics, ``None`` does not;
    ``mail_server``: where mails are handed in, if anywhere;
    ``access_log_days``: for how long it is known who read what.
    """

    database_url: str = field(repr=False)
    nats_url: str = field(repr=False)
    secret_key: bytes = field(repr=False)
    allow_private_webhooks: bool = False
    metrics_port: int | None = None
    metrics_host: str = "127.0.0.1"
    stream: StreamSettings = AS_IT_IS
    mail_server: MailServer | None = None
    access_log_days: int = 365
    signing: Signer | None = field(default=None, repr=False)
    checkpoint_sink: CheckpointSink | None = None
    """Where checkpoints are kept besides, if anywhere."""

    @property
    def signer(self) -> Signer:
        """What signs checkpoints: the key that the secret key leads to, unless there is one of its own."""
        return self.signing or signing_key(self.secret_key)


@dataclass(frozen=True)
class WorkerContext:
    """``pool`` and ``store`` are synchronous: for use in threads (``asyncio.to_thread``). ``async_pool`` is not.

    Loops look at ``stop`` between two pieces of work, finish the one in hand, and return.
    """

    config: WorkerConfig
    pool: Pool
    async_pool: AsyncPool
    broker: Broker
    store: EventStore
    stop: asyncio.Event


@asynccontextmanager
async def open_context(config: WorkerConfig, stop: asyncio.Event) -> AsyncIterator[WorkerContext]:
    """Opens everything without waiting: Postgres and NATS may come later than the workers."""
    pool = open_pool(config.database_url, size=_POOL_SIZE, wait=False, patience=PATIENCE_SECONDS)
    try:
        async with async_pool(config.database_url) as opened, Broker(config.nats_url) as broker:
            nudger = Nudger(broker.publish)
            store = EventStore(pool, ROWS, nudge=nudger.nudge)
            try:
                yield WorkerContext(config, pool, opened, broker, store, stop)
            finally:
                await nudger.close()
    finally:
        await asyncio.to_thread(pool.close, _CLOSE_SECONDS)


@asynccontextmanager
async def async_pool(url: str, *, size: int = _POOL_SIZE) -> AsyncIterator[AsyncPool]:
    """A pool of autocommitting connections that asks for a new one soon again when Postgres was away."""
    opened: AsyncPool = AsyncConnectionPool(
        within_time(url),
        connection_class=AsyncGatheringConnection,
        configure=_configure,
        min_size=2,
        max_size=size,
        timeout=_POOL_SECONDS,
        reconnect_timeout=_POOL_SECONDS,
        open=False,
        name="daybook-async",
    )
    await opened.open(wait=False)
    try:
        yield opened
    finally:
        await opened.close(_CLOSE_SECONDS)


async def _configure(conn: AsyncConnection[Any]) -> None:
    await conn.set_autocommit(True)
    await conn.execute(server_limits(AsyncPatientConnection.patience, conn.info.server_version), prepare=False)
    conn.prepare_threshold = 2


@asynccontextmanager
async def transaction(pool: AsyncPool) -> AsyncIterator[AsyncDb]:
    """A transaction in a pipeline: one round trip where no statement waits for another's answer."""
    async with pool.connection() as conn, pipeline(conn):
        await conn.say(b"BEGIN")
        yield conn
        await conn.say(b"COMMIT")


@asynccontextmanager
async def pipeline(conn: AsyncDb) -> AsyncIterator[None]:
    """Statements go out without waiting for each other's answers.

    A loop may be cancelled in the midst of one, as when the relay's lease is gone; psycopg then believes statements
    prepared that are not, so nobody gets the connection again.
    """
    try:
        async with conn.pipeline():
            yield
    except asyncio.CancelledError:
        await conn.close()
        raise
