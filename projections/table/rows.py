"""The table of one kind of stream: its columns are computed from the state, and the state itself is kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Generic, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import Decider, Refused, State
from eventstore.database import Db, copy_rows
from eventstore.rows import Change, Current

S = TypeVar("S", bound=State)

COMMON = {
    "workspace_id": "uuid",
    "id": "uuid",
    "version": "integer",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "state": "jsonb",
}
"""The columns that every table begins with, and their types."""

_COMMON_DDL = """
    workspace_id uuid NOT NULL,
    id uuid NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    state jsonb NOT NULL"""


@dataclass(frozen=True)
class Unique(Generic[S]):
    """A unique index: which values must differ, and how to say so when they do not."""

    columns: tuple[str, ...]
    where: str
    message: str


@dataclass(frozen=True)
class RowTable(Generic[S]):
    """How a state becomes a row. ``version`` goes up when the columns or ``project`` change: ``daybook migrate`` rebuilds.

    ``project`` answers the values of ``columns`` in their order. ``indexes`` and ``unique`` are by name; the names
    of a rebuilt table's indexes are the same again after the swap.
    """

    table: str
    decider: Decider[Any, Any, S]
    version: int
    columns: Mapping[str, str]
    project: Callable[[Current[S]], Sequence[Any]]
    indexes: Mapping[str, str]
    unique: Mapping[str, Unique[S]]
    counted: Callable[[Change], Iterable[tuple[str, int]]] | None = None
    count_prefixes: tuple[str, ...] = ()
    """What the kinds that ``counted`` answers begin with, such as ``tag:``; of no other table's do."""

    # What is made of it: SQL texts are constant, so that they are prepared once per connection.

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in the order of ``values``."""
        return (*COMMON, *self.columns)

    @cached_property
    def _types(self) -> dict[str, str]:
        """The columns in the order of ``values``, each with its type alone."""
        return {**COMMON, **{name: kind.split(" ")[0] for name, kind in self.columns.items()}}

    @cached_property
    def _names(self) -> str:
        return ", ".join(self.names)

    @cached_property
    def _insert(self) -> bytes:
        marks = ", ".join(["%s"] * 5 + ["%s::jsonb"] + [f"%s::{kind.split(' ')[0]}" for kind in self.columns.values()])
        return f"INSERT INTO {self.table} ({self._names}) VALUES ({marks})".encode()

    @cached_property
    def _update(self) -> bytes:
        sets = ["version = %s", "created_at = %s", "updated_at = %s", "state = %s::jsonb"]
        sets += [f"{name} = %s::{kind.split(' ')[0]}" for name, kind in self.columns.items()]
        return f"UPDATE {self.table} SET {', '.join(sets)} WHERE workspace_id = %s AND id = %s".encode()

    @cached_property
    def _delete(self) -> bytes:
        return f"DELETE FROM {self.table} WHERE workspace_id = %s AND id = ANY(%s)".encode()

    @cached_property
    def _select(self) -> bytes:
        return (
            f"SELECT id, state::text, version, created_at, updated_at FROM {self.table}"
            " WHERE workspace_id = current_workspace() AND id = ANY(%s)"
        ).encode()

    @cached_property
    def _decode(self) -> Callable[[str | bytes], S]:
        return msgspec.json.Decoder(self.decider.state).decode

    def current(self, row: Sequence[Any]) -> Current[S]:
        """A row of ``id, state::text, version, created_at, updated_at`` as what it stands for."""
        return Current(row[0], self._decode(row[1]), row[2], row[3], row[4])

    def values(self, workspace_id: UUID, current: Current[S]) -> tuple[Any, ...]:
        """The whole row, in the order of ``COMMON`` and ``columns``."""
        state = msgspec.json.encode(current.state).decode()
        common = (workspace_id, current.id, current.version, current.created_at, current.updated_at, state)
        return (*common, *self.project(current))

    def load(self, conn: Db, ids: Sequence[UUID]) -> dict[UUID, Current[Any]]:
        return {row[0]: self.current(row) for row in conn.execute(self._select, (list(ids),))}

    def write(self, conn: Db, workspace_id: UUID, changes: Sequence[Change], *, bulk: bool) -> None:
        new = [self.values(workspace_id, c.after) for c in changes if c.before is None and c.after is not None]
        kept = [self.values(workspace_id, c.after) for c in changes if c.before is not None and c.after is not None]
        gone = [change.id for change in changes if change.before is not None and change.after is None]
        updates = [(*row[2:], row[0], row[1]) for row in kept]
        if gone:
            conn.execute(self._delete, (workspace_id, gone))
        if bulk:
            conn.cursor().executemany(self._update, updates)
            if new:
                copy_rows(conn, self.table, self._types, new)
            return
        for update in updates:
            conn.execute(self._update, update)
        for row in new:
            conn.execute(self._insert, row)

    def counts(self, change: Change) -> Iterable[tuple[str, int]]:
        delta = (change.after is not None) - (change.before is not None)
        if delta:
            yield self.decider.stream_type, delta
        if self.counted is not None:
            yield from self.counted(change)

    def conflict(self, conn: Db, constraint: str, changes: Sequence[Change]) -> Refused | None:
        unique = self.unique.get(constraint)
        if unique is None:
            return None
        where = " AND ".join([*(f"{column} = %s" for column in unique.columns), unique.where or "true"])
        query = (
            f"SELECT id FROM {self.table} WHERE workspace_id = current_workspace() AND {where} AND id <> %s".encode()
        )
        wanted: set[tuple[Any, ...]] = set()
        for change in changes:
            if change.after is not None:
                row = dict(zip(self.columns, self.project(change.after), strict=True))
                key = tuple(row[column] for column in unique.columns)
                found = conn.execute(query, (*key, change.id)).fetchone()
                if found is not None:
                    return Refused("conflict", unique.message, existing_id=str(found[0]))
                if key in wanted and all(key):  # twice in one unit of work, which leaves neither; empty is not set
                    return Refused("conflict", unique.message)
                wanted.add(key)
        return None

    def create_table(self, name: str) -> str:
        """The table alone, under any name: columns and primary key."""
        columns = "".join(f",\n    {column} {kind}" for column, kind in self.columns.items())
        key = f"CONSTRAINT {name}_pkey PRIMARY KEY (workspace_id, id)"
        return f"CREATE TABLE {name} ({_COMMON_DDL}{columns},\n    {key}\n)"

    def create_indexes(self, name: str) -> dict[str, str]:
        """Index name → statement, for the table under any name; the primary key is not among them."""
        made = {
            index: f"CREATE UNIQUE INDEX {{index}} ON {name} (workspace_id, {', '.join(unique.columns)})"
            + (f" WHERE {unique.where}" if unique.where else "")
            for index, unique in self.unique.items()
        }
        return made | {index: f"CREATE INDEX {{index}} ON {name} {using}" for index, using in self.indexes.items()}
