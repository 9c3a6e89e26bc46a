"""The table of one kind of stream: its rows, read and written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any, Final
from uuid import UUID

from domain.kernel import Refused
from domain.kernel.fields import Reference, references
from eventstore.database import Db
from eventstore.recordset import insert_many
from eventstore.rows import Change, Current
from projections.table import known
from projections.table.asking.asked import Fields
from projections.table.column import Column
from projections.table.known import Order
from projections.table.projecting import Projecting, S
from projections.table.referring import holding
from projections.table.seeing import seen, sees
from projections.table.unique import conflict, is_renewed

_SHOWN: Final = ("id", "state", "version", "created_at", "updated_at")
_LOCKED: Final = b" ORDER BY id FOR NO KEY UPDATE"


@lru_cache(maxsize=4096)
def _of(kind: str, key: UUID) -> str:
    """A count's name. Many refer to the same few things, and an id takes long to be written out."""
    return f"{kind}{key}"


@dataclass(frozen=True)
class Beside:
    """What is shown of other things with rows: read in the statement that reads those, which are ``page`` in it.

    ``sql`` is one JSON value for all of them, and its one parameter the workspace; ``read`` makes of it, or of nothing, what
    is ``beside`` each of the rows. ``of``: the columns of ``page`` that it goes by.
    """

    sql: str
    read: Callable[[str | None], Any]
    of: tuple[str, ...]


