"""What can be asked of a table and what its lists are sorted by, as its columns say: by the names that callers use."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from contextlib import suppress
from datetime import datetime
from functools import partial
from operator import attrgetter
from typing import Any, Final, NamedTuple

import msgspec

from domain.kernel.fields import Reference
from domain.kernel.values import CustomValue, custom_key
from projections.table.asking import plain
from projections.table.asking.asked import Fields
from projections.table.asking.comparison import Field
from projections.table.asking.compiled import Compiled
from projections.table.asking.custom import custom
from projections.table.column import Column

_LAST: Final = "'{}'::jsonb"
"""Greater than any value that is no map itself."""
LAST_TEXT: Final = "chr(1114111)"
"""Behind any other text."""
MAX_SORTED: Final = 200
"""Characters of text that lists are sorted by where no index has them in order."""
_TIMES: Final = {"created_at": "createdAt", "updated_at": "updatedAt"}


class Order(NamedTuple):
    """What a list is sorted by: a column or what is in one, how it is compared in SQL, its type there and in a cursor, and
    what stands for no value.
    """

    column: str
    sql: str
    type: str
    cursor: Any
    last: str | None = None

    def written(self, value: Any) -> Any:
        """A cursor's value as the parameter of a statement."""
        return msgspec.json.encode(value).decode() if self.type == "jsonb" and value is not None else value


def fields(columns: Sequence[Column[Any]], kind: str, references: Iterable[Reference]) -> Fields:
    """Of a ``kind`` of thing that has these columns and references."""
    of = {reference.field: reference.to.kind for reference in references}
    found = {
        "id": Field(Compiled("id"), plain.ID, attrgetter("id"), kind),
        "createdAt": Field(Compiled("created_at"), plain.TIME, attrgetter("created_at")),
        "updatedAt": Field(Compiled("updated_at"), plain.TIME, attrgetter("updated_at")),
    }
    for column in columns:
        if (asked := column.asked or column.kind.asked) is not None:
            found[column.field] = Field(Compiled(column.name), asked, column.of_current, of.get(column.name))
    maps = [column for column in columns if column.by_key]
    return Fields(found, {column.field: partial(custom, column.name) for column in maps})


def sorts(columns: Iterable[Column[Any]], times: Iterable[str]) -> dict[str, Order]:
    """``times``: of the two times that every row has, those that lists are sorted by."""
    found = {_TIMES[name]: Order(name, name, "timestamptz", datetime) for name in times}
    return found | {
        column.field: Order(column.name, column.order, column.kind.sql, column.kind.cursor, column.kind.last)
        for column in columns
        if column.sort and not column.by_key
    }


def of_text(value: str) -> Order:
    """By text that no index has in order; of what is long, how it begins."""
    begun = f"left({value}, {MAX_SORTED})"
    return Order(begun, begun, "text", str)


def or_last(value: str, kind: str, cursor: Any, last: str) -> Order:
    """By a value that may be missing and that no index has in order: without one last."""
    return Order(value, f"coalesce({value}, {last})", kind, cursor, last)


def by_key(columns: Iterable[Column[Any]], name: str) -> Order | None:
    """What a key of a map is sorted by, if callers can sort by what it holds (``attributes.size``): numbers as numbers and
    before them text, as it is compared; rows without the key last.
    """
    called, _, key = name.partition(".")
    for column in columns:
        if column.sort and column.by_key and column.field == called:
            with suppress(ValueError):
                found = f"({column.name} -> '{custom_key(key)}')"
                return Order(found, f"(coalesce({found}, {_LAST}))", "jsonb", CustomValue, _LAST)
    return None
