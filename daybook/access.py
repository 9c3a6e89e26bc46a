"""API processes tell each other, over NATS, when a workspace's callers have changed: a key revoked, a session ended."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Final
from uuid import UUID

from nats.aio.msg import Msg

from api.http.admission import Admission
from eventstore.nudge import Nudger
from workers.running.broker import Broker

_PREFIX: Final = "daybook_access."


class AccessAnnouncer:
    """Made on the event loop that it works on. What cannot be sent is not missed: callers are remembered for a second."""

    def __init__(self, broker: Broker, admission: Admission) -> None:
        self._broker = broker
        self._admission = admission
        self._nudger = Nudger(self._publish)
        self._listener = asyncio.create_task(self._listen(), name="access")

    def announce(self, workspace_id: UUID) -> None:
        """From any thread; neither waits nor raises."""
        self._nudger.nudge(workspace_id)

    async def close(self) -> None:
        self._listener.cancel()
        await asyncio.gather(self._listener, return_exceptions=True)
        await self._nudger.close()

    async def _publish(self, subject: str, payload: bytes) -> None:
        await self._broker.publish(_PREFIX + subject.rsplit(".", 1)[1], payload)

    async def _listen(self) -> None:
        while True:
            connection = await self._broker.connected()
            await connection.client.subscribe(_PREFIX + "*", cb=self._hear)
            await connection.ended.wait()

    async def _hear(self, message: Msg) -> None:
        with suppress(ValueError):
            self._admission.forget(UUID(message.subject.removeprefix(_PREFIX)))
