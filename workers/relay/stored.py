"""What the stream holds: which event each of its messages is."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

import msgspec
from nats.js import JetStreamContext
from nats.js.api import RawStreamMsg
from nats.js.errors import NotFoundError

from workers.running.broker import STREAM, SUBJECT_PREFIX


@dataclass(frozen=True, slots=True)
class Stored:
    """An event as the stream has it: its place in the log that it was read from, and its place in the stream."""

    workspace_id: UUID
    seq: int
    event_id: UUID
    type: str
    stream_seq: int


class _Payload(msgspec.Struct, rename="camel"):
    """Of a log entry what names it. Messages of every version have it; what their headers say has changed."""

    id: UUID
    type: str
    workspace_id: UUID
    seq: int


_decode: Final = msgspec.json.Decoder(_Payload).decode


async def messages(js: JetStreamContext, stream_seqs: Iterable[int]) -> list[Stored]:
    """The events at these places, in the same order; a place that is empty or holds something else has none."""
    found = await asyncio.gather(*(_at(js, stream_seq) for stream_seq in stream_seqs))
    return [stored for stored in found if stored is not None]


async def last_of(js: JetStreamContext, workspace_id: UUID) -> Stored | None:
    """The last event of a workspace that the stream holds."""
    try:
        return _stored(await js.get_last_msg(STREAM, f"{SUBJECT_PREFIX}{workspace_id}.>"))
    except NotFoundError:
        return None


async def _at(js: JetStreamContext, stream_seq: int) -> Stored | None:
    try:
        return _stored(await js.get_msg(STREAM, seq=stream_seq))
    except NotFoundError:
        return None


def _stored(message: RawStreamMsg) -> Stored | None:
    try:
        payload = _decode(message.data or b"")
    except msgspec.DecodeError:
        return None
    return Stored(payload.workspace_id, payload.seq, payload.id, payload.type, message.seq or 0)
