"""A column of a row table: what of a state is in it, how it is kept there, and what can be asked of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import State
from domain.kernel.values import folded
from eventstore.rows import Current
from projections.table.asking import custom, plain, text
from projections.table.asking.comparison import Comparison

S = TypeVar("S", bound=State)


@dataclass(frozen=True)
class Kind:
    """A kind of column.

    ``sql`` is its type in Postgres, ``keep`` what a state's value becomes there if anything else, and ``unset`` what is there
    where it has none; ``asked`` is how filters compare it and ``cursor`` what it is in one. Text is never null (empty means not set), so that keyset paging needs no case for null;
    of what may be null, rows without a value are sorted as if it were ``last``.
    """

    sql: str
    asked: Comparison | None
    cursor: Any
    keep: Callable[[Any], Any] | None = None
    collation: str = ""
    last: str | None = None
    unset: str | None = None

    @property
    def definition(self) -> str:
        return f"{self.sql}{self.collation}{'' if self.last else ' NOT NULL'}"

    def kept(self, value: Any) -> Any:
        """What is in the column for a state's value."""
        if value is None:
            return self.unset
        return value if self.keep is None else self.keep(value)


_C: Final = ' COLLATE "C"'


def _map(value: Mapping[str, Any]) -> str:
    return msgspec.json.encode(custom.kept(value)).decode() if value else "{}"


TEXT: Final = Kind("text", text.TEXT, str, None, _C, unset="")
"""As it stands."""
FOLDED: Final = Kind("text", text.FOLDED, str, folded, _C, unset="")
"""For comparing, sorting and searching without case and accents."""
LOWERED: Final = Kind("text", text.LOWERED, str, None, _C, unset="")
"""Text that is kept in lower case already."""
PHONE: Final = Kind("text", text.PHONE, str, None, _C, unset="")
"""A number in E.164. A search finds any part of it, however that is written."""
WHOLE: Final = Kind("bigint", plain.WHOLE, int | None, last=f"{2**63 - 1}::bigint")
NUMBER: Final = Kind("double precision", plain.NUMBER, float | None, last="'infinity'::double precision")
DECIMAL: Final = Kind("numeric", plain.WHOLE, Decimal | None, last="'infinity'::numeric")
"""Exactly, such as money."""
BOOLEAN: Final = Kind("boolean", plain.BOOLEAN, bool)
TIME: Final = Kind("timestamptz", plain.TIME, datetime | None, last="'infinity'::timestamptz")
DAY: Final = Kind("date", plain.DAY, date | None, date.fromisoformat, last="'infinity'::date")
"""Of a state's ``YYYY-MM-DD``."""
ID: Final = Kind("uuid", plain.ID, UUID | None, last="'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid")
IDS: Final = Kind("uuid[]", None, None, list)
TEXTS: Final = Kind("text[]", None, None, list)
JSON: Final = Kind("jsonb", None, None, lambda value: msgspec.json.encode(value).decode(), unset="null")
MAP: Final = Kind("jsonb", None, None, _map)
"""Of fields that are the workspace's own: with its text as it is compared, so that an index finds it by key and value."""


@dataclass(frozen=True)
class Column(Generic[S]):
    """One line of a row table: ``Column("company", FOLDED, sort=True, searched=True)``.

    ``of``: what is in it, else the state's attribute of its name. ``wire``: what callers call it, else its name in
    camelCase. ``sort``: lists can be sorted by it. ``searched``: its text is among what a search looks in.
    ``unique``: two rows with the same value are a conflict, and this is how to say so. ``asked``: how filters compare it, where not
    as its kind says. ``by_key``: of a map, that each key of it can be asked for, and with ``sort`` sorted by. ``indexed``: it is looked up by itself.
    """

    name: str
    kind: Kind
    of: Callable[[S], Any] | None = None
    wire: str | None = None
    sort: bool = False
    searched: bool = False
    unique: str | None = None
    asked: Comparison | None = None
    by_key: bool = False
    indexed: bool = False

    @cached_property
    def value(self) -> Callable[[S], Any]:
        """What is in the column for a state."""
        found, kept = self.found, self.kind.kept
        return lambda state: kept(found(state))

    def of_current(self, current: Current[S]) -> Any:
        """What is in the column for a record."""
        return self.value(current.state)

    @property
    def found(self) -> Callable[[S], Any]:
        """What of a state is in it."""
        return self.of or attrgetter(self.name)

    @property
    def field(self) -> str:
        """What callers call it."""
        first, *words = self.name.split("_")
        return self.wire or first + "".join(word.title() for word in words)

    @property
    def order(self) -> str:
        """What lists are sorted by, in SQL."""
        return f"(coalesce({self.name}, {self.kind.last}))" if self.kind.last else self.name
