"""Makes and rebuilds row tables: fold every stream, COPY into a shadow table, catch up under a lock, swap names.

Counts of rows are made anew with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final
from uuid import UUID

from domain.kernel import Decider
from eventstore.database import Db
from eventstore.mapper import EventMapper, UnreadableEventError, names_of
from eventstore.migrate import alone, make_tenant_table
from eventstore.rows import Change, Current
from projections.table.definition import create_indexes, create_table
from projections.table.rows import RowTable
from projections.table.swapping import swap

BATCH: Final = 5_000
LITTLE: Final = 1_000
"""So many changed streams are few enough to be folded while everybody waits."""
INDEXING_MEMORY: Final = "256MB"
"""Postgres takes a process more to make an index for every 32 MB of it, up to ``max_parallel_maintenance_workers``."""

Progress = Callable[[int], None]

_EVENTS: Final = """
    SELECT stream_id, version, type, data::text, occurred_at FROM events
    WHERE workspace_id = %s AND type = ANY(%s) AND stream_type = %s ORDER BY stream_id, version
"""
_EVENTS_OF: Final = """
    SELECT stream_id, version, type, data::text, occurred_at FROM events
    WHERE workspace_id = %s AND stream_id = ANY(%s) ORDER BY stream_id, version
"""
_CHANGED: Final = """
    SELECT DISTINCT stream_id FROM events WHERE workspace_id = %s AND type = ANY(%s) AND stream_type = %s AND seq > %s
"""
# One look for all: of a new kind of stream nothing has happened anywhere, and there is nothing to fold.
_CONCERNED: Final = """
    SELECT workspace_id FROM log_heads h
    WHERE EXISTS (SELECT FROM events e WHERE e.workspace_id = h.workspace_id AND e.type = ANY(%s) AND e.stream_type = %s)
    ORDER BY workspace_id
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


