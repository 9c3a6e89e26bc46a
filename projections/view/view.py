"""What a view is: its tables, and what each event does to them.

A view is a function of the log alone. What an event does follows from the event and from what is known of its stream
before and after it; never from rows, which are as of now: so a view built anew equals the one that was kept all along.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final, LiteralString, NamedTuple
from uuid import UUID

from domain.kernel import Decider, Event
from eventstore.consuming import Entry
from eventstore.database import Db
from eventstore.mapper import also_called

_REACHED: Final[LiteralString] = """
    SELECT h.seq, coalesce((SELECT c.seq FROM consumer_checkpoints c
                            WHERE c.workspace_id = h.workspace_id AND c.consumer = %s), 0)
    FROM log_heads h WHERE h.workspace_id = %s
"""


@dataclass(frozen=True, eq=False)
class Table:
    """A tenant table: ``columns`` and their types (no arrays) behind the workspace; ``key`` names the first of them.

    ``indexes`` are by name, each with what stands behind the table's name. ``sums``: the columns behind the key are numbers
    that are added to, and a row in which the first of them is 0 is none; such a table takes ``Add`` and nothing else.
    """

    name: str
    columns: Mapping[str, str]
    key: tuple[str, ...]
    indexes: Mapping[str, str] = field(default_factory=dict)
    sums: bool = False

    @cached_property
    def types(self) -> tuple[str, ...]:
        """The columns' types alone, without what else is said of them."""
        return tuple(kind.split(" ")[0] for kind in self.columns.values())

    def create(self, name: str) -> str:
        """The table under any name, with its primary key."""
        columns = "".join(f", {column} {kind}" for column, kind in self.columns.items())
        key = f"CONSTRAINT {name}_pkey PRIMARY KEY (workspace_id, {', '.join(self.key)})"
        return f"CREATE TABLE {name} (workspace_id uuid NOT NULL{columns}, {key})"

    def put(self, name: str) -> str:
        """Writes rows, over those that have their keys or on top of them; in a form that stays on the workspace's shard."""
        names, marks = ", ".join(self.columns), ", ".join(f"%s::{kind}[]" for kind in self.types)
        onto = f"{name}.{{0}} + " if self.sums else ""
        behind = (column for column in self.columns if column not in self.key)
        rest = ", ".join(f"{column} = {onto.format(column)}excluded.{column}" for column in behind)
        return (
            f"INSERT INTO {name} (workspace_id, {names})"
            f" SELECT h.workspace_id, row.* FROM log_heads h, unnest({marks}) AS row WHERE h.workspace_id = %s"
            f" ON CONFLICT (workspace_id, {', '.join(self.key)}) DO {f'UPDATE SET {rest}' if rest else 'NOTHING'}"
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


class Drop(NamedTuple):
    """A row that is no more: the values of its key."""

    table: Table
    key: tuple[Any, ...]


class Add(NamedTuple):
    """So much more, or, of negative numbers, less: the values of the key, and what is added to the columns behind it."""

    table: Table
    row: tuple[Any, ...]


@dataclass(frozen=True)
class Fold:
    """How streams of a kind are folded: what is known of one before an event, the event, and when it was recorded make
    what is known of it then; ``None``: it is not there.
    """

    events: tuple[type[Event], ...]
    evolve: Callable[[Any, Any, datetime], Any]


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


Apply = Callable[[Moment], Iterable[Put | Drop | Add]]


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
