"""Makes and rebuilds row tables: fold every stream, COPY into a table out of sight, catch up, and swap.

Counts of rows are made anew with them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property, partial
from itertools import chain
from typing import Any, Final
from uuid import UUID

from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.migrate import make_tenant_table
from eventstore.sealing import READABLE
from projections.table.definition import create_indexes, create_table
from projections.table.following import Following, events
from projections.table.parts import Copied, Part, Share, batches, copy, types, write
from projections.table.rows import RowTable
from projections.table.swapping import SCHEMA, Say, lock_tables, out_of_sight, show, swap

BATCH: Final = 5_000
WORTH_SHARING: Final = 3
"""Batches: for fewer, to start others takes longer than to do it."""
INDEXING_MEMORY: Final = "256MB"
"""Postgres takes a process more to make an index for every 32 MB of it, up to ``max_parallel_maintenance_workers``."""

Progress = Callable[[int, int], None]
"""Is told how many events more were gone through, and of how many."""

_EVENTS_OF: Final = f"""
    SELECT stream_id, version, type, {READABLE}, occurred_at FROM events
    WHERE workspace_id = %s AND stream_id = ANY(%s) ORDER BY stream_id, version
"""
_CHANGED: Final = """
    SELECT DISTINCT stream_id FROM events WHERE workspace_id = %s AND type = ANY(%s) AND stream_type = %s AND seq > %s
"""


def ensure_tables(
    conn: Db, tables: tuple[RowTable[Any], ...], say: Say = lambda _: None, share: Share | None = None
) -> list[str]:
    """Makes missing tables and rebuilds those whose version has changed; answers their names.

    ``conn`` is the owner's. Runs while the service is up; several may start at once, and one does the work, with those who
    ``share`` it.
    """
    built = []
    with out_of_sight(conn):
        versions: dict[str, int] = dict(conn.execute("SELECT name, version FROM projection_versions").fetchall())
        there = {name for table in tables for name in physical(conn, table)}
        for table in tables:
            if versions.get(table.name) != table.version or table.table not in there:
                count = rebuild(conn, table, say=say, share=share)
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


def rebuild(
    conn: Db,
    table: RowTable[Any],
    progress: Progress = lambda *_: None,
    say: Say = lambda _: None,
    share: Share | None = None,
) -> int:
    """Builds the table anew from the log beside the live one and puts it in its place; answers how many rows it has.

    Commands and queries go on meanwhile, but for the moment of the swap. Raises ``NotSwappedError`` where others hold the
    live one for too long; then nothing has changed.
    """
    with out_of_sight(conn):
        rebuilding = Rebuilding(conn, table, progress, say, share)
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
    progress: Progress = lambda *_: None
    say: Say = lambda _: None
    share: Share | None = None
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

    def fill(self) -> None:
        """The shadow table with all that is in the log by now: where that is much, by several who share it."""
        make_tenant_table(self.conn, self.shadow, create_table(self.table, self.shadow))
        self.following.seen.update((each.workspace_id, each.seq) for each in self.following.behind())
        found = batches(self.conn, self.table)
        share = self._alone if self.share is None or len(found) < WORTH_SHARING else self.share
        total = sum(part.events for part in chain.from_iterable(found))
        seen: dict[UUID, int] = {}
        for part, seq, counts in share(self.table, self.shadow, found):
            # What came behind the first picture of a workspace may be missing from that one only: it is folded again.
            seen[part.workspace_id] = min(seq, seen.get(part.workspace_id, seq))
            self._count(part.workspace_id, counts)
            self.progress(part.events, total)
        self.following.seen.update(seen)

    def _alone(self, table: RowTable[Any], into: str, found: Iterable[Sequence[Part]]) -> Iterator[Copied]:
        with Db.connect(self.conn.info.dsn, password=self.conn.info.password, autocommit=True) as writer:
            for part in chain.from_iterable(found):
                yield copy(self.conn, writer, table, into, part, self.mapper)

    def index(self) -> None:
        """Its indexes, made of what is sorted in memory, and by several processes where Postgres has them to spare."""
        with self.conn.transaction():
            self.conn.execute(f"SET LOCAL maintenance_work_mem = '{INDEXING_MEMORY}'".encode())
            for name, statement in create_indexes(self.table, self.shadow).items():
                self.conn.execute(statement.format(index=name).encode())
        self.conn.execute(f"ANALYZE {self.shadow}".encode())

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
        rows = self.conn.execute(_CHANGED, (workspace_id, types(self.table), self.table.decider.stream_type, seen))
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
            events = iter(self.conn.execute(_EVENTS_OF, (workspace_id, streams)))
            self._count(workspace_id, write(self.conn, self.table, self.shadow, workspace_id, events, self.mapper))

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
