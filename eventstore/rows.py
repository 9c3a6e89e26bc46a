"""What the unit of work asks of the rows: the fold of each stream, kept in a table beside the log."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, NamedTuple, Protocol, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import Decider, Refused, State
from domain.kernel.fields import Reference
from eventstore.database import Db

S = TypeVar("S", bound=State)


class Current(msgspec.Struct, Generic[S], frozen=True, eq=False):
    """A stream as it stands: its state, version (= number of events), and when it began and last changed.

    ``beside``: what is shown of other things with it and those read along with it, where that was read; it is no part of
    what is equal. A struct, because one is made of every row that is read or folded, and a frozen dataclass takes five
    times as long.
    """

    id: UUID
    state: S
    version: int
    created_at: datetime
    updated_at: datetime
    beside: Any = None

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Current) and self._compared == other._compared

    __hash__ = None  # type: ignore[assignment]  # a state may have maps in it

    @property
    def _compared(self) -> tuple[Any, ...]:
        return self.id, self.state, self.version, self.created_at, self.updated_at


class Held(NamedTuple):
    """A thing that is held against ending until the transaction does; ``stands`` unless it is on its way out already."""

    current: Current[Any]
    stands: bool


@dataclass(frozen=True, slots=True)
class Change:
    """A stream before and after a unit of work; ``None`` where there is no row."""

    id: UUID
    before: Current[Any] | None
    after: Current[Any] | None


class Rows(Protocol):
    """The table of one kind of stream."""

    @property
    def decider(self) -> Decider[Any, Any, Any]: ...

    @property
    def owner(self) -> str | None:
        """The field of the user whom one is assigned to, where only they see it who see only what is theirs."""
        ...

    @property
    def limited(self) -> bool:
        """Whether not everybody sees every one of them."""
        ...

    @property
    def noun(self) -> str:
        """What callers are told that one of them is."""
        ...

    @property
    def leads_to(self) -> Callable[[Db, UUID], UUID] | None:
        """Of a kind of which one can be merged into another: says, of the id of one that is no more, which goes on in its
        place, or that id again.
        """
        ...

    @property
    def references(self) -> Sequence[Reference]:
        """What its states refer to."""
        ...

    def load(self, conn: Db, ids: Sequence[UUID], *, locked: bool = False) -> dict[UUID, Current[Any]]:
        """The rows of these streams; each serves as its stream's snapshot. ``locked``: nobody changes them meanwhile."""
        ...

    def all(self, conn: Db) -> Sequence[Current[Any]]:
        """Every row of the workspace, of a kind of which there are few."""
        ...

    def write(self, conn: Db, workspace_id: UUID, changes: Sequence[Change], *, bulk: bool) -> None:
        """Inserts, updates and deletes: in bulk in one statement, else in a pipeline without waiting for an answer."""
        ...

    def visible(self, conn: Db, current: Current[Any], visible_to: UUID | None) -> bool:
        """Whether a caller sees it who sees only what is theirs (``visible_to``), or all where that is none."""
        ...

    def key_of(self, current: Current[Any]) -> UUID:
        """What others refer to it by."""
        ...

    def hold(self, conn: Db, keys: Sequence[UUID], *, ending: bool = False) -> Iterable[Sequence[Any]]:
        """A row with each of these keys that there are, held until the transaction ends: in order to end; or against
        ending, where it is not on its way out already.

        Not waited for in a pipeline.
        """
        ...

    def referring(self, conn: Db, reference: Reference, key: UUID, limit: int) -> list[UUID]:
        """The ids of those that refer to ``key`` by this reference, in order; it may be one by a key of a map."""
        ...

    def count_referring(self, conn: Db, reference: Reference, key: UUID, but: UUID) -> int:
        """How many refer to ``key`` by this reference, but for one."""
        ...

    def hides_referring(self, conn: Db, reference: Reference, key: UUID, visible_to: UUID) -> bool:
        """Whether some refer to ``key`` by this reference that ``visible_to`` does not see."""
        ...

    def counts(self, change: Change) -> Iterable[tuple[str, int]]:
        """What the change adds to ``row_counts``."""
        ...

    def conflict(self, conn: Db, constraint: str, changes: Sequence[Change]) -> Refused | None:
        """The refusal for a violated unique index of this table, naming the row that stands in the way."""
        ...


Registry = Mapping[str, Rows]
"""Rows by stream type."""
