"""Values of a map that are of a declared type, and asked for by key: each is compared as what it is.

A value that was there before its type was declared, and is not of it, is neither before nor after anything.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Any, ClassVar, Final, NamedTuple

import msgspec

from domain.kernel.filter import Operator
from domain.kernel.values import folded
from projections.table.asking import plain
from projections.table.asking.comparison import IN_SQL, entries, in_order, single
from projections.table.asking.compiled import Compiled
from projections.table.asking.custom import TEXT, Custom
from projections.table.asking.text import Phone, plainly

# Postgres reads them, too.
_DAY: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIME: Final = re.compile("[0-9]{4}-[0-9]{2}-[0-9]{2}t[0-9]{2}:[0-9]{2}:[0-9]{2}([.][0-9]{6})?z")
_HAS: Final[dict[Operator, Operator]] = {"contains": "has", "not_contains": "not_has"}


class OfText(Custom):
    """Text, whatever the case of its ASCII letters; ``keep`` makes of what is asked what values are kept as."""

    operators: ClassVar[frozenset[Operator]] = Custom.operators - {"after", "before"}

    def __init__(self, column: str, key: str, keep: Callable[[str], str] = str) -> None:
        super().__init__(column, key)
        self._keep = keep

    def wanted(self, operator: Operator, value: Any) -> Any:
        return super().wanted(operator, [self._keep(entry) for entry in entries(value, str, "text")])


class OfPhone(OfText):
    """Numbers in E.164. One that is asked for is one however it is written, in ``region`` without a country code."""

    def __init__(self, column: str, key: str, region: str) -> None:
        super().__init__(column, key)
        self._number = Phone(region)

    def wanted(self, operator: Operator, value: Any) -> Any:
        return self._number.wanted(operator, value)


class OfOption(OfText):
    """One of some options, that are found whatever their case and accents; or what has been one."""

    def __init__(self, column: str, key: str, options: Sequence[str]) -> None:
        known = {folded(option): option for option in options}
        super().__init__(column, key, lambda entry: known.get(folded(entry), entry))


class OfOptions(OfOption):
    """A list of options: it contains those that it has as a whole."""

    operators: ClassVar[frozenset[Operator]] = frozenset(
        {"eq", "neq", "contains", "not_contains", "has", "not_has", "in"}
    )

    def wanted(self, operator: Operator, value: Any) -> Any:
        return super().wanted(_HAS.get(operator, operator), value)

    def sql(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        return super().sql(column, _HAS.get(operator, operator), wanted)

    def holds(self, value: Any, operator: Operator, wanted: Any) -> bool:
        return super().holds(value, _HAS.get(operator, operator), wanted)


class OfNumber(Custom):
    operators: ClassVar[frozenset[Operator]] = plain.WHOLE.operators

    def wanted(self, operator: Operator, value: Any) -> Any:
        return plain.WHOLE.wanted(operator, value)

    def from_text(self, text: str) -> Any:
        return plain.WHOLE.from_text(text)


class OfTruth(Custom):
    operators: ClassVar[frozenset[Operator]] = plain.BOOLEAN.operators

    def wanted(self, operator: Operator, value: Any) -> Any:
        return plain.BOOLEAN.wanted(operator, value)

    def from_text(self, text: str) -> Any:
        return plain.BOOLEAN.from_text(text)


class OfId(Custom):
    operators: ClassVar[frozenset[Operator]] = plain.ID.operators

    def wanted(self, operator: Operator, value: Any) -> Any:
        return [str(found) for found in plain.ID.wanted(operator, value)]


class Span(NamedTuple):
    """From the one text up to the other, without that."""

    start: str
    end: str


class OfDay(Custom):
    """Dates, in text of which the order is theirs."""

    operators: ClassVar[frozenset[Operator]] = plain.DAY.operators
    shape: ClassVar[re.Pattern[str]] = _DAY
    """Of a value, as its map's column has it."""
    end: ClassVar[str] = ""
    """What a value ends in that has no part in its order."""

    def wanted(self, operator: Operator, value: Any) -> Any:
        found = [self._kept(operator, entry) for entry in entries(value, str, "a date or time")]
        return single(operator, found, "one date or time")

    def _kept(self, _: Operator, value: str) -> Any:
        return plain.DAY.wanted("eq", value).isoformat()

    def _entry(self, operator: Operator, wanted: Any) -> Compiled:
        found = f"(CASE WHEN {TEXT} ~ '^{self.shape.pattern}$' THEN rtrim({TEXT}, '{self.end}') END)"
        match wanted:
            case Span():
                return Compiled(f"{found} >= %s AND {found} < %s", wanted)
            case list():
                parts = [self._entry("eq", each) for each in wanted]
                params = tuple(param for part in parts for param in part.params)
                return Compiled(" OR ".join(f"({part.sql})" for part in parts), params)
            case _:
                return Compiled(f"{found} {IN_SQL[operator]} %s", (wanted,))

    def _holds(self, entry: Any, operator: Operator, wanted: Any) -> bool:
        text = plainly(entry) if isinstance(entry, str) else ""
        if not self.shape.fullmatch(text):
            return False
        found = text.removesuffix(self.end)
        match wanted:
            case Span():
                return wanted.start <= found < wanted.end
            case list():
                return any(self._holds(entry, "eq", each) for each in wanted)
            case _:
                return in_order(found, operator, wanted)

    def _forms(self, wanted: Any) -> list[bytes]:
        return [] if isinstance(wanted, Span) else [msgspec.json.encode(f"{wanted}{self.end}")]


class OfTime(OfDay):
    """Points in time, in UTC. Equal to a date is what lies on that day; after and before it, behind and before its beginning."""

    operators: ClassVar[frozenset[Operator]] = plain.TIME.operators
    shape: ClassVar[re.Pattern[str]] = _TIME
    end: ClassVar[str] = "z"

    def _kept(self, operator: Operator, value: str) -> Any:
        found = plain.TIME.wanted("eq", value)
        at = plainly(found.at.isoformat().removesuffix("+00:00"))
        within = found.day and operator in ("eq", "neq", "in")
        return Span(at, f"{at[: len('2026-03-15')]}u") if within else at


SHAPES: Final = {"date": (OfDay.shape.pattern, OfDay.end), "datetime": (OfTime.shape.pattern, OfTime.end)}
"""Of types whose values are text in order, without what it ends in: how it looks."""
