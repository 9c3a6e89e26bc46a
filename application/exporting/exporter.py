"""What there is to know of a kind of thing to write all of them down, and how that is asked for."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from functools import cached_property, partial
from typing import Any, Final, Generic, Literal, TypeVar

from application.exporting.columns import Columns
from application.exporting.table import written
from domain.importing.columns import MAX_COLUMNS
from domain.importing.fields import Fields, Map
from domain.kernel import State
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.asking.compiled import TRUE, Compiled
from projections.table.keys import keys_of
from projections.table.listing import Listing
from schemas.wire.page import Sort
from schemas.wire.writing import encode

S = TypeVar("S", bound=State)
V = TypeVar("V")

Format = Literal["csv", "ndjson"]
Things = Generator[list[Current[S]], None, None]
"""All of them, some at a time."""

CUSTOM: Final = "customFields"
"""On the wire, the map whose keys are defined."""

MARK: Final = b"\xef\xbb\xbf"
"""What some spreadsheets need to know that a file is UTF-8."""


@dataclass(frozen=True)
class Wanted:
    """Which things, in which order, and how they are written; ``columns`` of none are all that can be imported."""

    format: Format
    where: Compiled = TRUE
    search: str | None = None
    sort: Sort | None = None
    columns: Sequence[str] = ()
    marked: bool = False


@dataclass(frozen=True)
class Exporter(Generic[S, V]):
    """``fields``: what its importer reads. ``views``: how things are shown, some at a time. ``defined``: the keys of custom
    fields that there are, in their order. ``own``: values of columns that are not those shown, by name in Python.
    """

    listing: Listing[S]
    fields: Fields
    view: type[V]
    views: Callable[[Db, Sequence[Current[S]]], Sequence[V]]
    defined: Callable[[Db], Sequence[str]]
    own: Mapping[str, Callable[[Current[S], V], Any]] = field(default_factory=dict)

    @cached_property
    def columns(self) -> Columns:
        return Columns(self.fields, self.view, self.own)

    def written(self, conn: Db, wanted: Wanted) -> Generator[bytes, None, None]:
        """The file, some of it at a time. Refuses, before the first, a column (``columns``) or an order (``sort``) that
        there is not.
        """
        found = self.listing.found(conn, wanted.search, wanted.where)
        things = self.listing.whole(conn, wanted.sort, found)
        return self._lines(conn, things) if wanted.format == "ndjson" else self._table(conn, wanted, found, things)

    def _lines(self, conn: Db, things: Things[S]) -> Generator[bytes, None, None]:
        with closing(things):
            for some in things:
                yield b"".join(encode(view) + b"\n" for view in self.views(conn, some))

    def _table(self, conn: Db, wanted: Wanted, found: Compiled, things: Things[S]) -> Generator[bytes, None, None]:
        names = wanted.columns or self.columns.of_keys(partial(self._keys, conn, found))
        columns = self.columns.chosen(names)
        yield (MARK if wanted.marked else b"") + written([columns])
        reads = [*columns.values()]
        with closing(things):
            for some in things:
                both = zip(some, self.views(conn, some), strict=True)
                yield written([read(kept, shown) for read in reads] for kept, shown in both)

    def _keys(self, conn: Db, found: Compiled, kept: Map) -> Sequence[str]:
        """The keys of a map: those that it can have, or those that are defined and those that are there."""
        if kept.keys is not None:
            return sorted(kept.keys)
        defined = self.defined(conn) if kept.wire == CUSTOM else ()
        there = keys_of(conn, self.listing.table, found, kept.wire, MAX_COLUMNS + 1)
        return [*dict.fromkeys([*defined, *there])]
