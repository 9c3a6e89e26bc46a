"""What a view is: its tables, and what each event does to them.

A view is a function of the log alone. What an event does follows from the event and from what is known of its stream
before and after it; never from rows, which are as of now: so a view built anew equals the one that was kept all along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from domain.kernel import Decider, Event
from eventstore.consuming import Entry
from eventstore.database import Db
from eventstore.mapper import also_called
from eventstore.recordset import document

_REACHED: Final[LiteralString] = """
    SELECT h.seq, coalesce((SELECT c.seq FROM consumer_checkpoints c
                            WHERE c.workspace_id = h.workspace_id AND c.consumer = %s), 0)
    FROM log_heads h WHERE h.workspace_id = %s
"""


@dataclass(frozen=True, eq=False)
class Table:
    """A tenant table: ``columns`` and their types behind the workspace; ``key`` names the first of them.

    ``indexes`` are by name, each with what stands behind the table's name. ``sums``: the columns behind the key are numbers
    that are added to, and a row in which the first of them is 0 is none; such a table takes ``Add`` and nothing else.
    ``amended`` are the columns that an ``Amend`` gives other values; ``fillfactor`` leaves room for that. ``readings`` are
    views of Postgres on the table, by name, each with what stands behind its name: they are made anew with it.

    ``leads``, for a table of ids with a ``seq`` each, is one that says where an id leads to, from a ``seq`` on: it has those
    two and the ids that are led to, and comes before this one in its view. A ``Spread`` goes along there.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    indexes: Mapping[str, str] = field(default_factory=dict)
    sums: bool = False
    amended: tuple[str, ...] = ()
    fillfactor: int = 100
    readings: Mapping[str, str] = field(default_factory=dict)
    leads: Table | None = None

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The columns' types alone, without what else is said of them."""
        return tuple(kind.split(" ")[0] for kind in self.columns.values())

    def create(self, name: str) -> str:
        """The table under any name, with its primary key."""
        columns = "".join(f", {column} {kind}" for column, kind in self.columns.items())
        key = f"CONSTRAINT {name}_pkey PRIMARY KEY (workspace_id, {', '.join(self.key)})"
        return f"CREATE TABLE {name} (workspace_id uuid NOT NULL{columns}, {key}) WITH (fillfactor = {self.fillfactor})"

    @cached_property
    def written(self) -> Callable[[Sequence[tuple[Any, ...]]], list[Any]]:
        """Rows as the parameters of ``put``: a list for each column, or, as an array in one would be taken apart, a document."""
        if any(kind.endswith("[]") for kind in self.types):
            kinds = dict(zip(self.columns, self.types, strict=True))
            return lambda rows: [document(kinds, rows)]
        return lambda rows: [list(column) for column in zip(*rows, strict=True)]

    @property
    def _given(self) -> str:
        """What ``put`` reads rows from."""
        if any(kind.endswith("[]") for kind in self.types):
            typed = ", ".join(f"{column} {kind}" for column, kind in zip(self.columns, self.types, strict=True))
            return f"json_to_recordset(%s::json) AS row ({typed})"
        return f"unnest({', '.join(f'%s::{kind}[]' for kind in self.types)}) AS row"

    def put(self, name: str) -> str:
        """Writes rows, over those that have their keys or on top of them; in a form that stays on the workspace's shard."""
        names = ", ".join(self.columns)
        onto = f"{name}.{{0}} + " if self.sums else ""
        behind = (column for column in self.columns if column not in self.key)
        rest = ", ".join(f"{column} = {onto.format(column)}excluded.{column}" for column in behind)
        return (
            f"INSERT INTO {name} (workspace_id, {names})"
            f" SELECT h.workspace_id, row.* FROM log_heads h, {self._given} WHERE h.workspace_id = %s"
            f" ON CONFLICT (workspace_id, {', '.join(self.key)}) DO {f'UPDATE SET {rest}' if rest else 'NOTHING'}"
        )

    def spread(self, name: str, leads: str) -> str:
        """Puts each of these ids with its ``seq``, all that it led to by then, and what that led to, however far."""
        assert self.leads is not None
        at, seq = self.columns
        of, since, to = self.leads.columns
        return (
            f"INSERT INTO {name} (workspace_id, {at}, {seq}) WITH RECURSIVE found AS ("
            f"SELECT h.workspace_id, row.* FROM log_heads h, {self._given} ({at}, {seq}) WHERE h.workspace_id = %s UNION"
            f" SELECT found.workspace_id, led.{at}, found.{seq} FROM found CROSS JOIN LATERAL"
            f" (SELECT l.{to} FROM {leads} l WHERE l.workspace_id = %s AND l.{of} = found.{at} AND l.{since} <= found.{seq}"
            f" ORDER BY l.{since} DESC LIMIT 1) last CROSS JOIN unnest(last.{to}) AS led ({at})"
            f") SELECT * FROM found ON CONFLICT (workspace_id, {', '.join(self.key)}) DO NOTHING"
        )

    def amend(self, name: str) -> str:
        """Gives the rows of these keys, where there are such, other values in what is ``amended``."""
        given = (*self.key, *self.amended)
        kinds = dict(zip(self.columns, self.types, strict=True))
        marks = ", ".join(f"%s::{kinds[column]}[]" for column in given)
        same = " AND ".join(f"given.{column} = {name}.{column}" for column in self.key)
        sets = ", ".join(f"{column} = given.{column}" for column in self.amended)
        return (
            f"UPDATE {name} SET {sets} FROM unnest({marks}) AS given ({', '.join(given)})"
            f" WHERE {name}.workspace_id = %s AND {same}"
        )

    def drop(self, name: str) -> str:
        """Takes away the rows of these keys."""
        marks = ", ".join(f"%s::{kind}[]" for kind in self.types[: len(self.key)])
        same = " AND ".join(f"gone.{column} = {name}.{column}" for column in self.key)
        return (
            f"DELETE FROM {name} USING unnest({marks}) AS gone ({', '.join(self.key)})"
            f" WHERE {name}.workspace_id = %s AND {same}{self._nothing(name)}"
        )

    def _nothing(self, name: str) -> str:
        """Of sums only those go that have come to nothing."""
        return f" AND {name}.{[*self.columns][len(self.key)]} = 0" if self.sums else ""