@dataclass(frozen=True)
class RowTable(Projecting[S]):
    """The rows that there are, read and written. SQL texts are constant, so that they are prepared once per connection.

    ``owner`` is the column of the user whom a row is assigned to, ``hangs_on`` has the tables of what it refers to and
    belongs with, by column: a caller who sees only what is theirs sees what is assigned to them, and what hangs on
    something that they see.
    ``key`` is the column by which others refer to a row, ``called`` what they call it, where not as the kind of stream is
    called. ``times``: of the two times that every row has, those that lists are sorted by. ``leads_to`` says, of the id of
    a row that is no more, which one goes on in its place, or that id again. ``within``: the counted reference to what rows
    are listed by themselves of, in orders of their own. The names of a rebuilt table's indexes are the same again after the
    swap.
    """

    owner: str | None = None
    key: str = "id"
    called: str | None = None
    times: tuple[str, ...] = ("created_at",)
    beside: Beside | None = None
    hangs_on: Mapping[str, RowTable[Any]] = field(default_factory=dict, hash=False)
    within: str | None = None
    leads_to: Callable[[Db, UUID], UUID] | None = None

    @property
    def noun(self) -> str:
        """What callers are told that a row is."""
        return self.called or self.decider.stream_type.replace("_", " ")

    @cached_property
    def references(self) -> tuple[Reference, ...]:
        """What the state refers to; each has a column of its name."""
        return references(self.decider.state)

    @cached_property
    def fields(self) -> Fields:
        """What can be asked for: by the name that callers use."""
        return known.fields(self.columns, self.decider.stream_type, self.references)

    @cached_property
    def sorts(self) -> dict[str, Order]:
        """What lists can be sorted by: by the name that callers use."""
        return known.sorts(self.columns, self.times)

    def order(self, name: str) -> Order | None:
        """What a list is sorted by under this name, if it can be: one of ``sorts``, or a key of a map."""
        return self.sorts.get(name) or known.by_key(self.columns, name)

    @cached_property
    def _names(self) -> str:
        return ", ".join(self.names)

    @cached_property
    def _insert(self) -> bytes:
        marks = ", ".join(f"%s::{kind}" for kind in self.kinds.values())
        return f"INSERT INTO {self.table} ({self._names}) VALUES ({marks})".encode()

    @cached_property
    def _update(self) -> bytes:
        sets = [f"{name} = %s::{kind}" for name, kind in self.kinds.items() if name not in ("workspace_id", "id")]
        return f"UPDATE {self.table} SET {', '.join(sets)} WHERE workspace_id = %s AND id = %s".encode()

    @cached_property
    def _delete(self) -> bytes:
        return f"DELETE FROM {self.table} WHERE workspace_id = %s AND id = ANY(%s)".encode()

    @cached_property
    def _select(self) -> bytes:
        return self._select_all + b" AND id = ANY(%s)"

    @cached_property
    def _select_all(self) -> bytes:
        return (
            f"SELECT id, state::text, version, created_at, updated_at FROM {self.table} WHERE workspace_id = %s"
        ).encode()

    def load(self, conn: Db, ids: Sequence[UUID], *, locked: bool = False) -> dict[UUID, Current[Any]]:
        query = self._select + _LOCKED if locked else self._select
        return {row[0]: self.current(row) for row in conn.execute(query, (conn.workspace_id, list(ids)))}

    def read(self, conn: Db, ids: Sequence[UUID]) -> list[Current[S]]:
        """The rows of these streams to be shown, with what is shown beside them."""
        workspaces = (conn.workspace_id,) * (1 if self.beside is None else 2)
        return self.page(conn.answer(self._read_page, (workspaces[0], list(ids), *workspaces[1:])))

    @cached_property
    def _read_page(self) -> bytes:
        page = f"SELECT {', '.join(self.needed)} FROM {self.table} WHERE workspace_id = %s AND id = ANY(%s)"
        return f"WITH page AS MATERIALIZED ({page}) SELECT {self.shown} FROM page".encode()

    @cached_property
    def needed(self) -> tuple[str, ...]:
        """The columns that a ``page`` must have: Postgres keeps it aside, and what nobody looks at would go along."""
        return *_SHOWN, *(() if self.beside is None else self.beside.of)

    @cached_property
    def shown(self) -> str:
        """The columns that ``page`` makes rows of, of a ``page`` in a statement; with a parameter where there is a ``beside``."""
        columns = "id, state::text, version, created_at, updated_at"
        # Once for all rows: what is not asked for is not worked out.
        beside = (
            "" if self.beside is None else f", CASE WHEN row_number() OVER () = 1 THEN ({self.beside.sql})::text END"
        )
        return columns + beside

    def page(self, rows: Sequence[Sequence[Any]]) -> list[Current[S]]:
        """The rows of ``shown``."""
        if self.beside is None:
            return [self.current(row) for row in rows]
        found = next((row[5] for row in rows if row[5] is not None), None)
        beside = self.beside.read(found)
        return [self.current(row, beside) for row in rows]

    def all(self, conn: Db) -> list[Current[Any]]:
        """Every row of the workspace, of a kind of which there are few."""
        return [self.current(row) for row in conn.execute(self._select_all, (conn.workspace_id,))]

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
                kinds = {name: kind for name, kind in self.kinds.items() if name != "workspace_id"}
                insert_many(conn, self.table, kinds, [row[1:] for row in new])
            return
        for update in updates:
            conn.execute(self._update, update)
        for row in new:
            conn.execute(self._insert, row)

    @property
    def limited(self) -> bool:
        """Whether not everybody sees every row."""
        return self.owner is not None or bool(self.hangs_on)

    def visible(self, conn: Db, current: Current[S], visible_to: UUID | None) -> bool:
        """Whether a caller sees the row who sees only what is theirs (``visible_to``), or all where that is none."""
        return sees(conn, self, current, visible_to)

    def key_of(self, current: Current[S]) -> UUID:
        """What others refer to the row by."""
        found: UUID = current.id if self.key == "id" else getattr(current.state, self.key)
        return found

    def hold(self, conn: Db, keys: Sequence[UUID], *, ending: bool = False) -> Iterable[Sequence[Any]]:
        """A row with each of these keys that stand, held until the transaction ends: against ending, or to end.

        Who sees only what is theirs can refer to no other, either.
        """
        if ending:
            return conn.execute(self._hold_to_end, (conn.workspace_id, list(keys)))
        theirs = seen(self, conn.visible_to)
        return conn.execute(
            self._hold(theirs.sql), (conn.workspace_id, list(keys), *theirs.params_in(conn.workspace_id))
        )

    @cached_property
    def _held(self) -> str:
        return f"SELECT {self.key} FROM {self.table} AS held WHERE workspace_id = %s AND {self.key} = ANY(%s)"

    def _hold(self, theirs: str) -> bytes:
        return (
            f"{self._held} AND ({theirs}) AND NOT EXISTS (SELECT FROM endings WHERE endings.workspace_id = held.workspace_id"
            f" AND endings.kind = '{self.decider.stream_type}' AND endings.id = held.{self.key})"
            " ORDER BY id FOR KEY SHARE OF held"
        ).encode()

    @cached_property
    def _hold_to_end(self) -> bytes:
        return f"{self._held} ORDER BY id FOR UPDATE".encode()

    def referring(self, conn: Db, reference: Reference, key: UUID, limit: int) -> list[UUID]:
        """The ids of rows that refer to ``key`` by this reference, in order."""
        query = f"SELECT id {self._referring(reference)} ORDER BY id LIMIT %s"
        return [row[0] for row in conn.execute(query.encode(), (conn.workspace_id, key, limit))]

    def count_referring(self, conn: Db, reference: Reference, key: UUID, but: UUID) -> int:
        """How many rows refer to ``key`` by this reference, but for one."""
        query = f"SELECT count(*) {self._referring(reference)} AND id <> %s"
        row = conn.execute(query.encode(), (conn.workspace_id, key, but)).fetchone()
        return 0 if row is None else int(row[0])

    def hides_referring(self, conn: Db, reference: Reference, key: UUID, visible_to: UUID) -> bool:
        """Whether rows refer to ``key`` by this reference that ``visible_to`` does not see."""
        theirs = seen(self, visible_to)
        query = f"SELECT EXISTS (SELECT {self._referring(reference)} AND ({theirs.sql}) IS NOT TRUE)"
        params = (conn.workspace_id, key, *theirs.params_in(conn.workspace_id))
        row = conn.execute(query.encode(), params).fetchone()
        return row is not None and bool(row[0])

    def _referring(self, reference: Reference) -> str:
        return f"FROM {self.table} WHERE workspace_id = %s AND {holding(reference)}"

    def counts(self, change: Change) -> Iterable[tuple[str, int]]:
        """How many there are of the kind, and how many refer to each thing by a reference that is counted."""
        before = None if change.before is None else change.before.state
        after = None if change.after is None else change.after.state
        if delta := (after is not None) - (before is not None):
            yield self.decider.stream_type, delta
        for reference, kind in self._counted:
            was, is_now = reference.ids(before), reference.ids(after)
            if was != is_now:
                yield from ((_of(kind, key), 1) for key in is_now if key not in was)
                yield from ((_of(kind, key), -1) for key in was if key not in is_now)

    def counted_as(self, state: S) -> Iterator[str]:
        """The counts that a row of this state is in: that of its kind, and those of what it refers to, where it is counted."""
        yield self.decider.stream_type
        for reference, kind in self._counted:
            for key in reference.ids(state):
                yield _of(kind, key)

    def counted_by(self, reference: Reference) -> str:
        """What a count by this reference is called in ``row_counts``, up to the id: ``contact.tags:``."""
        return f"{self.decider.stream_type}.{reference.field}:"

    def counter(self, within: UUID | None) -> str:
        """What the count of all rows is called, or of those that are ``within`` something."""
        if within is None:
            return self.decider.stream_type
        (reference,) = (found for found in self.references if found.field == self.within)
        return f"{self.counted_by(reference)}{within}"

    @property
    def counted(self) -> tuple[str, ...]:
        """What the kinds of this table's counts begin with, beside that of its rows; of no other table's do."""
        return tuple(kind for _, kind in self._counted)

    @cached_property
    def _counted(self) -> tuple[tuple[Reference, str], ...]:
        return tuple((found, self.counted_by(found)) for found in self.references if found.to.counted)

    def conflict(self, conn: Db, constraint: str, changes: Sequence[Change]) -> Refused | None:
        """What to say where changes break a unique index; ``None`` where they do not, or it is none of this table."""
        column = self.uniques.get(constraint)
        return None if column is None else conflict(conn, self.table, column, changes)

    def taken(self, conn: Db, change: Change) -> Refused | None:
        """What to say where a change gives a row what another has already, and no two can have."""
        return next(filter(None, (self.conflict(conn, name, [change]) for name in self.renewed(change))), None)

    def renewed(self, change: Change) -> list[str]:
        """The names of the unique indexes in which a change has another value than before."""
        return [name for name, column in self.uniques.items() if is_renewed(column, change)]

    @cached_property
    def uniques(self) -> dict[str, Column[S]]:
        """Of each unique index: its name and column."""
        return {f"{self.name}_{column.name}": column for column in self.columns if column.unique}
