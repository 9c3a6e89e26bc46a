"""Reading the log: a stretch of it, its end, and one stream of it.

All reading is inside ``reading(pool, workspace_id)``: the log that is seen is the one of that workspace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import Decider, Event, State
from eventstore.chain import timestamp
from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.rows import Current
from eventstore.sealing import READABLE, erased_fields, is_sealed
from schemas.log import Actor, LogEntry, Meta, Stream

S = TypeVar("S", bound=State)

ENTRY_COLUMNS: Final[LiteralString] = (
    "seq, stream_type, stream_id, version, event_id, type, data::text, actor_type, actor_id, request_id,"
    " correlation_id, causation_id, occurred_at, recorded_at, hash"
)
"""The columns of ``events`` that ``entry`` makes a log entry of."""

_LOG: Final[LiteralString] = f"""
    SELECT workspace_id, {ENTRY_COLUMNS} FROM events
    WHERE workspace_id = %s AND seq > %s AND seq <= %s ORDER BY seq LIMIT %s
"""  # noqa: S608 - constants only
_LOG_OF_TYPES: Final[LiteralString] = f"""
    SELECT workspace_id, {ENTRY_COLUMNS} FROM events
    WHERE workspace_id = %s AND seq > %s AND seq <= %s AND type = ANY(%s) ORDER BY seq LIMIT %s
"""  # noqa: S608 - constants only
_STREAM: Final[LiteralString] = f"""
    SELECT workspace_id, {ENTRY_COLUMNS}, {READABLE} FROM events
    WHERE workspace_id = %s AND stream_id = %s AND version > %s AND version <= %s AND seq <= %s
        AND (%s::timestamptz IS NULL OR version <= (
            SELECT max(version) FROM events
            WHERE workspace_id = %s AND stream_id = %s AND occurred_at <= %s::timestamptz))
    ORDER BY version
"""  # noqa: S608 - constants only
_READABLE: Final[LiteralString] = f"""
    SELECT seq, stream_id, type, {READABLE} FROM events WHERE workspace_id = %s AND seq = ANY(%s)
"""  # noqa: S608 - constants only
_HEAD: Final[LiteralString] = "SELECT seq, hash FROM log_heads WHERE workspace_id = %s"
_LAST: Final = 2**63 - 1
_LAST_VERSION: Final = 2**31 - 1


class LogGapError(Exception):
    """The log lacks an entry that must be there; ``seq`` says which."""

    def __init__(self, workspace_id: UUID, seq: int) -> None:
        super().__init__(f"the log of workspace {workspace_id} has no entry {seq}, though later ones were written")
        self.workspace_id = workspace_id
        self.seq = seq


@dataclass(frozen=True, slots=True)
class Happened:
    """An event of a stream, and the log entry that says when, by whom and why."""

    event: Event
    entry: LogEntry
    erased: tuple[str, ...] = ()
    """Fields that cannot be read any more."""


def entry(workspace_id: UUID, row: Sequence[Any]) -> LogEntry:
    """A row of ``ENTRY_COLUMNS`` as auditors read it."""
    return LogEntry(
        id=row[4],
        type=row[5],
        workspace_id=workspace_id,
        seq=row[0],
        stream=Stream(type=row[1], id=row[2]),
        version=row[3],
        recorded_at=timestamp(row[13]),
        meta=Meta(
            actor=Actor(type=row[7], id=row[8]),
            correlation_id=row[10],
            occurred_at=timestamp(row[12]),
            causation_id=row[11],
            request_id=row[9],
        ),
        data=msgspec.Raw(row[6]),
        hash=row[14].hex(),
    )


def head(conn: Db) -> tuple[int, bytes]:
    """``(seq, hash)`` of the log's last entry; ``(0, GENESIS)`` of an empty one."""
    row = conn.execute(_HEAD, (conn.workspace_id,)).fetchone()
    return (0, bytes(32)) if row is None else (row[0], bytes(row[1]))


def read_log(
    conn: Db, *, after: int = 0, limit: int, types: Sequence[str] = (), upto: int | None = None
) -> list[LogEntry]:
    """The next ``limit`` entries behind ``after``, in order of ``seq``: all of them, or those of some types."""
    last = _LAST if upto is None else upto
    if types:
        rows = conn.execute(_LOG_OF_TYPES, (conn.workspace_id, after, last, list(types), limit))
    else:
        rows = conn.execute(_LOG, (conn.workspace_id, after, last, limit))
    return [entry(row[0], row[1:]) for row in rows]


def with_opened(conn: Db, entries: Sequence[LogEntry], mapper: EventMapper) -> list[LogEntry]:
    """The entries, of which those in which something is sealed say it beside their data."""
    wanted = [entry.seq for entry in entries if is_sealed(bytes(entry.data))]
    rows = conn.execute(_READABLE, (conn.workspace_id, wanted)) if wanted else ()
    found = {row[0]: mapper.opened(row[1], row[2], row[3]).data for row in rows}
    return [
        msgspec.structs.replace(entry, opened=msgspec.Raw(msgspec.json.encode(found[entry.seq])))
        if entry.seq in found
        else entry
        for entry in entries
    ]


def read_stream(
    conn: Db,
    stream_id: UUID,
    mapper: EventMapper,
    *,
    after_version: int = 0,
    upto_version: int | None = None,
    upto_seq: int | None = None,
    upto_time: datetime | None = None,
) -> list[Happened]:
    """What happened to one thing, from its beginning or behind a version: all, or up to a version, a seq or a time.

    The time is that of the decision, which rows show as ``updatedAt``. Where clocks disagree, all that came before
    an event of that time is told too, so that the answer is always a beginning of the stream.
    """
    bounds = (
        conn.workspace_id,
        stream_id,
        after_version,
        _LAST_VERSION if upto_version is None else upto_version,
        _LAST if upto_seq is None else upto_seq,
        upto_time,
        conn.workspace_id,
        stream_id,
        upto_time,
    )
    rows = [(row[-1], entry(row[0], row[1:])) for row in conn.execute(_STREAM, bounds)]
    return [Happened(mapper.decode(stream_id, found.type, data), found, erased_fields(data)) for data, found in rows]


def fold_stream(
    conn: Db,
    decider: Decider[Any, Any, S],
    stream_id: UUID,
    mapper: EventMapper,
    *,
    upto_version: int | None = None,
    upto_seq: int | None = None,
    upto_time: datetime | None = None,
) -> Current[S] | None:
    """One thing as it was at a version, a seq or a time; ``None`` where it had not begun or had ended."""
    state: S | None = None
    happened = read_stream(conn, stream_id, mapper, upto_version=upto_version, upto_seq=upto_seq, upto_time=upto_time)
    for item in happened:
        state = decider.evolve(state, item.event)
    if state is None:
        return None
    first, last = happened[0].entry, happened[-1].entry
    return Current(
        id=stream_id,
        state=state,
        version=last.version,
        created_at=datetime.fromisoformat(first.meta.occurred_at),
        updated_at=datetime.fromisoformat(last.meta.occurred_at),
    )
