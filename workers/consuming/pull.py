"""The messages of a durable consumer of JetStream, as they come.

The client's own ``fetch`` waits for each message by itself, which costs a few times what is done with it. Here one request
stands with the server at a time, and whatever has come in answer to it is taken at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error

from workers.running.broker import STREAM, Connection

BATCH: Final = 500
"""Messages that one request is for."""
EXPIRES_SECONDS: Final = 1.0
"""After which an unanswered request is over. Also how late it may be noticed that the connection has ended."""
GRACE_SECONDS: Final = 0.5
"""How much later than it is due the server's word that a request is over may be."""

_STATUS: Final = "Status"
_OVER: Final = {"404", "408"}
"""There were no messages, or no more."""
_REQUEST: Final = msgspec.json.encode({"batch": BATCH, "expires": int(EXPIRES_SECONDS * 1_000_000_000)})


class PullError(Error):
    """The server does not answer requests of this consumer any more; the message says why."""


class Pull:
    """For one task. ``next`` is what there is to it."""

    def __init__(self, connection: Connection, durable: str) -> None:
        self._client = connection.client
        self._subject = f"$JS.API.CONSUMER.MSG.NEXT.{STREAM}.{durable}"
        self.inbox: Final = connection.client.new_inbox()
        self._came: list[Msg] = []
        self._something = asyncio.Event()
        self._left = 0
        """How many messages the request in hand is still for."""
        self._until = 0.0
        self._problem: str | None = None

    async def next(self) -> list[Msg]:
        """What has come since; waits for the first, and about a second at most. Raises ``nats.errors.Error``."""
        if self._left <= 0 or time.monotonic() >= self._until:
            self._left = BATCH
            self._until = time.monotonic() + EXPIRES_SECONDS + GRACE_SECONDS
            await self._client.publish(self._subject, _REQUEST, reply=self.inbox)
        try:
            async with asyncio.timeout(self._until - time.monotonic()):
                await self._something.wait()
        except TimeoutError:
            return []
        self._something.clear()
        if self._problem is not None:
            raise PullError(self._problem)
        came, self._came = self._came, []
        return came

    async def received(self, msg: Msg) -> None:
        status = (msg.headers or {}).get(_STATUS)
        if status is None:
            self._came.append(msg)
            self._left -= 1
        elif status in _OVER:
            self._left = 0
        else:
            self._problem = f"{status} {(msg.headers or {}).get('Description', '')}".rstrip()
        self._something.set()


@asynccontextmanager
async def pulling(connection: Connection, durable: str) -> AsyncIterator[Pull]:
    """Messages of the durable consumer of this name, which is there."""
    pull = Pull(connection, durable)
    async with connection.subscribed(pull.inbox, pull.received):
        yield pull
