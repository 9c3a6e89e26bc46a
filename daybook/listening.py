"""What an API process is told by others over NATS: which logs have grown, and whose callers have changed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from nats.aio.msg import Msg

from api.http.growth import Growth
from eventstore.nudge import ALL_SUBJECTS, nudged_workspace
from workers.running.broker import Broker, Connection

_LOOK_SECONDS: Final = 1.0


class Listener:
    """Subscribes to a subject on each connection there is. Made on the event loop that it works on."""

    def __init__(self, broker: Broker, subject: str, hear: Callable[[Msg], Awaitable[None]]) -> None:
        self._broker = broker
        self._subject = subject
        self._hear = hear
        self._task = asyncio.create_task(self._listen(), name=f"listening to {subject}")

    async def close(self) -> None:
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)

    async def wanted(self) -> None:
        """Returns when it is worth listening."""

    async def done(self, connection: Connection) -> None:
        """Returns when it is not any longer, or there is nothing to be heard on this connection."""
        await connection.ended.wait()

    async def _listen(self) -> None:
        while True:
            await self.wanted()
            connection = await self._broker.connected()
            async with connection.subscribed(self._subject, self._hear):
                await self.done(connection)


class GrowthListener(Listener):
    """Listens to nudges while somebody waits for a log; else they would cost a busy process more than they are worth."""

    def __init__(self, broker: Broker, growth: Growth) -> None:
        self._growth = growth
        super().__init__(broker, ALL_SUBJECTS, self._grown)

    async def wanted(self) -> None:
        await self._growth.awaited.wait()

    async def done(self, connection: Connection) -> None:
        while self._growth.awaited.is_set() and not connection.ended.is_set():  # noqa: ASYNC110 - see below
            await asyncio.sleep(_LOOK_SECONDS)  # so that one wait after the other does not subscribe anew

    async def _grown(self, message: Msg) -> None:
        workspace_id = nudged_workspace(message.subject)
        if workspace_id is not None:
            self._growth.tell(workspace_id)
