"""What a filter asks, checked against the fields that there are: as SQL, or as a test of one record."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from domain.kernel import Refused, invalid
from domain.kernel.filter import MAX_CONDITIONS, Condition, Conditions, Filter, Operator
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.asking.comparison import Field
from projections.table.asking.compiled import Compiled, either, every

MAX_NAME: Final = 80
"""Of a field's name in a refusal."""

_NEXT_WORD: Final = re.compile(r"_([a-z])")

Find = Callable[[str], Field | None]


@dataclass(frozen=True)
class Fields:
    """What can be asked for, by the name that callers use. ``within`` finds what is called by a prefix and a name of its
    own: ``custom.size``.
    """

    known: Mapping[str, Field]
    within: Mapping[str, Find] = field(default_factory=dict)

    def find(self, name: str) -> Field:
        """Refuses (``validation_failed``) a name that is none, with those that there are."""
        prefix, _, rest = name.partition(".")
        found = self.within[prefix](rest) if rest and prefix in self.within else self.known_as(name)
        if found is None:
            there = [*sorted(self.known), *(f"{prefix}.…" for prefix in sorted(self.within))]
            raise invalid(name[:MAX_NAME], f"is not a field that can be filtered; these are: {', '.join(there)}")
        return found

    def known_as(self, name: str) -> Field | None:
        """A field by its name, or by that with underscores: ``created_at``."""
        return self.known.get(name) or self.known.get(_NEXT_WORD.sub(lambda found: found[1].upper(), name))


@dataclass(frozen=True)
class Question:
    """A condition that makes sense: what it asks of which field."""

    field: Field
    operator: Operator
    wanted: Any

    def where(self) -> Compiled:
        return self.field.comparison.where(self.field.column, self.operator, self.wanted)

    def test(self, conn: Db) -> Callable[[Current[Any]], bool]:
        value, holds = self.field.value, self.field.comparison.test(conn, self.operator, self.wanted)
        return lambda current: holds(value(current))


@dataclass(frozen=True)
class Questions:
    """All or any of some."""

    match: str
    parts: tuple[Asked, ...]

    def where(self) -> Compiled:
        parts = [part.where() for part in self.parts]
        return every(*parts) if self.match == "all" else either(*parts)

    def test(self, conn: Db) -> Callable[[Current[Any]], bool]:
        tests = [part.test(conn) for part in self.parts]
        joined = all if self.match == "all" else any
        return lambda current: joined(test(current) for test in tests)


Asked = Question | Questions


def asked(wanted: Filter, fields: Fields) -> Asked:
    """Raises ``Refused`` (``validation_failed``) naming the field, when a condition cannot be asked."""
    return _Reader(fields).read(wanted)


class _Reader:
    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._left = MAX_CONDITIONS

    def read(self, wanted: Filter) -> Asked:
        if isinstance(wanted, Conditions):
            return Questions(wanted.match, tuple(self.read(part) for part in wanted.parts))
        self._left -= 1
        if self._left < 0:
            raise Refused("validation_failed", f"A filter has at most {MAX_CONDITIONS} conditions.")
        return self._question(wanted)

    def _question(self, condition: Condition) -> Question:
        found = self._fields.find(condition.field)
        try:
            wanted = found.comparison.read(condition.operator, condition.value)
        except ValueError as error:
            raise invalid(condition.field[:MAX_NAME], str(error)) from None
        return Question(found, condition.operator, wanted)
