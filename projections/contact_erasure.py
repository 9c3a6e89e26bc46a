"""What tells of erased contacts outside the rows and the log: found by the events that are sealed with their keys."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from eventstore.database import Db
from eventstore.idempotency import unname
from eventstore.mapper import EventMapper
from eventstore.reader import read_stream
from eventstore.rows import Current
from projections.contact_alike_kept import NAME as ALIKE
from projections.contact_merge import CONTACT_MERGES
from projections.table.rows import RowTable
from projections.view.past import NAME as PAST

# Their own streams, and of others what is sealed with their key: each by an index of its own. An event of three or more is in a
# stream that has another of theirs, which tells of two at most.
_FOUND: Final[LiteralString] = """
    SELECT seq, stream_type, stream_id FROM events
    WHERE workspace_id = %(workspace)s AND stream_id = ANY(%(persons)s) AND data ? '$sealed'
    UNION
    SELECT seq, stream_type, stream_id FROM events
    WHERE workspace_id = %(workspace)s AND (data->'$sealed'->'persons'->>0)::uuid <> stream_id
        AND (data->'$sealed'->'persons'->>0)::uuid = ANY(%(persons)s)
    UNION
    SELECT seq, stream_type, stream_id FROM events
    WHERE workspace_id = %(workspace)s AND data->'$sealed'->'persons'->>1 IS NOT NULL
        AND (data->'$sealed'->'persons'->>1)::uuid = ANY(%(persons)s)
"""
_SEALED: Final[LiteralString] = f"""
    WITH found AS ({_FOUND})
    SELECT seq, stream_type, stream_id FROM found
    UNION
    SELECT e.seq, e.stream_type, e.stream_id FROM events e
    WHERE e.workspace_id = %(workspace)s AND e.stream_id IN (SELECT stream_id FROM found)
        AND e.data->'$sealed'->'persons' ?| %(persons)s::text[]
"""
_TOLD: Final[LiteralString] = f"""
    SELECT stream_type, stream_id, count(*), min(seq), max(seq) FROM ({_SEALED}) AS sealed
    GROUP BY stream_type, stream_id ORDER BY stream_type, stream_id
"""
_BESIDE: Final[LiteralString] = """
    SELECT DISTINCT person::uuid FROM events, jsonb_array_elements_text(data->'$sealed'->'persons') AS person
    WHERE workspace_id = %s AND stream_id = ANY(%s)
"""
_MERGED: Final = f"""
    SELECT loser_id FROM {CONTACT_MERGES.table} WHERE workspace_id = %s AND winner_id = ANY(%s) AND NOT undone
"""
_MERGES: Final = f"""
    SELECT id FROM {CONTACT_MERGES.table} WHERE workspace_id = %(workspace)s
        AND (winner_id = ANY(%(persons)s) OR loser_id = ANY(%(persons)s)) ORDER BY id
"""
# A key that was used stays used; what was answered is gone (eventstore/idempotency.py).
_ANSWERS: Final[LiteralString] = """
    UPDATE idempotency_keys SET body = NULL, headers = NULL, request_hash = ''
    WHERE workspace_id = %(workspace)s AND body IS NOT NULL
        AND (convert_from(body, 'UTF8') ~ array_to_string(%(ids)s::uuid[], '|')
            OR EXISTS (SELECT FROM unnest(%(addresses)s::text[]) AS one WHERE position(one IN convert_from(body, 'UTF8')) > 0))
"""
_EXCERPTS: Final[LiteralString] = f"""
    UPDATE webhook_attempts SET response_excerpt = NULL
    WHERE workspace_id = %(workspace)s AND delivery_id IN (
        SELECT id FROM webhook_deliveries WHERE workspace_id = %(workspace)s
            AND seq IN (SELECT e.seq FROM events e WHERE e.workspace_id = %(workspace)s
                AND e.stream_id IN (SELECT stream_id FROM ({_SEALED}) AS sealed)))
"""
_ROW_ERRORS: Final[LiteralString] = """
    DELETE FROM job_errors WHERE workspace_id = %(workspace)s
        AND EXISTS (SELECT FROM unnest(%(values)s::text[]) AS value WHERE position(value IN message) > 0)
