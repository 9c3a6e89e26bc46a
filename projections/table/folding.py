"""Folds streams: their events, in order, make the rows that they come to."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
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
    stream_id: UUID | None = None
    state: Any = None
    created: datetime | None = None
    row: Current[Any] | None = None
    for found_id, version, event_type, data, occurred_at in events:
        if found_id != stream_id:
            if stream_id is not None:
                yield stream_id, row
            stream_id, state, created = found_id, None, None
        created = occurred_at if created is None else created
        state = decider.evolve(state, mapper.decode(found_id, event_type, data))
        row = None if state is None else Current(found_id, state, version, created, occurred_at)
    if stream_id is not None:
        yield stream_id, row


def whole(events: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The same. Raises ``UnreadableEventError`` where a stream lacks a version: it may be of a type that nobody knows."""
    last: tuple[UUID | None, int] = (None, 0)
    for event in events:
        stream_id, version = event[:2]
        expected = last[1] + 1 if stream_id == last[0] else 1
        if version != expected:
            raise UnreadableEventError(f"version {expected} of stream {stream_id} is missing, or of no known type")
        last = (stream_id, version)
        yield event
