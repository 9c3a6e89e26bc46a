"""Numbers, times, days, truth values and ids that are asked for."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, NamedTuple
from uuid import UUID

from domain.kernel import times
from domain.kernel.filter import Operator
from projections.table.asking.comparison import IN_SQL, Valued, entries, in_order, single
from projections.table.asking.compiled import Compiled, about, either

_DAY: Final = len("2026-03-15")
_ORDERED: Final[frozenset[Operator]] = frozenset({"eq", "neq", "gt", "lt", "gte", "lte"})
_DATED: Final[frozenset[Operator]] = _ORDERED | {"after", "before", "in"}


class Ordered(Valued):
    """Values of which one is before another; a record without one is before and after none, and differs from all."""

    operators: ClassVar[frozenset[Operator]] = _ORDERED
    type: ClassVar[str]

    def sql(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        if operator == "in":
            return about(column, f"{{}} = ANY(%s::{self.type}[])", wanted)
        if operator == "neq":
            return about(column, f"{{}} IS DISTINCT FROM %s::{self.type}", wanted)
        return about(column, f"{{}} {IN_SQL[operator]} %s::{self.type}", wanted)

    def holds(self, value: Any, operator: Operator, wanted: Any) -> bool:
        if operator == "neq":
            return bool(value != wanted)
        if value is None:
            return False
        return value in wanted if operator == "in" else in_order(value, operator, wanted)


class Number(Ordered):
    """``exact``: of a column of whole numbers; else of one in double precision."""

    operators: ClassVar[frozenset[Operator]] = _ORDERED | {"in"}

    def __init__(self, *, exact: bool) -> None:
        self.type = "numeric" if exact else "double precision"  # type: ignore[misc]

    def from_text(self, text: str) -> Any:
        try:
            return int(text) if text.strip().lstrip("+-").isdigit() else float(text)
        except ValueError:
            raise ValueError("must be a number") from None

    def wanted(self, operator: Operator, value: Any) -> Any:
        found = entries(value, (int, float), "a number")
        if any(isinstance(entry, bool) for entry in found):
            raise ValueError("must be compared with a number")
        return single(operator, [self._kept(entry) for entry in found], "one number")

    def _kept(self, value: float) -> float | Decimal:
        if not abs(value) < _LARGEST:  # nor is it no number at all
            raise ValueError("must be compared with a number that is not that large")
        return float(value) if self.type == "double precision" else Decimal(repr(value))


_LARGEST: Final = 1e300


_LAST: Final = datetime.max.replace(tzinfo=UTC)


class Moment(NamedTuple):
    """A point in time, or a day of which it is the first (in UTC)."""

    at: datetime
    day: bool

    @property
    def end(self) -> datetime:
        """Of the day; the last has none, but that of time."""
        return self.at + min(timedelta(days=1), _LAST - self.at)


class Time(Ordered):
    """Points in time. Equal to a date is what lies on that day; after and before it, behind and before its beginning."""

    operators: ClassVar[frozenset[Operator]] = _DATED
    type: ClassVar[str] = "timestamptz"

    def wanted(self, operator: Operator, value: Any) -> Any:
        found = [Moment(_time(entry), isinstance(entry, str) and len(entry) == _DAY) for entry in _times(value)]
        return single(operator, found, "one date or time")

    def sql(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        if operator == "in":
            return either(*(self.sql(column, "eq", each) for each in wanted))
        if wanted.day and operator in ("eq", "neq"):
            within = "{} >= %s AND {} < %s" if operator == "eq" else "({} >= %s AND {} < %s) IS NOT TRUE"
            return about(column, within, wanted.at, wanted.end)
        return super().sql(column, operator, wanted.at)

    def holds(self, value: Any, operator: Operator, wanted: Any) -> bool:
        if operator == "in":
            return any(self.holds(value, "eq", each) for each in wanted)
        if wanted.day and operator in ("eq", "neq"):
            within = value is not None and wanted.at <= value < wanted.end
            return within is (operator == "eq")
        return super().holds(value, operator, wanted.at)


class Day(Ordered):
    """Dates. Of a point in time that one is compared with, the date in UTC counts."""

    operators: ClassVar[frozenset[Operator]] = _DATED
    type: ClassVar[str] = "date"

    def wanted(self, operator: Operator, value: Any) -> Any:
        return single(operator, [_time(entry).date() for entry in _times(value)], "one date or time")


class Boolean(Valued):
    operators: ClassVar[frozenset[Operator]] = frozenset({"eq", "neq"})
    nothing: ClassVar[Any] = False

    def from_text(self, text: str) -> Any:
        if text.lower() not in ("true", "false"):
            raise ValueError("must be true or false")
        return text.lower() == "true"

    def wanted(self, _: Operator, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError("must be compared with true or false")  # noqa: TRY004 - the caller's value, not a type of ours
        return value

    def sql(self, column: Compiled, operator: Operator, wanted: bool) -> Compiled:
        return about(column, "{} = %s", wanted if operator == "eq" else not wanted)

    def holds(self, value: Any, operator: Operator, wanted: bool) -> bool:
        return bool(value) is (wanted if operator == "eq" else not wanted)


class Id(Valued):
    """An id. Of several that are asked for, one of them."""

    operators: ClassVar[frozenset[Operator]] = frozenset({"eq", "neq", "in"})

    def wanted(self, _: Operator, value: Any) -> list[UUID]:
        try:
            return [UUID(entry) for entry in entries(value, str, "text")]
        except ValueError:
            raise ValueError("must be compared with an id (UUID)") from None

    def sql(self, column: Compiled, operator: Operator, wanted: list[UUID]) -> Compiled:
        if operator == "neq":
            return about(column, "({} = ANY(%s)) IS NOT TRUE", wanted)
        return about(column, "{} = ANY(%s)", wanted)

    def holds(self, value: Any, operator: Operator, wanted: list[UUID]) -> bool:
        return (value in wanted) is (operator != "neq")


def _times(value: Any) -> list[Any]:
    return entries(value, (str, datetime), "a date or time")


def _time(value: str | datetime) -> datetime:
    return value if isinstance(value, datetime) else times.read(value)


WHOLE: Final = Number(exact=True)
NUMBER: Final = Number(exact=False)
TIME: Final = Time()
DAY: Final = Day()
BOOLEAN: Final = Boolean()
ID: Final = Id()
