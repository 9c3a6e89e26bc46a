"""Makes and rebuilds views: go through the log beside the live view, catch up, and swap names and checkpoints.

Nothing of a build counts before the swap. One that was interrupted leaves tables that the next one drops.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Final

from eventstore.consuming import BEHIND, batch
from eventstore.database import Db
from eventstore.migrate import alone, make_tenant_table
from projections.table.swapping import swap
from projections.view.keeper import Keeper
from projections.view.view import Table, View

BATCH: Final = 2_000
LITTLE: Final = 1_000
"""So many events are few enough to be gone through while everybody waits."""

_HEADS: Final = "SELECT workspace_id, seq FROM log_heads WHERE seq > 0"
_CONCERNED: Final = """
    SELECT workspace_id FROM log_heads h
    WHERE EXISTS (SELECT FROM events e WHERE e.workspace_id = h.workspace_id AND e.type = ANY(%s))
"""

Progress = Callable[[int], None]


def ensure_views(conn: Db, views: Sequence[View], say: Callable[[str], None] = lambda _: None) -> list[str]:
    """Makes missing views and rebuilds those whose version has changed; answers their names.

    ``conn`` is the owner's. Runs while the service is up; several may start at once, and one does the work.
    """
    built = []
    with alone(conn):
        for view in views:
            if not is_built(conn, view):
                count = rebuild(conn, view)
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


def rebuild(conn: Db, view: View, progress: Progress = lambda _: None) -> int:
    """Builds the view anew from the log beside the live one and puts it in its place; answers how many rows it has.

    The live one is kept and read meanwhile, but for the moment of the swap. A view has no effect but its rows.
    """
    with alone(conn):
        return _Rebuilding(conn, view, progress).run()


class _Rebuilding:
    def __init__(self, conn: Db, view: View, progress: Progress) -> None:
        self._conn = conn
        self._view = view
        self._progress = progress
        self._shadows = {table.name: f"{table.name}_rebuilt" for table in view.tables}
        self._keeper = Keeper(view, self._shadows)
        self._reads = sorted(view.folds)
        self._seen: dict[object, int] = {}
        """Up to which seq each workspace's log is in the shadow tables."""

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
            self._conn.execute(f"DROP TABLE IF EXISTS {self._shadows[table.name]}".encode())
            make_tenant_table(self._conn, self._shadows[table.name], table.create(self._shadows[table.name]))
        self._begin()
        self._catch_up()
        for table in self._view.tables:
            for name, statement in self._indexes(table):
                self._conn.execute(f"CREATE INDEX {name}_rebuilt ON {statement}".encode())
            self._conn.execute(f"ANALYZE {self._shadows[table.name]}".encode())

    def _begin(self) -> None:
        """Of logs that have nothing for this view, so far, only the end is noted."""
        self._seen.update(self._conn.execute(_HEADS).fetchall())
        for (workspace_id,) in self._conn.execute(_CONCERNED, (sorted(self._view.types),)).fetchall():
            self._seen[workspace_id] = 0

    def _indexes(self, table: Table) -> Iterator[tuple[str, str]]:
        for name, using in table.indexes.items():
            yield name, f"{self._shadows[table.name]} {using}"

    def _count(self, table: Table) -> int:
        row = self._conn.execute(f"SELECT count(*) FROM {table.name}".encode()).fetchone()
        assert row is not None
        return int(row[0])

    def _catch_up(self) -> int:
        """Goes through what was written since; answers how many events that was."""
        total = 0
        for workspace_id, seq in self._conn.execute(_HEADS).fetchall():
            after = self._seen.get(workspace_id, 0)
            while after < seq:
                rows = self._conn.execute(BEHIND, (self._reads, workspace_id, after, seq, BATCH))
                found = batch(workspace_id, after, rows)
                past = self._keeper.unknown(found)
                kept = self._keeper.kept(found, self._conn.execute(*past) if past is not None else ())
                for statement in kept.statements:
                    self._conn.execute(*statement)
                self._keeper.remember(kept)
                self._progress(len(found.entries))
                total += len(found.entries)
                after = found.seq
            self._seen[workspace_id] = after
        return total

    def _finish(self) -> None:
        """Catches up with what was written meanwhile, and swaps."""
        swap(self._conn, self._catch_up, self._lock, self._swap, LITTLE)

    def _lock(self) -> None:
        """Waits for those who keep the view to finish what is in hand, and keeps them and its readers off it."""
        self._conn.execute("SELECT pg_advisory_xact_lock(view_lock(%s))", (self._view.name,))
        for table in self._view.tables:
            if self._conn.execute("SELECT to_regclass(%s)", (table.name,)).fetchone() != (None,):
                self._conn.execute(f"LOCK TABLE {table.name} IN ACCESS EXCLUSIVE MODE".encode())

    def _swap(self) -> None:
        for table in self._view.tables:
            self._swap_table(table)
        with self._conn.cursor() as cursor:
            cursor.executemany(
                "INSERT INTO consumer_checkpoints (workspace_id, consumer, seq) VALUES (%s, %s, %s)"
                " ON CONFLICT (workspace_id, consumer) DO UPDATE SET seq = excluded.seq",
                [(workspace_id, self._view.name, seq) for workspace_id, seq in self._seen.items()],
            )
        self._conn.execute(
            "INSERT INTO projection_versions (name, version) VALUES (%s, %s)"
            " ON CONFLICT (name) DO UPDATE SET version = excluded.version, built_at = now()",
            (self._view.name, self._view.version),
        )

    def _swap_table(self, table: Table) -> None:
        name, shadow = table.name, self._shadows[table.name]
        self._conn.execute(f"DROP TABLE IF EXISTS {name}".encode())
        self._conn.execute(f"ALTER TABLE {shadow} RENAME TO {name}".encode())
        self._conn.execute(f"ALTER TABLE {name} RENAME CONSTRAINT {shadow}_pkey TO {name}_pkey".encode())
        for index, _ in self._indexes(table):
            self._conn.execute(f"ALTER INDEX {index}_rebuilt RENAME TO {index}".encode())
