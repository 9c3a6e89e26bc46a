"""What a filter asks, checked against the fields that there are: as SQL, or as a test of one record."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from domain.kernel import Refused, invalid
from domain.kernel.filter import MAX_CONDITIONS, Condition, Conditions, Filter, Operator
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.asking.comparison import Field, NoOperatorError
from projections.table.asking.compiled import Compiled, either, every
from projections.table.asking.named import id_of

MAX_NAME: Final = 80
"""Of a field's name in a refusal."""

_NEXT_WORD: Final = re.compile(r"_([a-z])")

Find = Callable[[str], Field | None]
LeadTo = Callable[[Collection[UUID]], Mapping[UUID, UUID]]
"""Of the ids of things: those of what goes on for them."""


@dataclass(frozen=True)
class Fields:
    """What can be asked for, by the name that callers use. ``within`` finds what is called by a prefix and a name of its
    own: ``custom.size``. ``led`` says by kind which things are meant by the ids of those that can be merged into others.
    """

    known: Mapping[str, Field]
    within: Mapping[str, Find] = field(default_factory=dict)
    led: Mapping[str, LeadTo] = field(default_factory=dict)

    def find(self, name: str) -> Field | None:
        prefix, _, rest = name.partition(".")
        return self.within[prefix](rest) if rest and prefix in self.within else self.known_as(name)

    def __str__(self) -> str:
        """What there is."""
        return ", ".join(
            ["these are: " + ", ".join(sorted(self.known)), *(f"{name}.…" for name in sorted(self.within))]
        )

    def meant(self, found: Field, value: Any) -> Any:
        """A value, or a list of them, with the ids of things that were merged into others being those of the others."""
        lead_to, given = self.led.get(found.of or ""), value if isinstance(value, list) else [value]
        ids = [key for one in given if isinstance(one, str) and (key := id_of(one)) is not None]
        if lead_to is None or len(ids) < len(given):
            return value
        led = lead_to(ids)
        return [str(led[key]) for key in ids]

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


def asked(wanted: Filter, fields: Fields, at: str = "") -> Asked:
    """Raises ``Refused`` (``validation_failed``) when a condition cannot be asked: naming where it is in what is called
    ``at``, or else the field.
    """
    return _Reader(fields).read(wanted, at)


class _Reader:
    def __init__(self, fields: Fields) -> None:
        self._fields = fields
        self._left = MAX_CONDITIONS

    def read(self, wanted: Filter, at: str) -> Asked:
        if isinstance(wanted, Conditions):
            return Questions(
                wanted.match, tuple(self.read(part, at and f"{at}.{name}") for name, part in wanted.named())
            )
        self._left -= 1
        if self._left < 0:
            raise Refused("validation_failed", f"A filter has at most {MAX_CONDITIONS} conditions.")
        return self._question(wanted, at)

    def _question(self, condition: Condition, at: str) -> Question:
        name = condition.field[:MAX_NAME]
        found = self._fields.find(condition.field)
        if found is None:
            raise invalid(f"{at}.field" if at else name, f"{name} is not a field that can be filtered; {self._fields}")
        try:
            value = self._fields.meant(found, condition.value)
            wanted = found.comparison.read(condition.operator, value)
        except NoOperatorError as error:
            raise invalid(f"{at}.operator" if at else name, f"{name} {error}") from None
        except ValueError as error:
            raise invalid(f"{at}.value" if at else name, f"{name} {error}") from None
        return Question(found, condition.operator, wanted)
