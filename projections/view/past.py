"""The past of every row: a view with each version that a row had, and from which entry of the log up to which it had it.

Row tables are read as of a moment by their own names: schemas that come before ``public`` in a transaction's search path have
a view under the name of each, of the same columns, that shows what stood then (``eventstore/then.py``). Whatever is asked of
rows is so answered as it was.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple, TypeVar
from uuid import UUID

from domain.kernel import Decider, State
from eventstore.database import Db
from eventstore.mapper import names_of
from eventstore.rows import Change, Current
from eventstore.then import ASSIGNED, LEEWAY, PAST, SEQ, VISIBLE_TO
from projections.table.definition import past_indexes
from projections.table.rows import RowTable
from projections.view.view import Add, Amend, Apply, Fold, Moment, Put, Table, View, When

S = TypeVar("S", bound=State)

NAME: Final = "past"
VERSION: Final = 2

STILL: Final = 2**63 - 1
"""``to_seq`` of what a row is now."""
BITS: Final = 8
LEVELS: Final = 3
"""Counts are kept as what was added in blocks of 1, 256 and 65,536 entries: their sum up to any entry is one of few rows."""
_FULL: Final = 80
"""Percent of a page: a version that ends is changed once, where it stands."""

_COMMON: Final = {
    "id": "uuid",
    "version": "integer",
    "created_at": "timestamptz NOT NULL",
    "updated_at": "timestamptz NOT NULL",
    "state": "jsonb NOT NULL",
}
_SPAN: Final = {"from_seq": "bigint NOT NULL", "to_seq": "bigint NOT NULL"}

_UPTO: Final = f"({SEQ} + 1)"
_BLOCKS: Final = " OR ".join(
    f"level = {level} AND block < {_UPTO} >> {BITS * level}"
    + (f" AND block >= ({_UPTO} >> {BITS * (level + 1)}) << {BITS}" if level < LEVELS - 1 else "")
    for level in range(LEVELS)
)
COUNTS: Final = Table(
    "past_counts",
    columns={"kind": "text", "level": "integer", "block": "bigint", "n": "bigint NOT NULL"},
    key=("kind", "level", "block"),
    sums=True,
    readings={
        f"{PAST}.row_counts": (
            "AS SELECT workspace_id, kind, sum(n)::bigint AS n FROM past_counts"
            f" WHERE {_BLOCKS} GROUP BY workspace_id, kind"
        ),
        f"{PAST}.events": f"AS SELECT * FROM public.events WHERE seq <= {SEQ}",
        # How endpoints have fared is not in the log, so nobody knows how they had.
        f"{PAST}.webhook_health": "AS SELECT * FROM public.webhook_health WHERE false",
    },
)
"""What ``row_counts`` had at any time: what each entry added, and each block of them. Its readings are of all that is no row."""

AHEAD: Final = Table(
    "past_ahead",
    columns={"seq": "bigint", "occurred_at": "timestamptz NOT NULL"},
    key=("seq",),
)
"""Events that were decided, by a clock that is wrong, later than they were recorded: rows have their times."""


class Known(NamedTuple):
    """A stream behind an event: its state, or none if it has ended; its version; when it began, and last changed."""

    state: Any
    version: int
    created_at: datetime
    updated_at: datetime

    def current(self, stream_id: UUID) -> Current[Any] | None:
        if self.state is None:
            return None
        return Current(stream_id, self.state, self.version, self.created_at, self.updated_at)


def past(tables: Sequence[RowTable[Any]], listed: Sequence[RowTable[Any]]) -> View:
    """The past of these tables; of some of them lists are asked for."""
    made = {table.decider.stream_type: _past_of(table, listed=table in listed) for table in tables}
    return View(
        name=NAME,
        version=VERSION + sum(table.version for table in tables),
        tables=(*made.values(), COUNTS, AHEAD),
        apply={name: _apply(tables, made) for table in tables for name in names_of(table.decider)},
        folds={table.decider.stream_type: _fold(table.decider) for table in tables},
    )


def _fold(decider: Decider[Any, Any, Any]) -> Fold:
    def evolve(known: Known | None, event: Any, when: When) -> Known:
        if known is None:
            return Known(decider.evolve(None, event), 1, when.occurred, when.occurred)
        return Known(decider.evolve(known.state, event), known.version + 1, known.created_at, when.occurred)

    return Fold(decider.events, evolve)


def _apply(tables: Sequence[RowTable[Any]], made: dict[str, Table]) -> Apply:
    by_kind = {table.decider.stream_type: table for table in tables}

    def happened(moment: Moment) -> Iterator[Put | Amend | Add]:
        entry = moment.entry
        if entry.stream_type not in by_kind:
            return
        table, of = by_kind[entry.stream_type], made[entry.stream_type]
        before = None if moment.before is None else moment.before.current(entry.stream_id)
        after = moment.after.current(entry.stream_id)
        if before is not None:
            yield Amend(of, (before.id, before.version), (entry.seq,))
        if after is not None:
            yield Put(of, (*_values(table, after), entry.seq, STILL))
        for kind, number in table.counts(Change(entry.stream_id, before, after)):
            yield from (Add(COUNTS, (kind, level, entry.seq >> BITS * level, number)) for level in range(LEVELS))
        if entry.occurred_at - entry.recorded_at > LEEWAY:
            yield Put(AHEAD, (entry.seq, entry.occurred_at))

    return happened


def _values(table: RowTable[Any], current: Current[Any]) -> tuple[Any, ...]:
    """The whole row, but for its workspace."""
    return table.values(current.id, current)[1:]


def _past_of(table: RowTable[Any], *, listed: bool) -> Table:
    name = f"past_{table.name}"
    own = {column: kind.replace("double precision", "float8") for column, kind in table.definitions.items()}
    shown = f"AS SELECT {', '.join(table.names)} FROM {name} AS p WHERE {_stood('p')}"
    readings = {f"{PAST}.{table.table}": shown}
    if table.limited:
        readings[f"{ASSIGNED}.{table.table}"] = f"{shown} AND {_is_theirs(table)}"
    return Table(
        name,
        columns=_COMMON | own | _SPAN,
        key=("id", "version"),
        indexes=past_indexes(table, listed=listed, since="from_seq"),
        amended=("to_seq",),
        fillfactor=_FULL,
        readings=readings,
    )


def stood(conn: Db, past: View, table: RowTable[S], thing_id: UUID, version: int) -> S | None:
    """How a thing stood at a version; ``None`` where it did not, or that is not kept, or by another version of Daybook."""
    query = (
        f"SELECT id, state::text, version, created_at, updated_at FROM past_{table.name}"
        " WHERE workspace_id = %s AND id = %s AND version = %s"
        " AND EXISTS (SELECT FROM projection_versions WHERE name = %s AND version = %s)"
    )
    params = (conn.workspace_id, thing_id, version, past.name, past.version)
    found = conn.execute(query.encode(), params).fetchone()
    return None if found is None else table.current(found).state


def _stood(row: str) -> str:
    """Whether a version stood then: that is read once for each statement, as it takes longer than to compare it."""
    return f"{row}.from_seq <= (SELECT {SEQ}) AND {row}.to_seq > (SELECT {SEQ})"


def _is_theirs(table: RowTable[Any]) -> str:
    """Whether who sees only what is theirs sees row ``p`` as it is now; only then they see what it was."""
    return (
        f"EXISTS (SELECT 1 FROM past_{table.name} AS n WHERE n.workspace_id = p.workspace_id AND n.id = p.id"
        f" AND n.to_seq = {STILL} AND ({_seen(table, 'n')}))"
    )


def _seen(table: RowTable[Any], row: str) -> str:
    """Whether they see a row as it is now: it is theirs, or belongs with something that they see (``seeing.py``)."""
    owned = [] if table.owner is None else [f"{row}.{table.owner} = (SELECT {VISIBLE_TO})"]
    below = (
        f"{row}.{column} IN (SELECT {row}n.{above.key} FROM past_{above.name} AS {row}n"
        f" WHERE {row}n.workspace_id = {row}.workspace_id AND {row}n.to_seq = {STILL} AND ({_seen(above, f'{row}n')}))"
        for column, above in table.hangs_on.items()
    )
    return " OR ".join([*owned, *below])
