"""What is asked of the thing that a record refers to, or of those that refer to it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

from domain.kernel.filter import Operator
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.asking.asked import Find
from projections.table.asking.comparison import SET, Comparison, Field
from projections.table.asking.compiled import HERE, TRUE, Compiled, either, every
from projections.table.rows import RowTable
from projections.table.seeing import seen

MAX_REFERRING: Final = 10_000
"""Of those that refer to one record, so many are asked when it is tested by itself."""

Load = Callable[[Db, Sequence[UUID]], Mapping[UUID, Current[Any]]]
Refer = Callable[[Db, UUID], Iterable[Current[Any]]]


@dataclass(frozen=True)
class OfOne(Comparison):
    """A field of the one thing whose id a column has: ``company.industry``. Without such a thing it has no value.

    ``table`` is where such things are, and ``load`` finds them.
    """

    table: str
    inner: Field
    load: Load

    def read(self, operator: Operator, value: Any) -> Any:
        return self.inner.comparison.read(operator, value)

    def where(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        there = _related(self.table, "id", column, _asked(self.inner, operator, wanted))
        if not self.of_nothing(operator, wanted):
            return there
        return Compiled(f"{column.sql} IS NULL OR {there.sql}", (*column.params, *there.params))

    def test(self, conn: Db, operator: Operator, wanted: Any) -> Callable[[Any], bool]:
        holds = self.inner.comparison.test(conn, operator, wanted)
        without = self.of_nothing(operator, wanted)

        def of_one(thing_id: UUID | None) -> bool:
            there = None if thing_id is None else self.load(conn, [thing_id]).get(thing_id)
            return without if there is None else holds(self.inner.value(there))

        return of_one

    def of_nothing(self, operator: Operator, wanted: Any) -> bool:
        return self.inner.comparison.of_nothing(operator, wanted)

    def from_text(self, text: str) -> Any:
        return self.inner.comparison.from_text(text)


@dataclass(frozen=True)
class OfAny(Comparison):
    """A field of those that refer to a record, by its id: it holds if it does of any one of them. Where there are none it has
    no value.

    They refer to it in a column ``by`` of ``table``, as far as they are ``seen``, and ``refer`` finds them.
    """

    table: str
    by: str
    inner: Field
    refer: Refer
    seen: Compiled = TRUE

    def read(self, operator: Operator, value: Any) -> Any:
        return self.inner.comparison.read(operator, value)

    def where(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        there = _related(self.table, self.by, column, _asked(self.inner, operator, wanted), self.seen)
        if not self.of_nothing(operator, wanted):
            return there
        any_one = _related(self.table, self.by, column, TRUE, self.seen)
        return either(there, Compiled(f"NOT {any_one.sql}", any_one.params))

    def test(self, conn: Db, operator: Operator, wanted: Any) -> Callable[[Any], bool]:
        holds = self.inner.comparison.test(conn, operator, wanted)
        without = self.of_nothing(operator, wanted)

        def of_any(record_id: UUID) -> bool:
            found = list(self.refer(conn, record_id))
            return any(holds(self.inner.value(there)) for there in found) if found else without

        return of_any

    def of_nothing(self, operator: Operator, _wanted: Any) -> bool:
        return operator in SET and not SET[operator]

    def from_text(self, text: str) -> Any:
        return self.inner.comparison.from_text(text)


def _asked(inner: Field, operator: Operator, wanted: Any) -> Compiled:
    return inner.comparison.where(inner.column, operator, wanted)


def _related(table: str, by: str, column: Compiled, holds: Compiled, seen: Compiled = TRUE) -> Compiled:
    """There is a row that is related and seen, and of which something holds."""
    asked = every(seen, holds)
    return Compiled(
        f"EXISTS (SELECT FROM {table} AS related WHERE related.workspace_id = %s AND related.{by} = {column.sql}"
        f" AND ({asked.sql}))",
        (HERE, *column.params, *asked.params),
    )


def of_one(table: RowTable[Any], column: str, other: RowTable[Any]) -> Find:
    """What the thing is asked that a row refers to in a column, by the names of its own fields."""

    def find(name: str) -> Field | None:
        inner = other.fields.known.get(name)
        if inner is None:
            return None
        comparison = OfOne(other.table, inner, other.load)
        value = attrgetter(f"state.{column}")
        return Field(Compiled(f"{table.table}.{column}"), comparison, value, inner.of)

    return find


def of_any(table: RowTable[Any], other: RowTable[Any], column: str, visible_to: UUID | None) -> Find:
    """What those are asked that refer to a row, in a column of theirs, by the names of their own fields; of them those that
    the caller sees.
    """
    theirs = seen(other, visible_to)

    def refer(conn: Db, record_id: UUID) -> Iterable[Current[Any]]:
        (reference,) = (found for found in other.references if found.field == column)
        there = other.load(conn, other.referring(conn, reference, record_id, MAX_REFERRING)).values()
        return [current for current in there if other.visible(conn, current, visible_to)]

    def find(name: str) -> Field | None:
        inner = other.fields.known.get(name)
        if inner is None:
            return None
        comparison = OfAny(other.table, column, inner, refer, theirs)
        return Field(Compiled(f"{table.table}.id"), comparison, attrgetter("id"), inner.of)

    return find
