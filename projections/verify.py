"""Verifies workspaces: that the log is whole, and that every row, count, view and group is what the log adds up to."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Collection, Generator, Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from itertools import chain, groupby
from operator import itemgetter
from typing import Any, Final, LiteralString, NoReturn
from uuid import UUID

import psycopg
from psycopg import sql

from eventstore.database import Db, one
from eventstore.lasting import holding
from eventstore.mapper import EventMapper, UnreadableEventError, names_of
from eventstore.migrate import connect
from eventstore.places import check_places
from eventstore.protection import check_protection
from eventstore.recorder import is_programs_own
from eventstore.rows import Change, Current
from eventstore.sealing import READABLE
from eventstore.secrets import check_secrets, without_keys
from eventstore.verify import BATCH, MismatchError, Progress, Report, snapshot, verify_log
from projections.catalogue import TABLES, VIEWS
from projections.contact_alike_compared import compare_groups
from projections.table.folding import fold
from projections.table.rows import RowTable
from projections.table.stored import StoredRows
from projections.view.compare import check_views, compare_view
from projections.view.readings import check_readings
from projections.view.view import View
from schemas.log import Stream
from schemas.verification import Checkpoint, Finding

_STREAMS: Final[LiteralString] = f"""
    SELECT stream_id, version, type, {READABLE}, occurred_at, stream_type, seq FROM events
    WHERE workspace_id = %s ORDER BY stream_id, version
"""
# Goes through a table's workspaces by its key, one step each, however many rows they have.
_WORKSPACES: Final = sql.SQL("""
    WITH RECURSIVE step AS (
        (SELECT workspace_id FROM {table} ORDER BY workspace_id LIMIT 1)
        UNION ALL
        SELECT (SELECT t.workspace_id FROM {table} t WHERE t.workspace_id > step.workspace_id
            ORDER BY t.workspace_id LIMIT 1)
        FROM step WHERE step.workspace_id IS NOT NULL
    )
    SELECT workspace_id FROM step WHERE workspace_id IS NOT NULL
""")
_COUNTED: Final[LiteralString] = "SELECT type, actor_id, n FROM activity_counts WHERE workspace_id = %(w)s"
_HAPPENED: Final[LiteralString] = """
    SELECT type, actor_id, count(*) FROM events
    WHERE workspace_id = %(w)s AND seq <= (
        SELECT seq FROM consumer_checkpoints WHERE workspace_id = %(w)s AND consumer = 'activity_counts')
    GROUP BY type, actor_id
