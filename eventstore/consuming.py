"""What a consumer of the log is given: a workspace's next events behind its checkpoint, strictly in order of ``seq``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from domain.kernel import Event
from eventstore.mapper import EventMapper
from eventstore.reader import LogGapError
from eventstore.sealing import READABLE

LOCK_CHECKPOINTS: Final[LiteralString] = """
    SELECT consumer, seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = ANY(%s)
    ORDER BY consumer FOR UPDATE
"""
BEGIN: Final[LiteralString] = """
    INSERT INTO consumer_checkpoints (workspace_id, consumer, seq) VALUES (%s, %s, 0) ON CONFLICT DO NOTHING
"""
ADVANCE: Final[LiteralString] = """
    UPDATE consumer_checkpoints SET seq = %s WHERE workspace_id = %s AND consumer = ANY(%s)
"""

_ENTRY: Final[LiteralString] = f"""
    SELECT seq, event_id, type, stream_type, stream_id, version, CASE WHEN stream_type = ANY(%s) THEN {READABLE} END,
        recorded_at, occurred_at
    FROM events
"""  # noqa: S608 - constants only
BEHIND_CHECKPOINTS: Final[LiteralString] = f"""
    {_ENTRY} WHERE workspace_id = %s AND seq > (
        SELECT max(seq) FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = ANY(%s))
    ORDER BY seq LIMIT %s
"""  # noqa: S608 - constants only
"""Behind the last of some: given the kinds of stream whose data is wanted, workspace, workspace, consumers, and how many at
most.
"""
BEHIND: Final[LiteralString] = f"""
    {_ENTRY} WHERE workspace_id = %s AND seq > %s AND seq <= %s ORDER BY seq LIMIT %s
"""
"""Given the kinds of stream whose data is wanted, workspace, the bounds, and how many at most."""


class Entry(NamedTuple):
    """An event of the log. ``data`` is its JSON, where the consumer reads that kind of stream, with the keys that open it."""

    seq: int
    event_id: UUID
    type: str
    stream_type: str
    stream_id: UUID
    version: int
    data: str | None
    recorded_at: datetime
    occurred_at: datetime


@dataclass(frozen=True, slots=True)
class Batch:
    """Consecutive events of one workspace, the first of them right behind ``after``."""

    workspace_id: UUID
    after: int
    entries: Sequence[Entry]
    _events: dict[int, Event] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def seq(self) -> int:
        """Where the log stands behind them."""
        return self.after + len(self.entries)

    def event(self, entry: Entry, mapper: EventMapper) -> Event | None:
        """What the data of one of them says, decoded once however many ask; ``None`` where the data was not wanted."""
        if entry.data is None:
            return None
        event = self._events.get(entry.seq)
        if event is None:
            event = self._events[entry.seq] = mapper.decode(entry.stream_id, entry.type, entry.data)
        return event


def batch(workspace_id: UUID, after: int, rows: Iterable[Sequence[Any]]) -> Batch:
    """Rows as they were read, as a batch. Raises ``LogGapError`` naming the first entry that is missing."""
    entries = [Entry._make(row) for row in rows]
    for expected, entry in enumerate(entries, after + 1):
        if entry.seq != expected:
            raise LogGapError(workspace_id, expected)
    return Batch(workspace_id, after, entries)
