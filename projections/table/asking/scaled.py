"""Amounts that are asked for in whole units of their currency, where records keep them in its smallest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Any

from domain.kernel.filter import Operator
from domain.kernel.money import money
from eventstore.database import Db
from projections.table.asking.comparison import Comparison, Field
from projections.table.asking.compiled import Compiled


@dataclass(frozen=True)
class Scaled(Comparison):
    """Compares as ``inner`` does; numbers that are given are of a ``currency``."""

    inner: Comparison
    currency: str

    @staticmethod
    def field(found: Field, currency: str) -> Field:
        return replace(found, comparison=Scaled(found.comparison, currency))

    def read(self, operator: Operator, value: Any) -> Any:
        given = [self._least(entry) for entry in value] if isinstance(value, list) else self._least(value)
        return self.inner.read(operator, given)

    def _least(self, value: Any) -> Any:
        """So many of the smallest unit; what is no number is left for others to refuse."""
        if not isinstance(value, int | float) or isinstance(value, bool):
            return value
        return money(Decimal(repr(value)), self.currency).amount

    def where(self, column: Compiled, operator: Operator, wanted: Any) -> Compiled:
        return self.inner.where(column, operator, wanted)

    def test(self, conn: Db, operator: Operator, wanted: Any) -> Callable[[Any], bool]:
        return self.inner.test(conn, operator, wanted)

    def of_nothing(self, operator: Operator, wanted: Any) -> bool:
        return self.inner.of_nothing(operator, wanted)

    def from_text(self, text: str) -> Any:
        return self.inner.from_text(text)
