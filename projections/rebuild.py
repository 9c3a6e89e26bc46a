"""Makes and rebuilds row tables: fold every stream, COPY into a shadow table, catch up under a lock, swap names."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import psycopg

from domain.kernel import Decider
from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.migrate import LOCK
from eventstore.rows import Current
from projections.rows import RowTable

BATCH: Final = 5_000

Progress = Callable[[int], None]

_STREAMS: Final = """
    SELECT workspace_id, stream_id, version, type, data::text, occurred_at FROM events
    WHERE workspace_id = %s AND stream_type = %s ORDER BY stream_id, version
"""


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


def ensure_tables(
    conn: Db, tables: tuple[RowTable[Any], ...], say: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Makes missing tables and rebuilds those whose version has changed; answers their names.

    ``conn`` is the owner's. Runs while the service is up: only the swap locks out writers, for the catching up.
    """
    with conn.transaction():
        conn.execute("SELECT pg_advisory_xact_lock(%s)", (LOCK,))
        conn.execute(
            "CREATE TABLE IF NOT EXISTS projection_versions (name text PRIMARY KEY, version integer NOT NULL,"
            " built_at timestamptz NOT NULL DEFAULT now())"
        )
        conn.execute("GRANT SELECT ON projection_versions TO daybook_app")
    built = []
    for table in tables:
        row = conn.execute("SELECT version FROM projection_versions WHERE name = %s", (table.table,)).fetchone()
        if row is None or row[0] != table.version:
            count = rebuild(conn, table)
            say(f"built {table.table} (version {table.version}, {count} rows)")
            built.append(table.table)
    return built


def rebuild(conn: Db, table: RowTable[Any], progress: Progress = lambda _: None) -> int:
    """Builds the table anew from the log beside the live one and puts it in its place; answers how many rows it has."""
    shadow = f"{table.table}_rebuilt"
    conn.execute(f"DROP TABLE IF EXISTS {shadow}".encode())
    conn.execute(table.create_table(shadow).encode())
    mapper = EventMapper()
    seen: dict[UUID, int] = {}
    total = 0
    for workspace_id, seq in _heads(conn):
        seen[workspace_id] = seq
        total += _fill(conn, table, shadow, mapper, workspace_id, progress)
    for name, statement in table.create_indexes(shadow).items():
        conn.execute(statement.format(index=f"{name}_rebuilt").encode())
    conn.execute(f"ANALYZE {shadow}".encode())
    with conn.transaction():
        _lock(conn, table)
        total += _catch_up(conn, table, shadow, mapper, seen)
        _swap(conn, table, shadow)
    return total


def _heads(conn: Db) -> list[tuple[UUID, int]]:
    return conn.execute("SELECT workspace_id, seq FROM log_heads ORDER BY workspace_id").fetchall()


def _fill(
    conn: Db, table: RowTable[Any], shadow: str, mapper: EventMapper, workspace_id: UUID, progress: Progress
) -> int:
    """One workspace's streams of this kind, as one consistent picture, streamed: memory does not grow with the log."""
    count = 0
    with conn.transaction(), conn.cursor(name="rebuild") as cursor:
        cursor.itersize = BATCH
        cursor.execute(_STREAMS, (workspace_id, table.decider.stream_type))
        with psycopg.connect(conn.info.dsn, password=conn.info.password, autocommit=True) as writer:
            copying = f"COPY {shadow} ({', '.join(table.names)}) FROM STDIN".encode()
            with writer.cursor().copy(copying) as copy:
                for _, row in fold(table.decider, mapper, _counting(cursor, progress)):
                    if row is not None:
                        copy.write_row(table.values(workspace_id, row))
                        count += 1
    return count


def _counting(cursor: Any, progress: Progress) -> Iterator[tuple[Any, ...]]:
    for count, (_, *event) in enumerate(cursor, 1):
        if count % BATCH == 0:
            progress(BATCH)
        yield tuple(event)


def _lock(conn: Db, table: RowTable[Any]) -> None:
    """Keeps writers of the live table out; readers go on until the swap."""
    if conn.execute("SELECT to_regclass(%s)", (table.table,)).fetchone() != (None,):
        conn.execute(f"LOCK TABLE {table.table} IN EXCLUSIVE MODE".encode())


def _catch_up(conn: Db, table: RowTable[Any], shadow: str, mapper: EventMapper, seen: dict[UUID, int]) -> int:
    """The streams that changed since their workspace was filled, folded again."""
    added = 0
    for workspace_id, seq in _heads(conn):
        if seq == seen.get(workspace_id, 0):
            continue
        changed = [
            row[0]
            for row in conn.execute(
                "SELECT DISTINCT stream_id FROM events WHERE workspace_id = %s AND stream_type = %s AND seq > %s",
                (workspace_id, table.decider.stream_type, seen.get(workspace_id, 0)),
            )
        ]
        gone = conn.execute(
            f"DELETE FROM {shadow} WHERE workspace_id = %s AND id = ANY(%s)".encode(), (workspace_id, changed)
        )
        added -= gone.rowcount
        events = conn.execute(
            "SELECT stream_id, version, type, data::text, occurred_at FROM events"
            " WHERE workspace_id = %s AND stream_id = ANY(%s) ORDER BY stream_id, version",
            (workspace_id, changed),
        )
        rows = [row for _, row in fold(table.decider, mapper, iter(events)) if row is not None]
        with conn.cursor().copy(f"COPY {shadow} ({', '.join(table.names)}) FROM STDIN".encode()) as copy:
            for row in rows:
                copy.write_row(table.values(workspace_id, row))
        added += len(rows)
    return added


def _swap(conn: Db, table: RowTable[Any], shadow: str) -> None:
    conn.execute(f"DROP TABLE IF EXISTS {table.table}".encode())
    conn.execute(f"ALTER TABLE {shadow} RENAME TO {table.table}".encode())
    conn.execute(f"ALTER TABLE {table.table} RENAME CONSTRAINT {shadow}_pkey TO {table.table}_pkey".encode())
    for name in table.create_indexes(shadow):
        conn.execute(f"ALTER INDEX {name}_rebuilt RENAME TO {name}".encode())
    conn.execute("CALL protect_tenant_table(%s::regclass, 'SELECT, INSERT, UPDATE, DELETE')", (table.table,))
    conn.execute(
        "INSERT INTO projection_versions (name, version) VALUES (%s, %s)"
        " ON CONFLICT (name) DO UPDATE SET version = excluded.version, built_at = now()",
        (table.table, table.version),
    )
