"""Log entries as CloudEvents 1.0 in structured JSON: each has one form only, of which the entry can be made again."""

from __future__ import annotations

from functools import lru_cache
from typing import Literal
from uuid import UUID

import msgspec
import rfc8785

from eventstore.chain import canonical, halves, id_text, link
from schemas.log import Actor, ActorType, LogEntry, Meta, Stream


class NoEventError(Exception):
    """A line is no log entry as a CloudEvent, in the one form that it has."""


class CloudEvent(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Attributes are lower case letters and digits, and none is null, as the specification asks.

    ``time`` is when it was decided, ``recordedtime`` when it was written down; ``sequence`` (the ``seq``, in 19 digits, so
    that texts are in order of numbers), ``recordedtime``,
    ``correlationid`` and ``causationid`` are extensions that the specification's authors describe, and ``actorid``,
    ``actortype``, ``entryhash``, ``requestid`` and ``streamversion`` ours.
    """

    specversion: Literal["1.0"]
    datacontenttype: Literal["application/json"]
    id: UUID
    source: str
    type: str
    subject: str
    time: str
    recordedtime: str
    sequence: str
    streamversion: int
    entryhash: str
    actortype: ActorType
    correlationid: UUID
    actorid: UUID | None = None
    causationid: UUID | None = None
    requestid: str | None = None
    data: msgspec.Raw


def written(entry: LogEntry) -> bytes:
    """The entry as a CloudEvent, in the form of RFC 8785 and without the line's end."""
    meta = entry.meta
    return _encode(
        CloudEvent(
            specversion="1.0",
            datacontenttype="application/json",
            id=entry.id,
            source=source(entry.workspace_id),
            type=entry.type,
            subject=_subject(entry.stream),
            time=meta.occurred_at,
            recordedtime=entry.recorded_at,
            sequence=f"{entry.seq:019d}",
            streamversion=entry.version,
            entryhash=entry.hash,
            actortype=meta.actor.type,
            correlationid=meta.correlation_id,
            actorid=meta.actor.id,
            causationid=meta.causation_id,
            requestid=meta.request_id,
            data=msgspec.Raw(canonical(bytes(entry.data))),
        )
    )


def read(line: bytes) -> LogEntry:
    """The entry of a line. Raises ``NoEventError`` for one that is not written exactly so."""
    try:
        event = _decode(line)
        entry = _entry(event)
        same = _encode(event) == line and _is_canonical(event, entry)
    except (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError, rfc8785.CanonicalizationError) as error:
        raise NoEventError(str(error)) from None
    if not same:
        raise NoEventError("the same in another form, or with a name that stands twice")
    return entry


def _is_canonical(event: CloudEvent, entry: LogEntry) -> bool:
    """Whether what is put together in a text, and the data, are written as ``written`` does."""
    data = bytes(event.data)
    return (
        event.sequence == f"{entry.seq:019d}"
        and event.source == source(entry.workspace_id)
        and event.subject == _subject(entry.stream)
        and canonical(data) == data
    )


def hash_behind(entry: LogEntry, previous: bytes) -> bytes:
    """The hash that an entry with canonical data must have, from that of the entry before."""
    meta = entry.meta
    before, after = halves(
        workspace_id=id_text(entry.workspace_id),
        stream_type=entry.stream.type,
        stream_id=id_text(entry.stream.id),
        version=entry.version,
        event_id=id_text(entry.id),
        event_type=entry.type,
        data=bytes(entry.data).decode(),
        actor_type=meta.actor.type,
        actor_id=None if meta.actor.id is None else id_text(meta.actor.id),
        request_id=meta.request_id,
        correlation_id=id_text(meta.correlation_id),
        causation_id=None if meta.causation_id is None else id_text(meta.causation_id),
        occurred_at=meta.occurred_at,
    )
    return link(previous, before, entry.recorded_at, entry.seq, after)


@lru_cache(maxsize=64)
def source(workspace_id: UUID) -> str:
    """A reference to a URI, of which the workspaces of one installation have different ones."""
    return f"/workspaces/{workspace_id}"


@lru_cache(maxsize=64)
def _workspace_of(given: str) -> UUID:
    return UUID(given.removeprefix("/workspaces/"))


def _subject(stream: Stream) -> str:
    return f"{stream.type}/{id_text(stream.id)}"


def _entry(event: CloudEvent) -> LogEntry:
    stream_type, _, stream_id = event.subject.rpartition("/")
    return LogEntry(
        id=event.id,
        type=event.type,
        workspace_id=_workspace_of(event.source),
        seq=int(event.sequence),
        stream=Stream(type=stream_type, id=msgspec.convert(stream_id, UUID)),
        version=event.streamversion,
        recorded_at=event.recordedtime,
        meta=Meta(
            actor=Actor(type=event.actortype, id=event.actorid),
            correlation_id=event.correlationid,
            occurred_at=event.time,
            causation_id=event.causationid,
            request_id=event.requestid,
        ),
        data=event.data,
        hash=event.entryhash,
    )


_decode = msgspec.json.Decoder(CloudEvent).decode
_encode = msgspec.json.Encoder(order="sorted").encode
