"""Values of a map that is the caller's own, of no declared type, that are asked for by key."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, ClassVar, Final

import msgspec

from domain.kernel.filter import Operator
from projections.table.asking.comparison import IN_SQL, Field, Valued, entries, in_order, single
from projections.table.asking.compiled import TRUE, Compiled, about, either, every, like
from projections.table.asking.text import plainly

_ENTRIES: Final = "jsonb_array_elements(CASE jsonb_typeof({}) WHEN 'array' THEN {} ELSE jsonb_build_array({}) END)"
TEXT: Final = "lower((entry #>> '{}') COLLATE \"C\")"
"""Of an ``entry``, as it is compared."""
_NUMBER: Final = "(CASE WHEN jsonb_typeof(entry) = 'number' THEN (entry #>> '{}')::numeric END)"
_OPPOSITE: Final[dict[Operator, Operator]] = {"neq": "eq", "not_contains": "contains", "not_has": "eq", "has": "eq"}
_BARE: Final = re.compile(r"(?:true|false|-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?)\Z")
"""Text that JSON may have without quotes."""
MOST_LOOKED_UP: Final = 20
"""Values that an index is asked for at once."""
_encode: Final = msgspec.json.Encoder().encode
_NOT: Final[frozenset[Operator]] = frozenset({"neq", "not_contains", "not_has"})


class Custom(Valued):
    """A value, or a list of which one entry is asked for. Text is compared without the case of ASCII letters, numbers as
    numbers with numbers and as they are written with text.
    """

    operators: ClassVar[frozenset[Operator]] = frozenset(
        {"eq", "neq", "contains", "not_contains", "starts_with", "gt", "lt", "gte", "lte", "in", "has", "not_has",
         "after", "before"}
    )  # fmt: skip

    def __init__(self, column: str, key: str) -> None:
        self._column = column
        self._key = key

    unset: ClassVar[str] = "coalesce({}, 'null'::jsonb) IN ('null'::jsonb, '\"\"'::jsonb, '[]'::jsonb)"

    def wanted(self, operator: Operator, value: Any) -> Any:
        expected = "text, a number, true or false"
        found = [_kept(entry) for entry in entries(value, (str, int, float), expected)]
        if any(isinstance(entry, str) and "\0" in entry for entry in found):
            raise ValueError("must not contain control characters")
        wanted = single(operator, found, "one value")
        if operator in ("contains", "not_contains", "starts_with") and not isinstance(wanted, str):
            raise ValueError("must be compared with text")
        return wanted

    def sql(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        asked = _OPPOSITE.get(operator, operator)
        found = self._entry(asked, wanted)
        listed = about(column, _ENTRIES.replace("{}", "({})"))
        sql = f"EXISTS (SELECT FROM {listed.sql} AS entry WHERE {found.sql})"
        holds = Compiled(f"NOT {sql}" if operator in _NOT else sql, (*listed.params, *found.params))
        return every(self._looked_up(wanted), holds) if asked in ("eq", "in") and operator not in _NOT else holds

    def _looked_up(self, wanted: Any) -> Compiled:
        """What the index of a map finds: a value that is as it is wanted, or a list with it. Of very many it finds none faster."""
        each = [self._forms(one) for one in (wanted if isinstance(wanted, list) else [wanted])]
        forms = [form for found in each for form in found]
        if not all(each) or len(forms) > MOST_LOOKED_UP:
            return TRUE
        key = _encode(self._key)
        found = (b"{%b:%b}" % (key, value) for form in forms for value in (form, b"[%b]" % form))
        return either(*(Compiled(f"{self._column} @> %s::jsonb", (document.decode(),)) for document in found))

    def holds(self, value: Any, operator: Operator, wanted: Any) -> bool:
        asked = _OPPOSITE.get(operator, operator)
        found = value if isinstance(value, list) else [] if value is None else [value]
        return any(self._holds(entry, asked, wanted) for entry in found if entry is not None) is (operator not in _NOT)

    def _entry(self, operator: Operator, wanted: Any) -> Compiled:
        """What an ``entry`` has to be, in SQL."""
        return Compiled(*_entry(operator, wanted))

    def _holds(self, entry: Any, operator: Operator, wanted: Any) -> bool:
        """The same of an entry at hand."""
        return _holds(entry, operator, wanted)

    def _forms(self, wanted: Any) -> list[bytes]:
        """How a value that is wanted may be written in JSON; none, where there is no telling."""
        return _forms(wanted)


def _forms(wanted: Any) -> list[bytes]:
    """Text may be that of a number, true or false."""
    if isinstance(wanted, bool):
        return [_encode(wanted)]
    if isinstance(wanted, Decimal):
        return [format(wanted, "f").encode()]
    bare = [wanted.encode()] if _BARE.match(wanted) else []
    return [_encode(wanted), *bare]


def _kept(value: Any) -> Any:
    """Text as it is compared, numbers as the decimals that are written of them."""
    if isinstance(value, bool):
        return value
    return plainly(value) if isinstance(value, str) else Decimal(repr(value))


def _entry(operator: Operator, wanted: Any) -> tuple[str, tuple[Any, ...]]:
    """What an entry has to be, in SQL."""
    match wanted:
        case list():
            parts = [_entry("eq", each) for each in wanted]
            return " OR ".join(f"({part[0]})" for part in parts), tuple(param for part in parts for param in part[1])
        case bool():
            return "entry = %s::jsonb", ("true" if wanted else "false",)
        case Decimal():
            return f"{_NUMBER} {IN_SQL[operator]} %s", (wanted,)
        case _ if operator == "contains":
            return f"{TEXT} LIKE %s", (f"%{like(wanted)}%",)
        case _ if operator == "starts_with":
            return f"{TEXT} LIKE %s", (f"{like(wanted)}%",)
        case _:
            return f"{TEXT} {IN_SQL[operator]} %s", (wanted,)


def _holds(entry: Any, operator: Operator, wanted: Any) -> bool:
    match wanted:
        case list():
            return any(_holds(entry, "eq", each) for each in wanted)
        case bool():
            return entry is wanted
        case Decimal():
            number = isinstance(entry, int | float) and not isinstance(entry, bool)
            return number and in_order(Decimal(repr(entry)), operator, wanted)
        case _ if operator == "contains":
            return wanted in _written(entry)
        case _ if operator == "starts_with":
            return _written(entry).startswith(wanted)
        case _:
            return in_order(_written(entry), operator, wanted)


def _written(entry: Any) -> str:
    """A value of JSON as Postgres writes it, as text is compared."""
    if isinstance(entry, str):
        return plainly(entry)
    if isinstance(entry, bool):
        return "true" if entry else "false"
    return format(Decimal(repr(entry)) + 0, "f")


def kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """A map with its text as it is compared, as its column has it."""
    return {key: _plain(value) for key, value in values.items()}


def _plain(value: Any) -> Any:
    if isinstance(value, list):
        return [_plain(entry) for entry in value]
    return plainly(value) if isinstance(value, str) else value


def custom(column: str, key: str) -> Field:
    """The value of a key in a map that is kept in a column, and in the state's field of that name."""
    return Field(
        Compiled(f"{column} -> %s", (key,)),
        Custom(column, key),
        lambda current: getattr(current.state, column).get(key),
    )