"""
# Nobody looks there again once a job has ended, but for what a bundle has in it: of that nothing is personal.
_OPTIONS: Final[LiteralString] = """
    UPDATE jobs SET options = '{}'
    WHERE workspace_id = %(workspace)s AND status <> 'processing' AND kind <> 'audit_export' AND options <> '{}'
"""


_WAIT: Final[LiteralString] = """
    SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer = ANY(%s) ORDER BY consumer FOR UPDATE
"""


class Told(NamedTuple):
    """A stream with events that are sealed with the key of a person, or of one among several."""

    kind: str
    id: UUID
    events: int
    first_seq: int
    last_seq: int


def told(conn: Db, persons: Sequence[UUID]) -> list[Told]:
    """The streams that tell of these contacts, or once did."""
    return [Told(*row) for row in conn.execute(_TOLD, {"workspace": conn.workspace_id, "persons": list(persons)})]


def beside(conn: Db, streams: Iterable[Told]) -> set[UUID]:
    """The contacts of whom the events of these streams tell."""
    return {row[0] for row in conn.execute(_BESIDE, (conn.workspace_id, [stream.id for stream in streams]))}


def merged_into(conn: Db, contact_id: UUID) -> list[UUID]:
    """The contacts that are this one now, as they were merged into it or into one of those."""
    found: list[UUID] = []
    winners = [contact_id]
    while winners:
        rows = conn.execute(_MERGED.encode(), (conn.workspace_id, winners))
        winners = [row[0] for row in rows if row[0] not in (contact_id, *found)]
        found += winners
    return sorted(found)


def merges_of(conn: Db, persons: Sequence[UUID]) -> list[UUID]:
    """The merges that these contacts had a part in, undone or not."""
    rows = conn.execute(_MERGES.encode(), {"workspace": conn.workspace_id, "persons": list(persons)})
    return [row[0] for row in rows]


def clear(conn: Db, persons: Sequence[UUID], values: Sequence[str]) -> None:
    """Takes away what is kept of these contacts beside rows and log: answers to commands and keys that name them, what receivers of webhooks said,
    what jobs that have ended were asked, and what was wrong with rows of imports that names one of the ``values``.

    Answers are those that have their ids, or an e-mail address or phone number among the values: names may be words.
    """
    addresses = [value for value in values if "@" in value or value.startswith("+")]
    params = {
        "workspace": conn.workspace_id,
        "persons": list(persons),
        "ids": list(persons),
        "values": list(values),
        "addresses": addresses,
    }
    for statement in (_ANSWERS, _EXCERPTS, _ROW_ERRORS, _OPTIONS):
        conn.execute(statement, params)
    unname(conn, {word for value in values for word in value.split()})


def hold_kept(conn: Db) -> None:
    """Waits for who keeps the past of rows and who keeps groups of duplicates, and keeps them from going on: what they read
    behind this, they read without keys and without the contacts.
    """
    conn.execute(_WAIT, (conn.workspace_id, [ALIKE, PAST]))


def clear_past(conn: Db, streams: Iterable[Told], mapper: EventMapper, tables: Mapping[str, RowTable[Any]]) -> None:
    """Has the past of these streams be what the log can still tell of it, as where it is built anew."""
    for stream in streams:
        table = tables[stream.kind]
        columns = [name for name in table.names if name not in ("workspace_id", "id", "version")]
        sets = ", ".join(f"{name} = %s::{table.kinds[name]}" for name in columns)
        query = f"UPDATE past_{table.name} SET {sets} WHERE workspace_id = %s AND id = %s AND version = %s".encode()
        for current in _versions(conn, table, stream.id, mapper):
            values = dict(zip(table.names, table.values(conn.workspace_id, current), strict=True))
            here = (conn.workspace_id, stream.id, current.version)
            conn.execute(query, (*(values[name] for name in columns), *here))


def _versions(conn: Db, table: RowTable[Any], stream_id: UUID, mapper: EventMapper) -> Iterator[Current[Any]]:
    """How a stream stood behind each of its events, where it did."""
    state, begun = None, None
    for version, happened in enumerate(read_stream(conn, stream_id, mapper), 1):
        at = datetime.fromisoformat(happened.entry.meta.occurred_at)
        begun = begun or at
        state = table.decider.evolve(state, happened.event)
        if state is not None:
            yield Current(stream_id, state, version, begun, at)
