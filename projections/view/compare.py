"""Compares a view with one that is built anew from the log up to its checkpoint, and names the first difference."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final, NoReturn
from uuid import UUID

import psycopg

from eventstore.consuming import BEHIND, batch
from eventstore.database import NO_WAITING, Db
from eventstore.mapper import UnreadableEventError
from eventstore.reader import LogGapError
from eventstore.verify import MismatchError
from projections.view.keeper import Keeper
from projections.view.rebuild import is_built
from projections.view.view import Table, View, reached
from schemas.verification import Finding

BATCH: Final = 2_000
SHOWN: Final = 200
"""How much of a value a finding shows."""


def check_views(conn: Db, views: Sequence[View]) -> bool:
    """Every view must be there, in the version that this Daybook has. Makes room for building them anew, and answers whether
    it could: on a standby nothing can be made.

    Outside a ``snapshot``; what is in that room is gone with the snapshot that it was put there in.
    """
    for view in views:
        if not is_built(conn, view):
            expected = f"version {view.version}, as `daybook migrate` makes it"
            raise MismatchError(Finding(table=view.name, what="view", expected=expected, found="none such"))
    try:
        _make_room(conn, views)
    except psycopg.errors.ReadOnlySqlTransaction:
        return False
    return True


def _make_room(conn: Db, views: Sequence[View]) -> None:
    with conn.transaction():
        conn.execute(NO_WAITING)
        for table in (table for view in views for table in view.tables):
            conn.execute(f"DROP TABLE IF EXISTS {_anew(table)}".encode())
            key = f"PRIMARY KEY (workspace_id, {', '.join(table.key)})"  # other indexes would be made for nothing
            like = f"(LIKE {table.name}, {key}) ON COMMIT DELETE ROWS"
            conn.execute(f"CREATE TEMPORARY TABLE {_anew(table)} {like}".encode())


def compare_view(conn: Db, workspace_id: UUID, view: View, progress: Callable[[int], None] = lambda _: None) -> int:
    """Compares a workspace's part of the view, inside a ``snapshot``; answers how many rows it has.

    The log's chain must have been verified. Raises ``MismatchError`` at the first row that differs.
    """
    head, seq = reached(conn, workspace_id, view)()
    if seq > head:
        _wrong(workspace_id, view.name, "checkpoint", f"one within the log, which ends at {head}", str(seq))
    try:
        built = _build(conn, workspace_id, view, seq, progress)
    except (UnreadableEventError, LogGapError) as error:
        _wrong(workspace_id, view.name, "view", "a log that it can be built from", str(error))
    found = built | _stored(conn, workspace_id, view)
    return sum(_compare(conn, workspace_id, table) for table in view.tables if table in found)


def _stored(conn: Db, workspace_id: UUID, view: View) -> set[Table]:
    """The tables in which the workspace has something: of many there is nothing to compare."""
    looks = (f"(SELECT {at} FROM {table.name} WHERE workspace_id = %s LIMIT 1)" for at, table in enumerate(view.tables))
    rows = conn.execute(" UNION ALL ".join(looks).encode(), (workspace_id,) * len(view.tables))
    return {view.tables[row[0]] for row in rows}


def _anew(table: Table) -> str:
    return f"pg_temp.{table.name}_anew"


def _build(conn: Db, workspace_id: UUID, view: View, seq: int, progress: Callable[[int], None]) -> set[Table]:
    """Answers the tables in which it writes anything."""
    built: set[Table] = set()
    keeper = Keeper(view, {table.name: _anew(table) for table in view.tables})
    at = 0
    while at < seq:
        found = batch(workspace_id, at, conn.execute(BEHIND, (sorted(view.folds), workspace_id, at, seq, BATCH)))
        past = keeper.unknown(found)
        kept = keeper.kept(found, conn.execute(*past) if past is not None else ())
        for statement in kept.statements:
            conn.execute(*statement)
        keeper.remember(kept)
        built |= kept.tables
        progress(len(found.entries))
        at = found.seq
    return built


def _compare(conn: Db, workspace_id: UUID, table: Table) -> int:
    key = ", ".join(table.key)
    query = (
        f"SELECT {key}, to_jsonb(built), to_jsonb(stored)"
        f" FROM (SELECT * FROM {_anew(table)}) AS built"
        f" FULL JOIN (SELECT * FROM {table.name} WHERE workspace_id = %s) AS stored USING ({key})"
        f" WHERE built IS DISTINCT FROM stored ORDER BY {key} LIMIT 1"
    ).encode()
    row = conn.execute(query, (workspace_id,)).fetchone()
    if row is not None:
        *values, built, stored = row
        _differs(workspace_id, table, values, built, stored)
    counted = conn.execute(f"SELECT count(*) FROM {_anew(table)}".encode()).fetchone()
    assert counted is not None
    return int(counted[0])


def _differs(
    workspace_id: UUID, table: Table, key: Sequence[Any], built: dict[str, Any] | None, stored: dict[str, Any] | None
) -> NoReturn:
    row = "row (" + ", ".join(f"{name} {value}" for name, value in zip(table.key, key, strict=True)) + ")"
    if built is None or stored is None:
        expected, found = ("no such row", "one") if built is None else ("such a row", "none")
        _wrong(workspace_id, table.name, row, expected, found)
    column = next((name for name in built if built[name] != stored[name]), None)
    expected, found = (str(values.get(column or ""))[:SHOWN] for values in (built, stored))
    _wrong(workspace_id, table.name, row, expected, found, column)


def _wrong(workspace_id: UUID, table: str, what: str, expected: str, found: str, column: str | None = None) -> NoReturn:
    raise MismatchError(
        Finding(workspace_id=workspace_id, table=table, column=column, what=what, expected=expected, found=found)
    )
