"""API processes tell each other, over NATS, when a workspace's callers have changed: a key revoked, a session ended."""

from __future__ import annotations

from contextlib import suppress
from typing import Final
from uuid import UUID

from nats.aio.msg import Msg

from api.http.admission import Admission
from daybook.listening import Listener
from eventstore.nudge import Nudger
from workers.running.broker import Broker

_PREFIX: Final = "daybook_access."


class AccessAnnouncer:
    """Made on the event loop that it works on. What cannot be sent is not missed: callers are remembered for a second."""

    def __init__(self, broker: Broker, admission: Admission) -> None:
        self._broker = broker
        self._admission = admission
        self._nudger = Nudger(self._publish)
        self._listener = Listener(broker, _PREFIX + "*", self._hear)

    def announce(self, workspace_id: UUID) -> None:
        """From any thread; neither waits nor raises."""
        self._nudger.nudge(workspace_id)

    async def close(self) -> None:
        await self._listener.close()
        await self._nudger.close()

    async def _publish(self, subject: str, payload: bytes) -> None:
        await self._broker.publish(_PREFIX + subject.rsplit(".", 1)[1], payload)

    async def _hear(self, message: Msg) -> None:
        with suppress(ValueError):
            self._admission.forget(UUID(message.subject.removeprefix(_PREFIX)))
