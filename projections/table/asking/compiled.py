"""Pieces of SQL with their parameters, and how they are put together."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

HERE: Final = object()

_PLACE: Final = re.compile(r"\{\}|%s")


@dataclass(frozen=True)
class Compiled:
    """A piece of a statement, and its parameters; among them ``HERE`` for the workspace that is asked."""

    sql: str
    params: tuple[Any, ...] = ()

    def params_in(self, workspace_id: UUID) -> tuple[Any, ...]:
        return tuple(workspace_id if param is HERE else param for param in self.params)


TRUE: Final = Compiled("true")
FALSE: Final = Compiled("false")


def every(*parts: Compiled) -> Compiled:
    """All of these hold."""
    asked = [part for part in parts if part is not TRUE]
    return _joined(" AND ", asked) if asked else TRUE


def either(*parts: Compiled) -> Compiled:
    """At least one of these holds; none, where there is none."""
    if TRUE in parts:
        return TRUE
    return _joined(" OR ", parts) if parts else FALSE


def _joined(word: str, parts: list[Compiled] | tuple[Compiled, ...]) -> Compiled:
    if len(parts) == 1:
        return parts[0]
    params = tuple(param for part in parts for param in part.params)
    return Compiled(word.join(f"({part.sql})" for part in parts), params)


def about(column: Compiled, template: str, *params: Any) -> Compiled:
    """A template in which ``{}`` is the column, as often as it is there, and each ``%s`` the next parameter."""
    if not column.params:
        return Compiled(template.replace("{}", column.sql), params)
    left = iter(params)
    found: list[Any] = []
    for place in _PLACE.findall(template):
        found += column.params if place == "{}" else (next(left),)
    return Compiled(template.replace("{}", column.sql), tuple(found))


def like(value: str) -> str:
    """Text as it stands inside a LIKE pattern."""
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