def _whole(events: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
    """The same. Raises ``UnreadableEventError`` where a stream lacks a version: it may be of a type that nobody knows."""
    last: tuple[UUID | None, int] = (None, 0)
    for event in events:
        stream_id, version = event[:2]
        expected = last[1] + 1 if stream_id == last[0] else 1
        if version != expected:
            raise UnreadableEventError(f"version {expected} of stream {stream_id} is missing, or of no known type")
        last = (stream_id, version)
        yield event


def ensure_tables(
    conn: Db, tables: tuple[RowTable[Any], ...], say: Callable[[str], None] = lambda _: None
) -> list[str]:
    """Makes missing tables and rebuilds those whose version has changed; answers their names.

    ``conn`` is the owner's. Runs while the service is up; several may start at once, and one does the work.
    """
    built = []
    with alone(conn):
        conn.execute(
            "CREATE TABLE IF NOT EXISTS projection_versions (name text PRIMARY KEY, version integer NOT NULL,"
            " built_at timestamptz NOT NULL DEFAULT now())"
        )
        conn.execute("GRANT SELECT ON projection_versions TO daybook_app")
        versions: dict[str, int] = dict(conn.execute("SELECT name, version FROM projection_versions").fetchall())
        there = {name for table in tables for name in physical(conn, table)}
        for table in tables:
            if versions.get(table.name) != table.version or table.table not in there:
                count = rebuild(conn, table)
                say(f"built {table.name} (version {table.version}, {count} rows)")
                built.append(table.name)
    return built


def physical(conn: Db, table: RowTable[Any]) -> list[str]:
    """The names of the tables that there are of it, in whichever version; at most one, but for what has no version yet."""
    rows = conn.execute(
        "SELECT relname FROM pg_class WHERE relkind = 'r' AND pg_table_is_visible(oid) AND relname ~ %s ORDER BY relname",
        (f"^{table.name}(_v[0-9]+)?$",),
    )
    return [row[0] for row in rows]


def rebuild(conn: Db, table: RowTable[Any], progress: Progress = lambda _: None) -> int:
    """Builds the table anew from the log beside the live one and puts it in its place; answers how many rows it has.

    Commands and queries go on meanwhile, but for the moment of the swap.
    """
    with alone(conn):
        rebuilding = Rebuilding(conn, table, progress)
        rebuilding.fill()
        rebuilding.index()
        rebuilding.finish()
        return sum(rebuilding.counts[workspace_id, table.decider.stream_type] for workspace_id in rebuilding.seen)


@dataclass
class Rebuilding:
    """A table on its way to be rebuilt: filled, indexed, finished; by one alone, on the owner's connection."""

    conn: Db
    table: RowTable[Any]
    progress: Progress
    mapper: EventMapper = field(default_factory=EventMapper)
    seen: dict[UUID, int] = field(default_factory=dict)
    """Up to which seq each workspace's log is in the shadow table."""
    counts: Counter[tuple[UUID, str]] = field(default_factory=Counter)

    @property
    def shadow(self) -> str:
        return f"{self.table.table}_rebuilt"

    @cached_property
    def types(self) -> list[str]:
        """The types that events of these streams have, or once had: there is an index by type."""
        return sorted(names_of(self.table.decider))

    def fill(self) -> None:
        """The shadow table with all that is in the log by now."""
        self.conn.execute(f"DROP TABLE IF EXISTS {self.shadow}".encode())
        make_tenant_table(self.conn, self.shadow, create_table(self.table, self.shadow))
        self.seen = dict(self._heads())
        with Db.connect(self.conn.info.dsn, password=self.conn.info.password, autocommit=True) as writer:
            for (workspace_id,) in self.conn.execute(
                _CONCERNED, (self.types, self.table.decider.stream_type)
            ).fetchall():
                self._fill(writer, workspace_id)

    def index(self) -> None:
        """Its indexes, made of what is sorted in memory, and by several processes where Postgres has them to spare."""
        with self.conn.transaction():
            self.conn.execute(f"SET LOCAL maintenance_work_mem = '{INDEXING_MEMORY}'".encode())
            for name, statement in create_indexes(self.table, self.shadow).items():
                self.conn.execute(statement.format(index=f"{name}_rebuilt").encode())
        self.conn.execute(f"ANALYZE {self.shadow}".encode())

    def _fill(self, writer: Db, workspace_id: UUID) -> None:
        """One workspace's streams, as one consistent picture, streamed: memory does not grow with the log."""
        with self.conn.transaction(), self.conn.cursor(name="rebuild") as cursor:
            cursor.itersize = BATCH
            self.seen[workspace_id] = self._head(workspace_id)
            cursor.execute(_EVENTS, (workspace_id, self.types, self.table.decider.stream_type))
            self._copy(writer, workspace_id, self._watched(cursor))

    def _watched(self, events: Iterable[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        for count, event in enumerate(events, 1):
            if count % BATCH == 0:
                self.progress(BATCH)
            yield event

    def _copy(self, writer: Db, workspace_id: UUID, events: Iterator[tuple[Any, ...]]) -> None:
        copying = f"COPY {self.shadow} ({', '.join(self.table.names)}) FROM STDIN".encode()
        with writer.cursor().copy(copying) as copy:
            for _, row in fold(self.table.decider, self.mapper, _whole(events)):
                if row is not None:
                    copy.write_row(self.table.values(workspace_id, row))
                    self._count(workspace_id, row, 1)

    def _count(self, workspace_id: UUID, row: Current[Any], times: int) -> None:
        for kind, number in self.table.counts(Change(row.id, None, row)):
            self.counts[workspace_id, kind] += times * number

    def finish(self) -> None:
        """Catches up with what was written meanwhile, and swaps."""
        swap(self.conn, self._catch_up, self._lock, self._replace, LITTLE)

    def _replace(self) -> None:
        self._write_counts()
        self._swap()

    def _lock(self) -> None:
        """Keeps everybody off the live table.

        Readers too: a unit of work that has read its row would wait to write it, and the swap for the unit to end.
        """
        for name in physical(self.conn, self.table):
            self.conn.execute(f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE".encode())

    def _heads(self) -> list[tuple[UUID, int]]:
        return self.conn.execute("SELECT workspace_id, seq FROM log_heads ORDER BY workspace_id").fetchall()

    def _head(self, workspace_id: UUID) -> int:
        row = self.conn.execute("SELECT seq FROM log_heads WHERE workspace_id = %s", (workspace_id,)).fetchone()
        return 0 if row is None else int(row[0])

    def _catch_up(self) -> int:
        """Folds again the streams that changed since their workspace was seen; answers how many."""
        total = 0
        for workspace_id, seq in self._heads():
            since = self.seen.get(workspace_id, 0)
            if seq == since:
                continue
            rows = self.conn.execute(_CHANGED, (workspace_id, self.types, self.table.decider.stream_type, since))
            changed = [row[0] for row in rows]
            for start in range(0, len(changed), BATCH):
                self._renew(workspace_id, changed[start : start + BATCH])
            self.seen[workspace_id] = seq
            total += len(changed)
        return total

    def _renew(self, workspace_id: UUID, streams: Sequence[UUID]) -> None:
        with self.conn.transaction():
            gone = self.conn.execute(
                f"DELETE FROM {self.shadow} WHERE workspace_id = %s AND id = ANY(%s)"
                " RETURNING id, state::text, version, created_at, updated_at".encode(),
                (workspace_id, streams),
            )
            for row in gone:
                self._count(workspace_id, self.table.current(row), -1)
            self._copy(self.conn, workspace_id, iter(self.conn.execute(_EVENTS_OF, (workspace_id, streams))))

    def _write_counts(self) -> None:
        """Nobody else counts these kinds while the table is locked."""
        kinds = [self.table.decider.stream_type, *(f"{prefix}%" for prefix in self.table.counted)]
        self.conn.execute("UPDATE row_counts SET n = 0 WHERE kind LIKE ANY(%s) AND n <> 0", (kinds,))
        with self.conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO row_counts (workspace_id, kind, n) VALUES (%s, %s, %s)"
                " ON CONFLICT (workspace_id, kind) DO UPDATE SET n = excluded.n",
                [(workspace_id, kind, number) for (workspace_id, kind), number in self.counts.items() if number],
            )

    def _swap(self) -> None:
        name, table = self.table.name, self.table.table
        for old in physical(self.conn, self.table):
            self.conn.execute(f"DROP TABLE {old}".encode())
        self.conn.execute(f"ALTER TABLE {self.shadow} RENAME TO {table}".encode())
        self.conn.execute(f"ALTER TABLE {table} RENAME CONSTRAINT {self.shadow}_pkey TO {name}_pkey".encode())
        for index in create_indexes(self.table, self.shadow):
            self.conn.execute(f"ALTER INDEX {index}_rebuilt RENAME TO {index}".encode())
        self.conn.execute(
            "INSERT INTO projection_versions (name, version) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version, built_at = now()",
            (name, self.table.version),
        )
