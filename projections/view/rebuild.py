"""Makes and rebuilds views: go through the log out of sight of the live view, catch up, and swap tables and checkpoints."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final
from uuid import UUID

from eventstore.consuming import BEHIND, batch
from eventstore.database import Db
from eventstore.migrate import make_tenant_table
from projections.table.following import Behind, Following, events
from projections.table.swapping import SCHEMA, Say, lock_tables, out_of_sight, show, swap
from projections.view.keeper import Keeper
from projections.view.view import Table, View

BATCH: Final = 2_000

_CONCERNED: Final = """
    SELECT workspace_id FROM log_heads h
    WHERE EXISTS (SELECT FROM events e WHERE e.workspace_id = h.workspace_id AND e.type = ANY(%s))
"""

Progress = Callable[[int, int], None]
"""Is told how many events more were gone through, and of how many."""


def ensure_views(conn: Db, views: Sequence[View], say: Say = lambda _: None) -> list[str]:
    """Makes missing views and rebuilds those whose version has changed; answers their names.

    ``conn`` is the owner's. Runs while the service is up; several may start at once, and one does the work.
    """
    built = []
    with out_of_sight(conn):
        for view in views:
            if not is_built(conn, view):
                count = rebuild(conn, view, say=say)
                say(f"built {view.name} (version {view.version}, {count} rows)")
                built.append(view.name)
    return built


def is_built(conn: Db, view: View) -> bool:
    """Whether the database has the view in this version."""
    row = conn.execute(
        "SELECT version = %s AND (SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest(%s::text[]) AS name)"
        " FROM projection_versions WHERE name = %s",
        (view.version, [table.name for table in view.tables], view.name),
    ).fetchone()
    return row == (True,)


def rebuild(conn: Db, view: View, progress: Progress = lambda *_: None, say: Say = lambda _: None) -> int:
    """Builds the view anew from the log beside the live one and puts it in its place; answers how many rows it has.

    The live one is kept and read meanwhile, but for the moment of the swap. A view has no effect but its rows.
    """
    with out_of_sight(conn):
        return _Rebuilding(conn, view, progress, say).run()


def make_reading(conn: Db, name: str, selected: str) -> None:
    """A view of Postgres on a view's tables, under any name: who reads it sees what they would see of those."""
    conn.execute(f"CREATE VIEW {name} WITH (security_invoker = true) {selected}".encode())
    conn.execute(f"GRANT SELECT ON {name} TO daybook_app".encode())


