"""Makes and rebuilds row tables: fold every stream, COPY into a table out of sight, catch up, and swap.

Counts of rows are made anew with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final
from uuid import UUID

from psycopg import ServerCursor

from eventstore.database import Db
from eventstore.mapper import EventMapper, names_of
from eventstore.migrate import make_tenant_table
from eventstore.sealing import READABLE
from projections.table.copying import copying
from projections.table.definition import create_indexes, create_table
from projections.table.folding import fold, whole
from projections.table.following import Following, events
from projections.table.rows import RowTable
from projections.table.swapping import SCHEMA, Say, lock_tables, out_of_sight, show, swap

BATCH: Final = 5_000
SORTING_MEMORY: Final = "64MB"
"""For events in order of stream; Postgres sorts more of them on disk."""
INDEXING_MEMORY: Final = "256MB"
"""Postgres takes a process more to make an index for every 32 MB of it, up to ``max_parallel_maintenance_workers``."""

Progress = Callable[[int], None]

_EVENTS: Final = f"""
    SELECT stream_id, version, type, {READABLE}, occurred_at FROM events
    WHERE workspace_id = %s AND type = ANY(%s) AND stream_type = %s ORDER BY stream_id, version
"""
_EVENTS_OF: Final = f"""
    SELECT stream_id, version, type, {READABLE}, occurred_at FROM events
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


def ensure_tables(conn: Db, tables: tuple[RowTable[Any], ...], say: Say = lambda _: None) -> list[str]:
    """Makes missing tables and rebuilds those whose version has changed; answers their names.

    ``conn`` is the owner's. Runs while the service is up; several may start at once, and one does the work.
    """
    built = []
    with out_of_sight(conn):
        versions: dict[str, int] = dict(conn.execute("SELECT name, version FROM projection_versions").fetchall())
        there = {name for table in tables for name in physical(conn, table)}
        for table in tables:
            if versions.get(table.name) != table.version or table.table not in there:
                count = rebuild(conn, table, say=say)
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


def rebuild(conn: Db, table: RowTable[Any], progress: Progress = lambda _: None, say: Say = lambda _: None) -> int:
    """Builds the table anew from the log beside the live one and puts it in its place; answers how many rows it has.

    Commands and queries go on meanwhile, but for the moment of the swap. Raises ``NotSwappedError`` where others hold the
    live one for too long; then nothing has changed.
    """
    with out_of_sight(conn):
        rebuilding = Rebuilding(conn, table, progress, say)
        rebuilding.fill()
        rebuilding.index()
        rebuilding.finish()
        return sum(
            rebuilding.counts[workspace_id, table.decider.stream_type] for workspace_id in rebuilding.following.seen
        )


