"""The streams of a table in parts of about as many events, each of which can be folded and copied by itself, anywhere."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, NamedTuple
from uuid import UUID

from psycopg import ServerCursor

from eventstore.database import Db
from eventstore.mapper import EventMapper, names_of
from eventstore.sealing import READABLE
from projections.table.copying import copying
from projections.table.folding import fold, whole
from projections.table.rows import RowTable

FETCHED: Final = 5_000
"""Events that are held in memory at a time."""
SORTING_MEMORY: Final = "64MB"
"""For events in order of stream; Postgres sorts more of them on disk."""
PART: Final = 25_000
"""Events of a part, about: a stream is in one part, however long it is."""
FIRST: Final = UUID(int=0)
LAST: Final = UUID(int=2**128 - 1)

_EVENTS: Final = f"""
    SELECT stream_id, version, type, {READABLE}, occurred_at FROM events
    WHERE workspace_id = %s AND type = ANY(%s) AND stream_type = %s AND stream_id BETWEEN %s AND %s
    ORDER BY stream_id, version
"""
_HEAD: Final = "SELECT seq FROM log_heads WHERE workspace_id = %s"
# One look for all: of a new kind of stream nothing has happened anywhere, and there is nothing to fold.
_CONCERNED: Final = """
    SELECT h.workspace_id, e.n FROM log_heads h CROSS JOIN LATERAL (
        SELECT count(*) AS n FROM events e
        WHERE e.workspace_id = h.workspace_id AND e.type = ANY(%s) AND e.stream_type = %s
    ) e WHERE e.n > 0 ORDER BY h.workspace_id
"""
_BOUNDS: Final = """
    SELECT DISTINCT stream_id FROM (
        SELECT stream_id, row_number() OVER (ORDER BY stream_id) AS place FROM events
        WHERE workspace_id = %s AND type = ANY(%s) AND stream_type = %s
    ) e WHERE place %% %s = 0 ORDER BY stream_id
"""


class Part(NamedTuple):
    """The streams of a workspace whose ids are from ``first`` to ``last``: about so many ``events``."""

    workspace_id: UUID
    events: int
    first: UUID = FIRST
    last: UUID = LAST


class Copied(NamedTuple):
    """A part that is in the table, of all that is in the log up to ``seq``, and what is to be counted of it."""

    part: Part
    seq: int
    counts: Counter[str]


Share = Callable[[RowTable[Any], str, Iterable[Sequence[Part]]], Iterator[Copied]]
"""Copies parts of a table into the table of a name: each of a batch by one, and batches by several at a time, in any order."""


def types(table: RowTable[Any]) -> list[str]:
    """The types that events of these streams have, or once had: there is an index by type."""
    return sorted(names_of(table.decider))


def batches(conn: Db, table: RowTable[Any]) -> list[list[Part]]:
    """All streams of the table, in batches of about as many events: parts of large logs, and small logs together."""
    found: list[list[Part]] = [[]]
    room = PART
    for workspace_id, events in conn.execute(_CONCERNED, (types(table), table.decider.stream_type)).fetchall():
        for part in _parts(conn, table, workspace_id, events):
            if part.events > room and found[-1]:
                found.append([])
                room = PART
            found[-1].append(part)
            room -= part.events
    return found if found[-1] else []


def _parts(conn: Db, table: RowTable[Any], workspace_id: UUID, events: int) -> Iterator[Part]:
    first = FIRST
    if events > PART:
        asked = (workspace_id, types(table), table.decider.stream_type, PART)
        for (last,) in conn.execute(_BOUNDS, asked).fetchall():
            yield Part(workspace_id, PART, first, last)
            first = UUID(int=last.int + 1)
    yield Part(workspace_id, events % PART, first)


def copy(conn: Db, writer: Db, table: RowTable[Any], into: str, part: Part, mapper: EventMapper) -> Copied:
    """Reads a part, as one consistent picture, and writes its rows; streamed: memory does not grow with what is in it.

    Both connections are the owner's, and autocommitting.
    """
    with conn.transaction(), conn.cursor(name="rebuild", binary=True) as cursor:
        conn.execute(f"SET LOCAL work_mem = '{SORTING_MEMORY}'".encode())
        head = conn.execute(_HEAD, (part.workspace_id,)).fetchone()
        streams = (part.workspace_id, types(table), table.decider.stream_type, part.first, part.last)
        cursor.execute(_EVENTS, streams, binary=True)
        counts = write(writer, table, into, part.workspace_id, _fetched(cursor), mapper)
    return Copied(part, 0 if head is None else int(head[0]), counts)


def _fetched(cursor: ServerCursor[Any]) -> Iterator[tuple[Any, ...]]:
    while found := cursor.fetchmany(FETCHED):
        yield from found


def write(
    writer: Db,
    table: RowTable[Any],
    into: str,
    workspace_id: UUID,
    events: Iterator[tuple[Any, ...]],
    mapper: EventMapper,
) -> Counter[str]:
    """Folds these events, and writes the rows that they come to; answers what is to be counted."""
    counts = Counter[str]()
    with copying(writer, table, into) as add:
        for _, row in fold(table.decider, mapper, whole(events)):
            if row is not None:
                add(table.values(workspace_id, row))
                for kind in table.counted_as(row.state):
                    counts[kind] += 1
    return counts
