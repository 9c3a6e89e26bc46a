"""What a log adds up to, stream by stream, and the one hash of it that says whether two logs come to the same.

States are of events as they are stored: personal fields that are sealed in them are not opened, so that the hash needs no
key and stays the same when somebody's key is destroyed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from itertools import groupby
from operator import itemgetter
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

import msgspec

from domain.catalogue import DECIDERS
from eventstore.chain import GENESIS, canonical
from eventstore.database import Connected
from eventstore.mapper import EventMapper
from eventstore.recorder import is_programs_own

BATCH: Final = 2_000
_FIRST: Final = UUID(int=0)

_EVENTS: Final[LiteralString] = """
    SELECT stream_id, version, stream_type, type, data::text FROM events
    WHERE workspace_id = %s AND (stream_id, version) > (%s, %s) AND seq <= %s ORDER BY stream_id, version LIMIT %s
"""


class Stored(NamedTuple):
    """An event as it is stored, with its place in its stream."""

    stream_id: UUID
    version: int
    stream_type: str
    type: str
    data: bytes | str


@dataclass
class States:
    """The states of all live streams, in order of id, and what they come to once they have all been gone through.

    ``hash``: of each state behind the ones before, sha256(hash so far ‖ sha256(line)), from 32 zero bytes; a line is
    ``{"id":…,"state":{…},"type":…,"version":…}`` in the form of RFC 8785.
    """

    events: Iterable[Stored]
    hash: bytes = GENESIS
    counts: Counter[str] = field(default_factory=Counter)

    def lines(self) -> Iterator[bytes]:
        """``events``, of which streams' come one after the other in order of id and version, as states."""
        mapper = EventMapper(keyless=True)
        for _, stream in groupby(self.events, key=itemgetter(0)):
            if (line := _folded(mapper, stream)) is not None:
                kind, written = line
                self.hash = sha256(self.hash + sha256(written).digest()).digest()
                self.counts[kind] += 1
                yield written

    def fold(self) -> None:
        """Goes through all of them."""
        for _ in self.lines():
            continue


def _folded(mapper: EventMapper, stream: Iterator[Stored]) -> tuple[str, bytes] | None:
    """Kind and line of a stream that has not ended; of a program's own there is no state."""
    state: Any = None
    for event in stream:
        if is_programs_own(event.stream_type):
            return None
        state = DECIDERS[event.stream_type].evolve(state, mapper.decode(event.stream_id, event.type, event.data))
    if state is None:
        return None
    line = {"type": event.stream_type, "id": event.stream_id, "version": event.version, "state": state}
    return event.stream_type, canonical(msgspec.json.encode(line))


def stored_events(connected: Connected, upto: int) -> Iterator[Stored]:
    """The events of the workspace up to a seq, stream by stream.

    A transaction for some at a time: what has been written stays as it is, so it need not be one look.
    """
    last = (_FIRST, 0)
    while True:
        with connected() as conn:
            rows = conn.execute(_EVENTS, (conn.workspace_id, *last, upto, BATCH)).fetchall()
        yield from map(Stored._make, rows)
        if len(rows) < BATCH:
            return
        last = rows[-1][:2]