"""
BESIDE: Final = (
    "log_heads", "events", "log_checkpoints", "row_counts", "activity_counts", "contact_keys", "contact_groups",
    "person_keys", "api_key_secrets", "webhook_secrets", "invitation_secrets", "consumer_checkpoints",
)  # fmt: skip
"""Tables that are neither rows nor views."""


def verify(
    where: Db | str,
    *,
    workspaces: Sequence[UUID] | None = None,
    checkpoints: Sequence[Checkpoint] = (),
    trusted: Collection[str] | None = None,
    progress: Progress = lambda *_: None,
    views: Sequence[View] = VIEWS,
    secrets: bool = True,
) -> Report:
    """Checks the log, the rows and the views of these workspaces, or of all, up to the first thing that is wrong.

    ``where`` is the owner's connection (autocommitting) or URL; the service may go on writing. ``checkpoints``
    are such as were kept from before, of any workspace; with ``trusted``, they and those stored must be signed with one of these keys.
    Without ``secrets`` those are not looked at, as where the directory is on another machine.
    """
    report = Report()
    by_workspace: defaultdict[UUID, list[Checkpoint]] = defaultdict(list)
    for checkpoint in checkpoints:
        by_workspace[checkpoint.workspace_id].append(checkpoint)
    with _connected(where) as conn:
        try:
            check_tables(conn)
            report.viewed = check_views(conn, views)
            with conn.transaction():
                _hold(conn, TABLES, views)
                report.protected = check_protection(conn)
            if workspaces is None:
                workspaces = sorted({*all_workspaces(conn, views=views), *by_workspace})
            for workspace_id in workspaces:
                with snapshot(conn):
                    _hold(conn, TABLES, views)
                    known = by_workspace[workspace_id]
                    verify_log(conn, workspace_id, report, checkpoints=known, trusted=trusted, progress=progress)
                    if secrets:
                        check_secrets(conn, workspace_id)
                    report.lost += without_keys(conn, workspace_id)
                    verify_rows(conn, workspace_id, report, progress=progress)
                    compare_groups(conn, workspace_id)
                    check_places(conn, workspace_id)
                    for view in views if report.viewed else ():
                        report.rows += compare_view(conn, workspace_id, view, lambda n: progress("views", n))
                report.workspaces += 1
            if report.viewed:
                check_readings(conn, views)
        except MismatchError as mismatch:
            report.finding = mismatch.finding
    return report


@contextmanager
def _connected(where: Db | str) -> Iterator[Db]:
    if isinstance(where, str):
        with connect(where) as conn:
            yield conn
    else:
        yield where


def all_workspaces(conn: Db, tables: Sequence[RowTable[Any]] = TABLES, views: Sequence[View] = VIEWS) -> list[UUID]:
    """Every workspace that anything is kept of: a log without head or rows without log would be found, not passed over."""
    found: set[UUID] = set()
    with snapshot(conn):
        _hold(conn, tables, views)
        of_views = (table.name for view in views for table in view.tables)
        for name in (*BESIDE, *(table.table for table in tables), *of_views):
            found.update(row[0] for row in conn.execute(_WORKSPACES.format(table=sql.Identifier(name))))
    return sorted(found)


def _hold(conn: Db, tables: Sequence[RowTable[Any]], views: Sequence[View]) -> None:
    """The tables as they are when the picture begins."""
    names = [*(table.table for table in tables), *(table.name for view in views for table in view.tables)]
    conn.execute(holding(names))


def check_tables(conn: Db, tables: Sequence[RowTable[Any]] = TABLES) -> None:
    """Every table of rows must be there, in the version that this Daybook has."""
    versions: dict[str, int] = {}
    if one(conn, "SELECT to_regclass('projection_versions')") != (None,):
        versions = dict(conn.execute("SELECT name, version FROM projection_versions"))
    for table in tables:
        version = versions.get(table.name)
        there = one(conn, "SELECT to_regclass(%s)", (table.table,)) != (None,)
        if version != table.version or not there:
            expected = f"version {table.version}, as `daybook migrate` makes it"
            found = "no table" if version in (None, table.version) else f"version {version}"
            raise MismatchError(Finding(table=table.name, what="table", expected=expected, found=found))


def verify_rows(
    conn: Db,
    workspace_id: UUID,
    report: Report,
    *,
    tables: Sequence[RowTable[Any]] = TABLES,
    progress: Progress = lambda *_: None,
) -> None:
    """Folds every stream of a workspace and compares rows and counts, inside a ``snapshot``; adds to the report.

    The log's chain must have been verified. Raises ``MismatchError`` at the first thing wrong.
    """
    try:
        counts = _compare_rows(conn, workspace_id, report, tables, progress)
    except psycopg.DataError as error:
        expected = "values that can be read"
        finding = Finding(workspace_id=workspace_id, what="stored values", expected=expected, found=str(error))
        raise MismatchError(finding) from error
    rows = conn.execute("SELECT kind, n FROM row_counts WHERE workspace_id = %s", (workspace_id,))
    _compare_counts(workspace_id, "row_counts", counts, dict(rows.fetchall()))
    happened, counted = (_by_type_and_actor(conn, query, workspace_id) for query in (_HAPPENED, _COUNTED))
    _compare_counts(workspace_id, "activity_counts", happened, counted)


def _compare_rows(
    conn: Db, workspace_id: UUID, report: Report, tables: Sequence[RowTable[Any]], progress: Progress
) -> Counter[str]:
    """A merge of the folds, in order of stream, with the rows of every table, in order of id; answers what they count."""
    counts: Counter[str] = Counter()
    by_type = {table.decider.stream_type: table for table in tables}
    with ExitStack() as stack:
        opened: dict[str, StoredRows] = {}

        def stored(table: RowTable[Any]) -> StoredRows:
            stream_type = table.decider.stream_type
            if stream_type not in opened:
                opened[stream_type] = stack.enter_context(closing(StoredRows(conn, workspace_id, table)))
            return opened[stream_type]

        streams = stack.enter_context(closing(_folded(conn, workspace_id, by_type, progress)))
        for table, stream_id, current in streams:
            stored(table).compare(stream_id, current)
            if current is not None:
                report.rows += 1
                for kind, number in table.counts(Change(stream_id, None, current)):
                    counts[kind] += number
        for table in tables:
            stored(table).finish()
    return counts


def _folded(
    conn: Db, workspace_id: UUID, tables: Mapping[str, RowTable[Any]], progress: Progress
) -> Generator[tuple[RowTable[Any], UUID, Current[Any] | None], None, None]:
    """Every stream of the workspace, in order of id, with what its events add up to."""
    reader = _StreamReader(workspace_id, tables)
    with conn.cursor(name="verify_streams", binary=True) as cursor:
        cursor.execute(_STREAMS, (workspace_id,), binary=True)
        for stream_id, events in groupby(_batches(cursor, progress), key=itemgetter(0)):
            if (found := reader.fold(events)) is not None:
                table, current = found
                yield table, stream_id, current


def _batches(cursor: psycopg.ServerCursor[Any], progress: Progress) -> Iterator[tuple[Any, ...]]:
    while batch := cursor.fetchmany(BATCH):
        yield from batch
        progress("rows", len(batch))


class _StreamReader:
    """Folds one stream after the other, and checks that each event belongs where it is."""

    def __init__(self, workspace_id: UUID, tables: Mapping[str, RowTable[Any]]) -> None:
        self._workspace_id = workspace_id
        self._tables = tables
        self._mapper = EventMapper()
        self._names = {stream_type: names_of(table.decider) for stream_type, table in tables.items()}
        self._at: tuple[Any, ...] = ()

    def fold(self, events: Iterator[tuple[Any, ...]]) -> tuple[RowTable[Any], Current[Any] | None] | None:
        """The table that the stream's row is in, and the row that its events add up to: none when it has ended.

        None at all of a stream of a program's own kind: that is in the log and nowhere else.
        """
        self._at = first = next(events)
        if is_programs_own(first[5]):
            return None
        table = self._tables.get(first[5])
        if table is None:
            self._wrong("stream type", f"one of {', '.join(sorted(self._tables))}", first[5])
        try:
            ((_, current),) = fold(table.decider, self._mapper, self._checked(first[5], chain([first], events)))
        except UnreadableEventError as error:
            self._wrong("data", f"the data of {self._at[2]}", str(error))
        except (MismatchError, psycopg.Error):
            raise
        except Exception as error:  # noqa: BLE001 - whatever a decider makes of a sequence that it never decided
            self._wrong("event", "one that can follow those before it in its stream", repr(error))
        return table, current

    def _checked(self, stream_type: str, events: Iterator[tuple[Any, ...]]) -> Iterator[tuple[Any, ...]]:
        names = self._names[stream_type]
        for expected, event in enumerate(events, 1):
            self._at = event
            _, version, name, _, _, of_type, _ = event
            if version != expected:
                self._wrong("version", str(expected), str(version))
            if of_type != stream_type:
                self._wrong("stream type", f"{stream_type}, as of the events before", of_type)
            if name not in names:
                self._wrong("event type", f"an event of a {stream_type}", name)
            yield event[:5]

    def _wrong(self, what: str, expected: str, found: str) -> NoReturn:
        stream_id, _, event_type, _, _, stream_type, seq = self._at
        raise MismatchError(
            Finding(
                workspace_id=self._workspace_id,
                seq=seq,
                stream=Stream(type=stream_type, id=stream_id),
                event_type=event_type,
                what=what,
                expected=expected,
                found=found,
            )
        )


def _by_type_and_actor(conn: Db, query: LiteralString, workspace_id: UUID) -> dict[str, int]:
    rows = conn.execute(query, {"w": workspace_id})
    return {f"{event_type} by {actor_id or 'nobody'}": n for event_type, actor_id, n in rows}


def _compare_counts(workspace_id: UUID, table: str, expected: Mapping[str, int], found: Mapping[str, int]) -> None:
    """What was kept of how many there are against what it must add up to; a count of nothing may be missing."""
    for kind in sorted({*expected, *found}):
        if expected.get(kind, 0) != found.get(kind, 0):
            raise MismatchError(
                Finding(
                    workspace_id=workspace_id,
                    table=table,
                    column=kind,
                    what="count",
                    expected=str(expected.get(kind, 0)),
                    found=str(found.get(kind, "no count")),
                )
            )
