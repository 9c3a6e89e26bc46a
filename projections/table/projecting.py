"""How a state becomes a row: its columns are computed from the state, and the state itself is kept beside them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import Decider, State
from domain.kernel.values import folded
from eventstore.rows import Current
from projections.table.column import FOLDED, MAP, PHONE, Column
from projections.table.words import words

S = TypeVar("S", bound=State)

COMMON: Final = {
    "workspace_id": "uuid",
    "id": "uuid",
    "version": "integer",
    "created_at": "timestamptz",
    "updated_at": "timestamptz",
    "state": "jsonb",
}
"""The columns that every table begins with, and their types."""

SEARCH: Final = "search"
"""The column with what a search looks in, a line each, where there is any."""


@dataclass(frozen=True)
class Projecting(Generic[S]):
    """What a table is made of. ``version`` goes up when the columns change: ``daybook migrate`` then rebuilds."""

    name: str
    decider: Decider[Any, Any, S]
    version: int
    columns: tuple[Column[S], ...]

    @cached_property
    def table(self) -> str:
        """What it is called in the database: a process that knows other columns finds no table of its own to write them to."""
        return f"{self.name}_v{self.version}"

    @cached_property
    def searched(self) -> tuple[int, ...]:
        """The places of the columns whose text a search looks in."""
        return tuple(place for place, column in enumerate(self.columns) if column.searched)

    @cached_property
    def phoned(self) -> bool:
        """Whether there may be phone numbers among that text."""
        return any(self.columns[place].kind in (PHONE, MAP) for place in self.searched)

    @cached_property
    def definitions(self) -> dict[str, str]:
        """The table's own columns, as they are made: name → type, collation and whether it can be null."""
        found = {column.name: column.kind.definition for column in self.columns}
        return found | ({SEARCH: FOLDED.definition} if self.searched else {})

    @cached_property
    def kinds(self) -> dict[str, str]:
        """All columns in the order of ``values``, each with its type alone."""
        found = {column.name: column.kind.sql for column in self.columns}
        return {**COMMON, **found, **({SEARCH: FOLDED.sql} if self.searched else {})}

    @property
    def names(self) -> tuple[str, ...]:
        """The columns in the order of ``values``."""
        return tuple(self.kinds)

    def project(self, current: Current[S]) -> tuple[Any, ...]:
        """The values of the table's own columns, in order of ``definitions``."""
        read = self._read(current.state)
        found = list(read)
        for place, keep, unset in self._kept:
            # As ``Kind.kept``, but without a call for each column: this is most of what a rebuild costs.
            if (value := found[place]) is None:
                found[place] = unset
            elif keep is not None:
                found[place] = keep(value)
        if self.searched:
            texts = [found[place] if text is None else text(read[place]) for place, text in self._searched]
            found.append("\n".join(filter(None, texts)))
        return tuple(found)

    @cached_property
    def _searched(self) -> tuple[tuple[int, Callable[[Any], str] | None], ...]:
        """The places that a search looks in, and what makes text to look in of what the state has; none where the column is it."""
        texts = {FOLDED: None, MAP: lambda value: folded(words(value)) if value else ""}
        return tuple(
            (place, texts.get(self.columns[place].kind, lambda value: folded(value or ""))) for place in self.searched
        )

    @cached_property
    def _read(self) -> Callable[[S], Sequence[Any]]:
        """What of a state is in the columns: where it is what the state has, all of it in one go."""
        if len(self.columns) > 1 and all(column.of is None for column in self.columns):
            return attrgetter(*(column.name for column in self.columns))
        found = tuple(column.found for column in self.columns)
        return lambda state: [read(state) for read in found]

    @cached_property
    def _kept(self) -> tuple[tuple[int, Callable[[Any], Any] | None, str | None], ...]:
        """The places of columns that may have something else than the state, with ``keep`` and ``unset`` of their kinds."""
        kinds = [column.kind for column in self.columns]
        return tuple((n, kind.keep, kind.unset) for n, kind in enumerate(kinds) if kind.keep or kind.unset is not None)

    @cached_property
    def _decode(self) -> Callable[[str | bytes], S]:
        return msgspec.json.Decoder(self.decider.state).decode

    def current(self, row: Sequence[Any], beside: Any = None) -> Current[S]:
        """A row of ``id, state::text, version, created_at, updated_at`` as what it stands for."""
        return Current(row[0], self._decode(row[1]), row[2], row[3], row[4], beside)

    def values(self, workspace_id: UUID, current: Current[S]) -> tuple[Any, ...]:
        """The whole row, in the order of ``COMMON`` and ``columns``."""
        state = msgspec.json.encode(current.state).decode()
        common = (workspace_id, current.id, current.version, current.created_at, current.updated_at, state)
        return common + self.project(current)