class _Rebuilding:
    def __init__(self, conn: Db, view: View, progress: Progress, say: Say) -> None:
        self._conn = conn
        self._view = view
        self._progress = progress
        self._say = say
        self._keeper = Keeper(view, {table.name: f"{SCHEMA}.{table.name}" for table in view.tables})
        self._reads = sorted(view.folds)
        self._following = Following(conn)
        """How much of each workspace's log is in the new tables."""
        self._unsure: set[UUID] = set()
        """The workspaces whose checkpoints the database may have otherwise."""
        self._total = 0
        """So many events are to be gone through, as far as is known."""

    def run(self) -> int:
        self._conn.execute("SET synchronous_commit = off")  # the swap takes all that was written before it to disk
        try:
            self._fill()
        finally:
            if not self._conn.broken:
                self._conn.execute("RESET synchronous_commit")
        self._finish()
        return sum(self._count(table) for table in self._view.tables)

    def _fill(self) -> None:
        """The shadow tables with all that is in the log by now, and their indexes."""
        for table in self._view.tables:
            self._make(table)
        self._begin()
        for table in self._view.tables:
            for name, using in table.indexes.items():
                self._conn.execute(f"CREATE INDEX {name} ON {SCHEMA}.{table.name} {using}".encode())
            self._conn.execute(f"ANALYZE {SCHEMA}.{table.name}".encode())

    def _make(self, table: Table) -> None:
        with self._conn.transaction():
            self._conn.execute(
                "SELECT set_config('search_path', %s || current_setting('search_path'), true)", (f"{SCHEMA}, ",)
            )
            make_tenant_table(self._conn, table.name, table.create(table.name))

    def _begin(self) -> None:
        """Of logs that have nothing for this view, so far, only the end is noted."""
        seen = self._following.seen
        seen.update((each.workspace_id, each.seq) for each in self._following.behind())
        concerned = self._conn.execute(_CONCERNED, (sorted(self._view.types),)).fetchall()
        whole = [Behind(workspace_id, 0, seen.get(workspace_id, 0)) for (workspace_id,) in concerned]
        self._total = events(whole)
        for each in whole:
            self._go_through(each)

    def _count(self, table: Table) -> int:
        row = self._conn.execute(f"SELECT count(*) FROM {table.name}".encode()).fetchone()
        assert row is not None
        return int(row[0])

    def _catch_up(self, most: int | None = None) -> int:
        """Goes through what was written since; answers how many events that was. Raises ``TooFarBehindError``, and does
        nothing, where they are more than ``most``.
        """
        behind = self._following.behind(most)
        self._total += events(behind)
        for each in behind:
            self._go_through(each)
            self._unsure.add(each.workspace_id)
        return events(behind)

    def _go_through(self, behind: Behind) -> None:
        workspace_id, after, seq = behind
        while after < seq:
            found = batch(
                workspace_id, after, self._conn.execute(BEHIND, (self._reads, workspace_id, after, seq, BATCH))
            )
            past = self._keeper.unknown(found)
            kept = self._keeper.kept(found, self._conn.execute(*past) if past is not None else ())
            for statement in kept.statements:
                self._conn.execute(*statement)
            self._keeper.remember(kept)
            self._progress(len(found.entries), self._total)
            after = found.seq
        self._following.seen[workspace_id] = after

    def _finish(self) -> None:
        """Catches up with what was written meanwhile, and swaps."""
        self._catch_up()
        self._compare_checkpoints()
        swap(self._conn, self._live, self._lock, self._catch_up, self._replace, self._say)

    def _live(self) -> list[str]:
        names = [table.name for table in self._view.tables]
        rows = self._conn.execute(
            "SELECT name FROM unnest(%s::text[]) AS name WHERE to_regclass(name) IS NOT NULL", (names,)
        )
        return [row[0] for row in rows]

    def _lock(self, live: Sequence[str]) -> None:
        """Waits for those who keep the view to finish what is in hand, and keeps them and its readers off it."""
        self._conn.execute("SELECT pg_advisory_xact_lock(view_lock(%s))", (self._view.name,))
        lock_tables(self._conn, live)

    def _replace(self, live: Sequence[str]) -> None:
        for name in live:
            self._conn.execute(f"DROP TABLE {name} CASCADE".encode())  # with its readings
        for table in self._view.tables:
            show(self._conn, table.name)
        for table in self._view.tables:  # a reading may be of several
            self._read(table)
        self._write_checkpoints()
        self._conn.execute(
            "INSERT INTO projection_versions (name, version) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version, built_at = now()",
            (self._view.name, self._view.version),
        )

    def _read(self, table: Table) -> None:
        for reading, selected in table.readings.items():
            self._conn.execute(f"DROP VIEW IF EXISTS {reading}".encode())
            make_reading(self._conn, reading, selected)

    def _compare_checkpoints(self) -> None:
        """Finds out, while nobody waits for it, which are not as they must be; others change only as logs grow."""
        self._unsure.clear()
        rows = self._conn.execute(
            "SELECT workspace_id, seq FROM consumer_checkpoints WHERE consumer = %s", (self._view.name,)
        )
        stored: dict[UUID, int] = dict(rows.fetchall())
        self._unsure.update(key for key, seq in self._following.seen.items() if stored.get(key) != seq)

    def _write_checkpoints(self) -> None:
        with self._conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO consumer_checkpoints (workspace_id, consumer, seq) VALUES (%s, %s, %s)"
                " ON CONFLICT (workspace_id, consumer) DO UPDATE SET seq = excluded.seq",
                [(key, self._view.name, self._following.seen[key]) for key in self._unsure],
            )