@dataclass
class Rebuilding:
    """A table on its way to be rebuilt: filled, indexed, finished; by one alone, on the owner's connection."""

    conn: Db
    table: RowTable[Any]
    progress: Progress = lambda _: None
    say: Say = lambda _: None
    mapper: EventMapper = field(default_factory=EventMapper)
    counts: Counter[tuple[UUID, str]] = field(default_factory=Counter)
    unsure: set[tuple[UUID, str]] = field(default_factory=set)
    """The counts that the database may have otherwise."""

    @cached_property
    def following(self) -> Following:
        """How much of each workspace's log is in the shadow table."""
        return Following(self.conn)

    @property
    def shadow(self) -> str:
        return f"{SCHEMA}.{self.table.table}"

    @cached_property
    def types(self) -> list[str]:
        """The types that events of these streams have, or once had: there is an index by type."""
        return sorted(names_of(self.table.decider))

    def fill(self) -> None:
        """The shadow table with all that is in the log by now."""
        make_tenant_table(self.conn, self.shadow, create_table(self.table, self.shadow))
        self.following.seen.update((each.workspace_id, each.seq) for each in self.following.behind())
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
                self.conn.execute(statement.format(index=name).encode())
        self.conn.execute(f"ANALYZE {self.shadow}".encode())

    def _fill(self, writer: Db, workspace_id: UUID) -> None:
        """One workspace's streams, as one consistent picture, streamed: memory does not grow with the log."""
        with self.conn.transaction(), self.conn.cursor(name="rebuild", binary=True) as cursor:
            self.conn.execute(f"SET LOCAL work_mem = '{SORTING_MEMORY}'".encode())
            self.following.seen[workspace_id] = self._head(workspace_id)
            cursor.execute(_EVENTS, (workspace_id, self.types, self.table.decider.stream_type), binary=True)
            self._copy(writer, workspace_id, self._watched(cursor))

    def _watched(self, cursor: ServerCursor[Any]) -> Iterator[tuple[Any, ...]]:
        while batch := cursor.fetchmany(BATCH):
            yield from batch
            self.progress(len(batch))

    def _copy(self, writer: Db, workspace_id: UUID, events: Iterator[tuple[Any, ...]]) -> None:
        table, counts = self.table, Counter[str]()
        with copying(writer, table, self.shadow) as write:
            for _, row in fold(table.decider, self.mapper, whole(events)):
                if row is not None:
                    write(table.values(workspace_id, row))
                    for kind in table.counted_as(row.state):
                        counts[kind] += 1
        self._count(workspace_id, counts)

    def _count(self, workspace_id: UUID, more: Counter[str]) -> None:
        for kind, number in more.items():
            self.counts[workspace_id, kind] += number
            self.unsure.add((workspace_id, kind))

    def finish(self) -> None:
        """Catches up with what was written meanwhile, and swaps."""
        while self._catch_up() > BATCH:
            continue
        self._compare_counts()
        swap(self.conn, self._live, partial(lock_tables, self.conn), self._catch_up, self._replace, self.say)

    def _live(self) -> list[str]:
        return physical(self.conn, self.table)

    def _replace(self, live: Sequence[str]) -> None:
        self._write_counts()
        for old in live:
            self.conn.execute(f"DROP TABLE {old}".encode())
        show(self.conn, self.table.table)
        self.conn.execute(
            "INSERT INTO projection_versions (name, version) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version, built_at = now()",
            (self.table.name, self.table.version),
        )

    def _head(self, workspace_id: UUID) -> int:
        row = self.conn.execute("SELECT seq FROM log_heads WHERE workspace_id = %s", (workspace_id,)).fetchone()
        return 0 if row is None else int(row[0])

    def _catch_up(self, most: int | None = None) -> int:
        """Folds again the streams that changed since their workspace was seen; answers how many events were written since.

        Raises ``TooFarBehindError``, and does nothing, where they are more than ``most``.
        """
        behind = self.following.behind(most)
        for workspace_id, seen, seq in behind:
            self._follow(workspace_id, seen)
            self.following.seen[workspace_id] = seq
        return events(behind)

    def _follow(self, workspace_id: UUID, seen: int) -> None:
        rows = self.conn.execute(_CHANGED, (workspace_id, self.types, self.table.decider.stream_type, seen))
        changed = [row[0] for row in rows]
        for start in range(0, len(changed), BATCH):
            self._renew(workspace_id, changed[start : start + BATCH])

    def _renew(self, workspace_id: UUID, streams: Sequence[UUID]) -> None:
        with self.conn.transaction():
            gone = self.conn.execute(
                f"DELETE FROM {self.shadow} WHERE workspace_id = %s AND id = ANY(%s)"
                " RETURNING id, state::text, version, created_at, updated_at".encode(),
                (workspace_id, streams),
            )
            counts = Counter[str]()
            for row in gone:
                counts.subtract(self.table.counted_as(self.table.current(row).state))
            self._count(workspace_id, counts)
            self._copy(self.conn, workspace_id, iter(self.conn.execute(_EVENTS_OF, (workspace_id, streams))))

    def _compare_counts(self) -> None:
        """Finds out, while nobody waits for it, which counts are not as they must be; others change only as rows do."""
        self.unsure.clear()
        kinds = [self.table.decider.stream_type, *(f"{prefix}%" for prefix in self.table.counted)]
        rows = self.conn.execute("SELECT workspace_id, kind, n FROM row_counts WHERE kind LIKE ANY(%s)", (kinds,))
        stored = {(workspace_id, kind): n for workspace_id, kind, n in rows}
        self.unsure.update(key for key in stored.keys() | self.counts.keys() if stored.get(key, 0) != self.counts[key])

    def _write_counts(self) -> None:
        """Nobody else counts these kinds while the table is locked."""
        with self.conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO row_counts (workspace_id, kind, n) VALUES (%s, %s, %s)"
                " ON CONFLICT (workspace_id, kind) DO UPDATE SET n = excluded.n",
                [(*key, self.counts[key]) for key in self.unsure],
            )
