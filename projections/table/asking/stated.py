"""Fields that have no column of their own: they are asked for in the state that a row keeps."""

from __future__ import annotations

from operator import attrgetter
from typing import Any, Final

from domain.kernel import times
from domain.kernel.values import day
from projections.table.asking import plain
from projections.table.asking.comparison import Field
from projections.table.asking.compiled import Compiled
from projections.table.asking.text import Text, plainly

_PLAIN: Final = Text(plainly)


def text(name: str, wire: str) -> Field:
    """Text, compared without the case of ASCII letters. ``wire`` is the field's name in JSON."""
    found = attrgetter(name)
    column = Compiled(f"lower(coalesce(state ->> '{wire}', '') COLLATE \"C\")")
    return Field(column, _PLAIN, lambda current: plainly(found(current.state) or ""))


def date(name: str, wire: str) -> Field:
    """A date that is kept as ``YYYY-MM-DD``."""
    found = attrgetter(name)

    def value(current: Any) -> Any:
        written = found(current.state)
        return None if written is None else times.read(day(written) or "").date()

    return Field(Compiled(f"(state ->> '{wire}')::date"), plain.DAY, value)
