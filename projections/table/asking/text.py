"""Text that is asked for."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from string import ascii_lowercase, ascii_uppercase
from typing import Any, ClassVar, Final

from domain.kernel.filter import Operator
from domain.kernel.values import folded, phone
from projections.table.asking.comparison import IN_SQL, Valued, entries, in_order, single
from projections.table.asking.compiled import Compiled, about, like

_LOWERED: Final = str.maketrans(ascii_uppercase, ascii_lowercase)


class Text(Valued):
    """Text of a column: empty where there is none, which is before and after nothing; in byte order (which is that of
    code points).

    ``keep`` makes of what is asked what the column makes of what it holds.
    """

    operators: ClassVar[frozenset[Operator]] = frozenset(
        {"eq", "neq", "contains", "not_contains", "starts_with", "in", "gt", "lt", "gte", "lte"}
    )
    nothing: ClassVar[Any] = ""
    unset: ClassVar[str] = "{} = ''"

    def __init__(self, keep: Callable[[str], str] = str) -> None:
        self._keep = keep

    def wanted(self, operator: Operator, value: Any) -> Any:
        found = [self._keep(entry) for entry in entries(value, str, "text")]
        if any("\0" in entry for entry in found):
            raise ValueError("must not contain control characters")
        return single(operator, found, "one text")

    def sql(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        match operator:
            case "in":
                return about(column, "{} = ANY(%s)", wanted)
            case "contains":
                return about(column, "{} LIKE %s", f"%{like(wanted)}%")
            case "not_contains":
                return about(column, "{} NOT LIKE %s", f"%{like(wanted)}%")
            case "starts_with":
                return about(column, "{} LIKE %s", f"{like(wanted)}%")
            case "neq":
                return about(column, "{} <> %s", wanted)
            case _:
                there = "" if operator == "eq" else " AND {} <> ''"
                return about(column, f"{{}} {IN_SQL[operator]} %s{there}", wanted)

    def holds(self, value: Any, operator: Operator, wanted: Any) -> bool:
        match operator:
            case "in":
                return value in wanted
            case "contains":
                return wanted in value
            case "not_contains":
                return wanted not in value
            case "starts_with":
                return bool(value.startswith(wanted))
            case "neq":
                return bool(value != wanted)
            case _:
                return in_order(value, operator, wanted) and (operator == "eq" or value != "")


class Phone(Text):
    """Numbers in E.164. A number that is asked for is one however it is written, without a country code one of ``region``; a
    part of one, its digits.
    """

    def __init__(self, region: str = "US") -> None:
        super().__init__()
        self._region = region

    def wanted(self, operator: Operator, value: Any) -> Any:
        keep = _part if operator in ("contains", "not_contains", "starts_with") else self._number
        return single(operator, [keep(entry) for entry in entries(value, str, "text")], "one number")

    def _number(self, written: str) -> str:
        with suppress(ValueError):
            return phone(written, self._region)[0]
        return _part(written)


def _part(written: str) -> str:
    """The digits, and the plus sign in front."""
    digits = "".join(letter for letter in written if letter.isascii() and letter.isdigit())
    return f"+{digits}" if written.lstrip().startswith("+") else digits


def plainly(text: str) -> str:
    """Text without the case of ASCII letters: what ``lower`` makes of it in the collation "C"."""
    return text.translate(_LOWERED)


TEXT: Final = Text()
"""As it stands."""
LOWERED: Final = Text(lambda text: text.strip().lower())
PHONE: Final = Phone()
FOLDED: Final = Text(folded)
"""Without case and accents."""
