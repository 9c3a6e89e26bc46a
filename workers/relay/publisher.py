"""Publishing to the stream in one unbroken order, many messages in flight.

Each message names the sequence that the stream must end with before it. So when one is lost or refused, none behind it
gets in; and of two publishers that both believe to be the only one, one is stopped by the first message of the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import msgspec
from nats.aio.msg import Msg
from nats.errors import Error

from workers.running.broker import SEQ_HEADER, Connection

ACK_SECONDS: Final = 5.0
ENVELOPE_BYTES: Final = 512
"""Room for what a message has beside its payload: the server's limit is for both."""

_MESSAGE_ID: Final = "Nats-Msg-Id"
_EXPECTED: Final = "Nats-Expected-Last-Sequence"
_AWAY: Final = "NATS went away"


@dataclass(frozen=True, slots=True)
class Message:
    """An event on its way into the stream."""

    workspace_id: UUID
    seq: int
    event_id: UUID
    subject: str
    payload: bytes


@dataclass(frozen=True)
class Outcome:
    """Where in the stream the first messages are now, and why the others are not."""

    stream_seqs: list[int]
    problem: str | None = None


class _AckError(msgspec.Struct):
    description: str = "refused"


class _Ack(msgspec.Struct):
    seq: int = 0
    error: _AckError | None = None


_decode = msgspec.json.Decoder(_Ack).decode


class _Batch:
    """Messages in flight: what was acknowledged so far, and the first thing that went wrong."""

    def __init__(self, size: int) -> None:
        self.stream_seqs: list[int | None] = [None] * size
        self.problem: str | None = None
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._missing = size

    def fail(self, problem: str) -> None:
        self.problem = self.problem or problem
        self._finish()

    def acknowledge(self, index: int, stream_seq: int) -> None:
        if self.stream_seqs[index] is None:
            self._missing -= 1
        self.stream_seqs[index] = stream_seq
        if not self._missing:
            self._finish()

    def outcome(self, otherwise: str) -> Outcome:
        """``otherwise`` says why an acknowledgement is missing when nothing went wrong."""
        first: list[int] = []
        for stream_seq in self.stream_seqs:
            if stream_seq is None:
                return Outcome(first, self.problem or otherwise)
            first.append(stream_seq)
        return Outcome(first, self.problem)

    def _finish(self) -> None:
        if not self.done.done():
            self.done.set_result(None)


class Publisher:
    """For one connection and, from ``stream_seq`` on, the only one that writes to the stream."""

    def __init__(self, connection: Connection, stream_seq: int, ended: asyncio.Task[Any]) -> None:
        self._client = connection.client
        self._inbox = connection.client.new_inbox()
        self._stream_seq = stream_seq
        self._ended = ended
        self._number = 0
        self._batch = _Batch(0)

    @property
    def acks(self) -> str:
        """The subject that acknowledgements come in by."""
        return f"{self._inbox}.>"

    @property
    def max_payload(self) -> int:
        """The size of the largest payload that the server takes."""
        return self._client.max_payload - ENVELOPE_BYTES

    async def publish(self, messages: Sequence[Message]) -> Outcome:
        """Sends all, and waits for their acknowledgements: up to the first that is refused, or the connection's end."""
        self._number += 1
        self._batch = batch = _Batch(len(messages))
        try:
            for index, message in enumerate(messages):
                await self._client.publish(
                    message.subject,
                    message.payload,
                    reply=f"{self._inbox}.{self._number}.{index}",
                    headers={
                        _MESSAGE_ID: str(message.event_id),
                        SEQ_HEADER: str(message.seq),
                        _EXPECTED: str(self._stream_seq + index),
                    },
                )
        except Error as error:
            batch.fail(str(error) if self._client.is_connected else _AWAY)
        await asyncio.wait({batch.done, self._ended}, timeout=ACK_SECONDS, return_when=asyncio.FIRST_COMPLETED)
        outcome = batch.outcome(_AWAY if self._ended.done() else f"no acknowledgement within {ACK_SECONDS:.0f} s")
        self._stream_seq += len(outcome.stream_seqs)
        return outcome

    async def acknowledged(self, msg: Msg) -> None:
        number, index = msg.subject.rsplit(".", 2)[1:]
        if int(number) != self._number:
            return
        if not msg.data:  # nobody listens: there is no such stream
            self._batch.fail("the stream does not answer")
            return
        ack = _decode(msg.data)
        if ack.error is not None:
            self._batch.fail(ack.error.description)
        else:
            self._batch.acknowledge(int(index), ack.seq)


@asynccontextmanager
async def publisher(connection: Connection, stream_seq: int) -> AsyncIterator[Publisher]:
    """A publisher for a stream that ends with ``stream_seq``."""
    ended = asyncio.create_task(connection.ended.wait())
    made = Publisher(connection, stream_seq, ended)
    try:
        async with connection.subscribed(made.acks, made.acknowledged):
            yield made
    finally:
        ended.cancel()
