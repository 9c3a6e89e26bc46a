"""Appending to a workspace's log: gapless, chained, and last in the transaction."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

import psycopg

from eventstore.chain import halves, id_text, link, timestamp
from eventstore.database import Db
from eventstore.ids import new_id
from eventstore.recordset import insert_many
from schemas.log import Actor

_APPEND: Final[LiteralString] = """
    SELECT append_events(%s, %s::text[], %s::uuid[], %s::integer[], %s::uuid[], %s::text[], %s::text[], %s::text[],
        %s::text[], %s, %s, %s, %s, %s::uuid[], %s, %s::text[], %s::bigint[], %s, %s)
"""
_APPEND_OF_NEW: Final[LiteralString] = f"""
    WITH made AS (INSERT INTO person_keys (workspace_id, person_id, key) VALUES (%s, %s, %s)) {_APPEND}
"""  # noqa: S608 - constants only
_LOCK_HEAD: Final[LiteralString] = """
    SELECT seq, hash, greatest(clock_timestamp(), recorded_at), definitions
    FROM log_heads WHERE workspace_id = %s FOR UPDATE
"""
_COLUMNS: Final = {
    "seq": "bigint",
    "stream_type": "text",
    "stream_id": "uuid",
    "version": "integer",
    "event_id": "uuid",
    "type": "text",
    "data": "jsonb",
    "causation_id": "uuid",
    "hash": "bytea",
}
"""Of an event, what is not the same in all events of one unit of work."""
_MOVE_HEAD: Final[LiteralString] = """
    UPDATE log_heads SET seq = %s, hash = %s, recorded_at = %s, definitions = %s WHERE workspace_id = %s
"""
_COUNT: Final[LiteralString] = """
    INSERT INTO row_counts AS counted VALUES (%s, %s, %s)
    ON CONFLICT (workspace_id, kind) DO UPDATE SET n = counted.n + excluded.n
