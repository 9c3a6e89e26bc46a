"""How the values of a field are compared with what a filter asks: in SQL, and in Python to the same end."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from domain.kernel.filter import Operator
from eventstore.database import Db
from projections.table.asking.compiled import Compiled, about

SET: Final[dict[Operator, bool]] = {"is_set": True, "is_not_empty": True, "is_not_set": False, "is_empty": False}
"""The operators that take no value, and whether they ask for one that is there."""

IN_SQL: Final[dict[Operator, str]] = {
    "eq": "=", "gt": ">", "lt": "<", "gte": ">=", "lte": "<=", "after": ">", "before": "<",
}  # fmt: skip


def in_order(value: Any, operator: Operator, wanted: Any) -> bool:
    """Whether a value stands to another as ``eq``, ``gt``, ``lt``, ``gte``, ``lte``, ``after`` or ``before`` says."""
    match IN_SQL[operator]:
        case ">":
            return bool(value > wanted)
        case "<":
            return bool(value < wanted)
        case ">=":
            return bool(value >= wanted)
        case "<=":
            return bool(value <= wanted)
        case _:
            return bool(value == wanted)


class NoOperatorError(ValueError):
    """A field cannot be asked with an operator."""


class Comparison(ABC):
    """How a field is compared. ``wanted`` is what ``read`` made of the value that was given."""

    @abstractmethod
    def read(self, operator: Operator, value: Any) -> Any:
        """What is compared with, as columns keep it. Raises ``ValueError`` with what was expected, of an operator that it
        does not have ``NoOperatorError``.
        """

    @abstractmethod
    def where(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        """The expression. Null is as good as false."""

    @abstractmethod
    def test(self, conn: Db, operator: Operator, wanted: Any) -> Callable[[Any], bool]:
        """The same for a value at hand. What has to be looked up for it is looked up once, here."""

    @abstractmethod
    def of_nothing(self, operator: Operator, wanted: Any) -> bool:
        """Whether it holds of a record that is not there."""

    def from_text(self, text: str) -> Any:
        """A value as it is written in a query string. Raises ``ValueError`` with what was expected."""
        return text


class Valued(Comparison):
    """Of a field that has a value, or ``nothing``."""

    operators: ClassVar[frozenset[Operator]]
    nothing: ClassVar[Any] = None
    unset: ClassVar[str] = "{} IS NULL"
    """In SQL, that there is no value."""

    def read(self, operator: Operator, value: Any) -> Any:
        if operator in SET:
            if value is not None:
                raise ValueError(f"takes no value with {operator}")
            return None
        if operator not in self.operators:
            possible = ", ".join(sorted({*self.operators, *SET}))
            raise NoOperatorError(f"cannot be asked with {operator}; possible are {possible}")
        return self.wanted(operator, value)

    def where(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        if operator in SET:
            return about(column, f"NOT ({self.unset})" if SET[operator] else self.unset)
        return self.sql(column, operator, wanted)

    def test(self, conn: Db, operator: Operator, wanted: Any) -> Callable[[Any], bool]:
        if operator in SET:
            return lambda value: self.is_set(value) is SET[operator]
        known = self.known(conn, wanted)
        return lambda value: self.holds(value, operator, known)

    def of_nothing(self, operator: Operator, wanted: Any) -> bool:
        return not SET[operator] if operator in SET else self.holds(self.nothing, operator, wanted)

    def is_set(self, value: Any) -> bool:
        return value not in (None, "", [], ())

    def known(self, _: Db, wanted: Any) -> Any:
        """What ``holds`` compares with."""
        return wanted

    @abstractmethod
    def wanted(self, operator: Operator, value: Any) -> Any:
        """``read``, of an operator that there is and that takes a value."""

    @abstractmethod
    def sql(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled: ...

    @abstractmethod
    def holds(self, value: Any, operator: Operator, wanted: Any) -> bool: ...


@dataclass(frozen=True)
class Field:
    """A field that can be asked for: its SQL, how it is compared, and what of a record (``Current``) is in it."""

    column: Compiled
    comparison: Comparison
    value: Callable[[Any], Any]
    of: str | None = None
    """The kind of thing whose ids are its values, if they are."""


def entries(value: Any, kind: type | tuple[type, ...], expected: str) -> list[Any]:
    """A value or a list of them, at least one and each of the kind. Raises ``ValueError`` with what was expected."""
    found = value if isinstance(value, list | tuple) else [value]
    if not found or not all(isinstance(entry, kind) for entry in found):
        raise ValueError(f"must be compared with {expected}")
    return list(found)


def single(operator: Operator, found: list[Any], expected: str) -> Any:
    """All of what was read for ``in``, of any other operator the one value."""
    if operator == "in":
        return found
    if len(found) != 1:
        raise ValueError(f"must be compared with {expected}")
    return found[0]
