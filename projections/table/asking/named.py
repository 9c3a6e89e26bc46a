"""References to several things that are asked for by what they are called."""

from __future__ import annotations

from typing import Any, ClassVar, LiteralString
from uuid import UUID

from domain.kernel.filter import Operator
from domain.kernel.values import folded
from eventstore.database import Db
from projections.table.asking.comparison import Valued, entries
from projections.table.asking.compiled import HERE, Compiled

_Words = tuple[list[UUID | None], list[str], list[str]]
_NOT: frozenset[Operator] = frozenset({"neq", "not_contains", "not_has"})


class Named(Valued):
    """Ids of things, one of which is asked for by id, name or slug.

    ``finding`` is a subquery that answers an array of the ids which words mean; its parameters are, of each word, the
    id that it may be, the folded name and the slug, and then the workspace.
    """

    operators: ClassVar[frozenset[Operator]] = frozenset(
        {"eq", "neq", "contains", "not_contains", "has", "not_has", "in"}
    )
    nothing: ClassVar[Any] = ()
    unset: ClassVar[str] = "cardinality({}) = 0"

    def __init__(self, finding: LiteralString) -> None:
        self._finding = finding

    def wanted(self, _: Operator, value: Any) -> _Words:
        words = [entry.strip() for entry in entries(value, str, "text")]
        if any("\0" in word for word in words):
            raise ValueError("must not contain control characters")
        return [id_of(word) for word in words], [folded(word) for word in words], [word.lower() for word in words]

    def sql(self, column: Compiled, operator: Operator, wanted: _Words) -> Compiled:
        overlap = f"{column.sql} && {self._finding}"
        return Compiled(f"NOT ({overlap})" if operator in _NOT else overlap, (*column.params, *wanted, HERE))

    def of_nothing(self, operator: Operator, _: _Words) -> bool:
        return operator in ("is_not_set", "is_empty") or operator in _NOT

    def known(self, conn: Db, wanted: _Words) -> frozenset[UUID]:
        row = conn.execute(f"SELECT {self._finding}", (*wanted, conn.workspace_id)).fetchone()
        return frozenset(() if row is None else row[0])

    def holds(self, value: Any, operator: Operator, wanted: frozenset[UUID]) -> bool:
        return wanted.isdisjoint(value) is (operator in _NOT)


def id_of(word: str) -> UUID | None:
    """The id that a word may be."""
    try:
        return UUID(word)
    except ValueError:
        return None