"""


@dataclass(frozen=True)
class Origin:
    """Who acts, for which request, and in which chain of causes: the metadata of every event of one unit of work."""

    workspace_id: UUID
    actor: Actor
    request_id: str | None = None
    correlation_id: UUID = field(default_factory=new_id)
    causation_id: UUID | None = None
    visible_to: UUID | None = None
    """The user who acts and sees only what is assigned to them; not in any event."""


class Basis(NamedTuple):
    """By which definitions of fields was decided, if by any; and whether they are changed."""

    definitions: int | None = None
    redefines: bool = False


class Staged(NamedTuple):
    """An event decided but not yet written; ``data`` is canonical JSON."""

    stream_type: str
    stream_id: UUID
    version: int
    event_type: str
    data: str
    event_id: UUID
    causation_id: UUID | None


class NewKey(NamedTuple):
    """The key of somebody of whom nothing was known before (``eventstore/persons.py``)."""

    person_id: UUID
    key: bytes


def _halves(origin: Origin, staged: Sequence[Staged], occurred_at: str) -> list[tuple[str, str]]:
    """Of each event the two parts of its canonical form; what is the same in all of them is written once."""
    workspace_id, correlation_id = id_text(origin.workspace_id), id_text(origin.correlation_id)
    actor_id = None if origin.actor.id is None else id_text(origin.actor.id)
    causes = {cause: None if cause is None else id_text(cause) for cause in {event.causation_id for event in staged}}
    return [
        halves(
            workspace_id=workspace_id,
            stream_type=event.stream_type,
            stream_id=id_text(event.stream_id),
            version=event.version,
            event_id=id_text(event.event_id),
            event_type=event.event_type,
            data=event.data,
            actor_type=origin.actor.type,
            actor_id=actor_id,
            request_id=origin.request_id,
            correlation_id=correlation_id,
            causation_id=causes[event.causation_id],
            occurred_at=occurred_at,
        )
        for event in staged
    ]


def _names(values: Iterable[object]) -> str:
    """An array as Postgres reads it, of what needs no quotes: ids, numbers, and names of ours.

    psycopg's own way takes as long as all the rest of a statement.
    """
    return "{" + ",".join(map(str, values)) + "}"


def _texts(values: Iterable[str]) -> str:
    """An array of texts, whatever is in them."""
    return '{"' + '","'.join([value.replace("\\", "\\\\").replace('"', '\\"') for value in values]) + '"}'


def append(
    conn: Db,
    origin: Origin,
    staged: Sequence[Staged],
    occurred_at: datetime,
    counts: Mapping[str, int],
    basis: Basis = Basis(),  # noqa: B008 - a tuple, which nobody changes
    new: NewKey | None = None,
) -> psycopg.Cursor[tuple[int]]:
    """Appends the events, adds to the counts and keeps the key of who is new; the cursor's one row has the last ``seq``.

    Refused by Postgres (``SerializationFailure``) where the definitions are others than was decided by.
    The cursor is not waited for, so that append and commit are one round trip in a pipeline.
    """
    written = timestamp(occurred_at)
    parts = _halves(origin, staged, written)
    deltas = {kind: delta for kind, delta in sorted(counts.items()) if delta}
    kinds, ids, versions, types, data, event_ids, causes = zip(*staged, strict=True)
    befores, afters = zip(*parts, strict=True)
    params = (
        origin.workspace_id,
        _names(kinds),
        _names(map(id_text, ids)),
        _names(versions),
        _names(map(id_text, event_ids)),
        _names(types),
        _texts(data),
        _texts(befores),
        _texts(afters),
        origin.actor.type,
        origin.actor.id,
        origin.request_id,
        origin.correlation_id,
        _names(["NULL" if cause is None else id_text(cause) for cause in causes]),
        occurred_at,
        _names(deltas),
        _names(deltas.values()),
        *basis,
    )
    if new is None:
        return conn.execute(_APPEND, params)
    return conn.execute(_APPEND_OF_NEW, (conn.workspace_id, *new, *params))


def append_bulk(
    conn: Db,
    origin: Origin,
    staged: Sequence[Staged],
    occurred_at: datetime,
    counts: Mapping[str, int],
    basis: Basis = Basis(),  # noqa: B008 - a tuple, which nobody changes
) -> int:
    """Like ``append`` for many events: hashes here, writes in one statement, answers the last ``seq``.

    Waits for the head, so it cannot be used inside a pipeline.
    """
    written = timestamp(occurred_at)
    parts = _halves(origin, staged, written)
    head = conn.execute(_LOCK_HEAD, (origin.workspace_id,)).fetchone()
    if head is None:
        raise psycopg.errors.NoDataFound(f"workspace {origin.workspace_id} has no log")
    seq, hashed, recorded_at, definitions = head
    if basis.definitions not in (None, definitions):
        raise psycopg.errors.SerializationFailure(f"the definitions of workspace {origin.workspace_id} have changed")
    recorded = timestamp(recorded_at)
    rows = []
    for event, (before, after) in zip(staged, parts, strict=True):
        seq += 1
        hashed = link(hashed, before, recorded, seq, after)
        rows.append(
            (
                seq, event.stream_type, event.stream_id, event.version, event.event_id, event.event_type, event.data,
                event.causation_id, hashed,
            )
        )  # fmt: skip
    same = {
        "actor_type": origin.actor.type,
        "actor_id": origin.actor.id,
        "request_id": origin.request_id,
        "correlation_id": origin.correlation_id,
        "occurred_at": occurred_at,
        "recorded_at": recorded_at,
    }
    insert_many(conn, "events", _COLUMNS, rows, same)
    conn.execute(_MOVE_HEAD, (seq, hashed, recorded_at, definitions + basis.redefines, origin.workspace_id))
    for kind, delta in sorted(counts.items()):
        conn.execute(_COUNT, (origin.workspace_id, kind, delta))
    return int(seq)
