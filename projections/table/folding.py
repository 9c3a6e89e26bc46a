"""Folds streams: their events, in order, make the rows that they come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from typing import Any
from uuid import UUID

from domain.kernel import Decider
from eventstore.mapper import EventMapper, UnreadableEventError
from eventstore.rows import Current


def fold(
    decider: Decider[Any, Any, Any], mapper: EventMapper, events: Iterator[tuple[Any, ...]]
) -> Iterator[tuple[UUID, Current[Any] | None]]:
    """Events of ``(stream_id, version, type, data, occurred_at)``, in order of stream and version → each stream's row.

    A stream that has ended is ``None``.
    """
    decode, evolve = mapper.decode, decider.evolve
    for stream_id, stream in groupby(events, key=itemgetter(0)):
        state: Any = None
        created: Any = None
        last: tuple[Any, ...] = ()
        for last in stream:
            created = created or last[4]
            state = evolve(state, decode(stream_id, last[2], last[3]))
        yield stream_id, None if state is None else Current(stream_id, state, last[1], created, last[4])


def whole(events: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The same. Raises ``UnreadableEventError`` where a stream lacks a version: it may be of a type that nobody knows."""
    last_id: UUID | None = None
    last = 0
    for event in events:
        stream_id, version = event[0], event[1]
        if version != 1 and (version != last + 1 or stream_id != last_id):
            missing = last + 1 if stream_id == last_id else 1
            raise UnreadableEventError(f"version {missing} of stream {stream_id} is missing, or of no known type")
        last_id, last = stream_id, version
        yield event
