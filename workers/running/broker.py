"""The connection to NATS, kept up for as long as the process runs, and the JetStream stream that holds the events."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.errors import Error
from nats.js import JetStreamContext
from nats.js.api import DiscardPolicy, RetentionPolicy, StorageType, StreamConfig, StreamInfo
from nats.js.errors import NotFoundError

from workers.running.ending import end, first_of
from workers.running.waiting import Backoff

STREAM: Final = "DAYBOOK"
SUBJECT_PREFIX: Final = "daybook."
SEQ_HEADER: Final = "Daybook-Seq"
"""An event's place in its workspace's log. The workspace is in the subject, and all else in the payload."""
MAX_AGE_DAYS: Final = 7
DUPLICATE_WINDOW_SECONDS: Final = 600

_DAY_SECONDS: Final = 24 * 3600.0
_FILE: Final = "file://"
_LOOK_SECONDS: Final = 0.5
_RECONNECT_SECONDS: Final = 0.25
_PING_SECONDS: Final = 10
_CLOSE_SECONDS: Final = 2

logger = logging.getLogger("daybook.broker")


@dataclass(frozen=True)
class Connection:
    """A connection from when it was made to when it broke. ``ended`` is set at that moment; the next one is another."""

    client: Client
    js: JetStreamContext
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    @asynccontextmanager
    async def subscribed(self, subject: str, receive: Callable[[Msg], Awaitable[None]]) -> AsyncIterator[None]:
        """Has ``receive`` called with each core-NATS message; not with those of a later connection."""
        subscription = await self.client.subscribe(subject, cb=receive)
        try:
            yield
        finally:
            with suppress(Error):
                await subscription.unsubscribe()


class Broker:
    """Connects in the background and for ever, whether or not NATS is there yet. Not for use by several event loops.

    Nothing is buffered while there is no connection: what is published then raises, at once.
    """

    def __init__(self, url: str) -> None:
        """``url``: one address or several, between commas, of the servers of a cluster; or ``file://`` and the path of a
        file that has them, which is read again for as long as there is no connection.
        """
        self._url = url
        self._current: Connection | None = None
        self._changed = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None
        self._complained = False
        self._closing = False

    async def __aenter__(self) -> Self:
        self._keeper = asyncio.create_task(self._keep(), name="broker")
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._keeper is not None
        self._closing = True
        await end([self._keeper])

    @property
    def connection(self) -> Connection | None:
        """The present connection; ``None`` while there is none."""
        return self._current

    async def connected(self) -> Connection:
        """The present connection, or the next one as soon as it is there."""
        while self._current is None:
            self._changed.clear()
            await self._changed.wait()
        return self._current

    async def publish(self, subject: str, payload: bytes) -> None:
        """Sends a core-NATS message; raises ``ConnectionError`` while there is no connection."""
        if self._current is None:
            raise ConnectionError("NATS is not connected")
        await self._current.client.publish(subject, payload)

    async def _keep(self) -> None:
        """Keeps a client. It reconnects by itself, and gives up only when the server refuses it: then comes another, as it
        does when the servers are said to be elsewhere.
        """
        backoff = Backoff()
        while True:
            client = Client()
            try:
                servers = _addresses(self._url)
                await first_of(self._keep_to(servers, client, backoff), self._moved(servers))
            except Exception as error:  # noqa: BLE001 - whatever it is, the process needs a connection
                self._complain(error)
            finally:
                self._down()
                await _close(client)
            await asyncio.sleep(backoff.next())

    async def _keep_to(self, servers: list[str], client: Client, backoff: Backoff) -> None:
        closed = asyncio.Event()
        await self._connect(servers, client, closed)
        backoff.reset()
        self._up(client)
        await closed.wait()

    async def _moved(self, servers: list[str]) -> None:
        """Returns when there is no connection, and the servers are not where they were any more."""
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            if self._current is None and _addresses(self._url) != servers:
                return

    async def _connect(self, servers: list[str], client: Client, closed: asyncio.Event) -> None:
        async def on_disconnect() -> None:
            self._down()

        async def on_reconnect() -> None:
            self._up(client)

        async def on_close() -> None:
            self._down()
            closed.set()

        async def on_error(error: Exception) -> None:
            self._complain(error)

        user, password, token = _credentials(servers)
        await client.connect(
            servers,
            user=user,
            password=password,
            token=token,
            name="daybook",
            disconnected_cb=on_disconnect,
            reconnected_cb=on_reconnect,
            closed_cb=on_close,
            error_cb=on_error,
            max_reconnect_attempts=-1,
            reconnect_time_wait=_RECONNECT_SECONDS,  # type: ignore[arg-type]  # declared in whole seconds, used in asyncio.sleep
            ping_interval=_PING_SECONDS,
            pending_size=0,  # else what is published in vain would be sent later, behind what was published since
        )

    def _up(self, client: Client) -> None:
        address = client.connected_url
        logger.info("connected to NATS at %s:%s", address and address.hostname, address and address.port)
        self._complained = False
        self._current = Connection(client, client.jetstream())
        self._changed.set()

    def _down(self) -> None:
        if self._current is not None:
            if not self._closing:
                logger.warning("lost the connection to NATS")
            self._current.ended.set()
            self._current = None

    def _complain(self, error: Exception) -> None:
        """Logs an error; of those on the way to a connection the first only."""
        if self._current is not None:
            logger.warning("NATS: %s", _said(error))
        elif not self._complained:
            self._complained = True
            logger.warning("NATS cannot be reached, trying on: %s", _said(error))


@dataclass(frozen=True)
class StreamSettings:
    """What an operator wants of the stream. ``None`` leaves it as it is; a new one has one replica, and keeps a week."""

    replicas: int | None = None
    max_age_days: int | None = None

    def given(self) -> dict[str, float]:
        wanted = {
            "num_replicas": self.replicas,
            "max_age": None if self.max_age_days is None else self.max_age_days * _DAY_SECONDS,
        }
        return {name: value for name, value in wanted.items() if value is not None}


AS_IT_IS: Final = StreamSettings()


async def ensure_stream(js: JetStreamContext, settings: StreamSettings = AS_IT_IS) -> StreamInfo:
    """Makes the stream, or brings its settings up to date; those that are neither ours nor given stay."""
    wanted = {
        "subjects": [f"{SUBJECT_PREFIX}>"],
        "duplicate_window": float(DUPLICATE_WINDOW_SECONDS),
        "discard": DiscardPolicy.OLD,
        **settings.given(),
    }
    try:
        info = await js.stream_info(STREAM)
    except NotFoundError:
        logger.info("making the stream %s", STREAM)
        new = {"storage": StorageType.FILE, "retention": RetentionPolicy.LIMITS, "max_age": MAX_AGE_DAYS * _DAY_SECONDS}
        return await js.add_stream(StreamConfig(name=STREAM, **{**new, **wanted}))  # type: ignore[arg-type]  # each value is of its field's type
    if all(getattr(info.config, name) == value for name, value in wanted.items()):
        return info
    logger.info("updating the stream %s", STREAM)
    return await js.update_stream(replace(info.config, **wanted))  # type: ignore[arg-type]  # as above


def _addresses(url: str) -> list[str]:
    """Raises ``OSError`` for a file that cannot be read, and ``ValueError`` without any address, as of a file that is being
    written: the client would look for a server for ever, and let nothing else run.
    """
    if url.startswith(_FILE):
        url = Path(unquote(url.removeprefix(_FILE))).read_text()
    addresses = [address.strip() for address in url.split(",") if address.strip()]
    if not addresses:
        raise ValueError("no address of a server")
    return addresses


def _credentials(addresses: Sequence[str]) -> tuple[str | None, str | None, str | None]:
    """User, password and token of the first address that has any: the servers that a cluster names itself have none."""
    for address in map(urlsplit, addresses):
        if address.username and address.password:
            return address.username, address.password, None
        if address.username:
            return None, None, address.username
    return None, None, None


async def _close(client: Client) -> None:
    """Sends what is buffered, and closes."""
    with suppress(Error, OSError):
        if client.is_connected:
            await client.flush(timeout=_CLOSE_SECONDS)
    with suppress(AssertionError):  # of one that never began to connect: it has nothing to close
        await client.close()


def _said(error: Exception) -> str:
    return str(error) or type(error).__name__