class Put(NamedTuple):
    """A row as it is from now on: the values of all columns, in their order."""

    table: Table
    row: tuple[Any, ...]


class Spread(NamedTuple):
    """An id with a ``seq`` that is put where it is, and wherever it led to by then, as the table's ``leads`` says."""

    table: Table
    row: tuple[Any, ...]


class Drop(NamedTuple):
    """A row that is no more: the values of its key."""

    table: Table
    key: tuple[Any, ...]


class Amend(NamedTuple):
    """A row that has other values from now on in what its table says is ``amended``: the values of its key, and those."""

    table: Table
    key: tuple[Any, ...]
    values: tuple[Any, ...]


class Add(NamedTuple):
    """So much more, or, of negative numbers, less: the values of the key, and what is added to the columns behind it."""

    table: Table
    row: tuple[Any, ...]


class When(NamedTuple):
    """When an event was decided, and when it got its place in the log."""

    occurred: datetime
    recorded: datetime


@dataclass(frozen=True)
class Fold:
    """How streams of a kind are folded: what is known of one before an event, the event, and when it was make what is known
    of it then; ``None``: it is not there.
    """

    events: tuple[type[Event], ...]
    evolve: Callable[[Any, Any, When], Any]


def states(decider: Decider[Any, Any, Any]) -> Fold:
    """The fold by which a stream's state is known, whenever it came to be so."""
    return Fold(decider.events, lambda state, event, _: decider.evolve(state, event))


@dataclass(frozen=True, slots=True)
class Moment:
    """An event in its place in the log. Of the kinds that the view folds it has the event itself, and what was known of
    its stream before and after.
    """

    entry: Entry
    event: Event | None = None
    before: Any = None
    after: Any = None


Effect = Put | Spread | Amend | Drop | Add
Apply = Callable[[Moment], Iterable[Effect]]


@dataclass(frozen=True, eq=False)
class View:
    """``apply`` says by public name what an event does; other events do nothing. ``folds`` are the kinds of stream that
    it knows more of. ``version`` goes up whenever any of these changes: ``daybook migrate`` then builds the view anew.

    ``name`` stands for the view in checkpoints, so it is for ever, and not that of another consumer.
    """

    name: str
    version: int
    tables: tuple[Table, ...]
    apply: Mapping[str, Apply]
    folds: Mapping[str, Fold] = field(default_factory=dict)

    @property
    def types(self) -> frozenset[str]:
        """The events that it makes anything of, under the names that they have or once had."""
        folded = {event.event_name for fold in self.folds.values() for event in fold.events}
        return frozenset[str]().union(*(also_called(name) for name in (*self.apply, *folded)))

    def applied(self, event_type: str) -> Apply | None:
        """What an event does that is stored under this name."""
        return next((self.apply[name] for name in also_called(event_type) if name in self.apply), None)


def reached(conn: Db, workspace_id: UUID, view: View) -> Callable[[], tuple[int, int]]:
    """Asks where the workspace's log ends, and how far the view is; what is answered then waits for the answer."""
    asked = conn.execute(_REACHED, (view.name, workspace_id))

    def answered() -> tuple[int, int]:
        row = asked.fetchone()
        return (0, 0) if row is None else (row[0], row[1])

    return answered
