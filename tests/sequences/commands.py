"""Commands as a workspace gets them, made by their types: values that mean something, and ids mostly of what there is."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Literal, TypeVar, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from hypothesis import strategies as st
from msgspec import UnsetType

from domain.catalogue import DECIDERS
from domain.kernel import Command, State
from domain.kernel.fields import Kept, Refers, references

Draw = Callable[[st.SearchStrategy[Any]], Any]
C = TypeVar("C", bound=Command)

TEXTS: Final = (
    "Ada", "VIP", "vip", "plan", "score", "Größe", " ", "3", "ada@engine.org", "bob@engine.org", "+1 415 555 2671",
    "https://engine.org/a", "engine.org", "2024-01-31", "2024-01-31T10:00:00+02:00", "#1a7f37", "en", "DE", "EUR", "JPY",
    "contact.*", "contacts:read",
)  # fmt: skip
"""Of every form that a text must have somewhere one or two; which of them a field takes, its type says."""
WHOLE: Final = (0, 1, 2, 30)
NUMBERS: Final = (0.0, 0.25, 1.0)
MOMENTS: Final = (datetime(2024, 1, 31, 8, tzinfo=UTC), datetime(2026, 2, 28, 23, 30, tzinfo=UTC))
MOST_GIVEN: Final = 5
"""So many more are given, at most, of the fields that can be left out."""

_STATES: Final[list[type[State]]] = [decider.state for decider in DECIDERS.values()]
_MEANT: Final = {reference.field: reference.to.kind for state in _STATES for reference in references(state)}
"""What a field is an id of that does not say so: what others mean by its name."""


@cache
def acceptable(keep: Callable[[Any], Any], among: tuple[Any, ...]) -> tuple[Any, ...]:
    """Of these the values that a field takes which is kept so."""
    return tuple(value for value in among if _is_kept(keep, value))


def _is_kept(keep: Callable[[Any], Any], value: Any) -> bool:
    try:
        keep(value)
    except ValueError:
        return False
    return True


@cache
def _hints(kind: Any) -> Mapping[str, Any]:
    return get_type_hints(kind, include_extras=True)


@dataclass(frozen=True)
class Maker:
    """``ids``: those that a thing of a kind can be referred to by, likely ones more often than others."""

    draw: Draw
    ids: Callable[[str | None], Sequence[UUID]]

    def make(self, kind: type[C], least: int = 0) -> C:
        """A command of this kind, with at least so many of the fields that can be left out."""
        return kind(**self._fields(kind, least))

    def _fields(self, kind: type[msgspec.Struct], least: int = 0) -> dict[str, Any]:
        fields = msgspec.structs.fields(kind)
        spare = sorted(field.name for field in fields if not field.required)
        least = min(least, len(spare))
        given = (
            st.sets(st.sampled_from(spare), min_size=least, max_size=least + MOST_GIVEN)
            if spare
            else st.just(set[str]())
        )
        wanted = {field.name for field in fields if field.required} | self.draw(given)
        return {name: self._of(hint, (kind, name)) for name, hint in _hints(kind).items() if name in wanted}

    def _of(self, hint: Any, where: tuple[type, str]) -> Any:
        origin, inner = get_origin(hint), get_args(hint)
        if origin is Annotated:
            return self._said(inner[0], inner[1:], where)
        if origin in (Union, UnionType):
            return self._of(self._one([member for member in inner if member is not UnsetType]), where)
        if origin is Literal:
            return self._one(inner)
        if origin in (tuple, list):
            return origin(self._of(inner[0], where) for _ in range(self._one((0, 1, 1, 2))))
        if origin is dict:
            return {key: self._of(inner[1], where) for key in self._some(("plan", "score", "vip"))}
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            return hint(**self._fields(hint))
        return self._plain(hint, where)

    def _said(self, hint: Any, said: Sequence[Any], where: tuple[type, str]) -> Any:
        """A value of a type that says what it refers to, or how it is kept."""
        for refers in (entry for entry in said if isinstance(entry, Refers)):
            return self._one(self.ids(refers.kind))
        for kept in (entry for entry in said if isinstance(entry, Kept)):
            if among := _AMONG.get(get_origin(hint) or hint):
                return self._one(acceptable(kept.keep, among))
        return self._of(hint, where)

    def _plain(self, hint: Any, where: tuple[type, str]) -> Any:
        if hint is UUID:
            return self._one(self.ids(meant(*where)))
        if hint is NoneType:
            return None
        if hint is str and self._one((True, False, False)):
            return str(self._one(self.ids(None)))
        return self._one(_PLAIN[hint])

    def _one(self, among: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(among))

    def _some(self, among: Sequence[Any]) -> list[Any]:
        return sorted(self.draw(st.sets(st.sampled_from(among), max_size=2)))


def meant(owner: type, name: str) -> str | None:
    """The kind of thing that a bare id is of: ``TagRef.id`` of a tag, ``Place.stage_id`` of a stage; none: of any."""
    return owner.__name__.removesuffix("Ref").lower() if name == "id" else _MEANT.get(name)


_PLAIN: Final[Mapping[Any, tuple[Any, ...]]] = {
    str: TEXTS,
    int: WHOLE,
    float: NUMBERS,
    bool: (False, True),
    datetime: MOMENTS,
    Decimal: tuple(map(Decimal, WHOLE)),
    Any: (None, True, 3, *TEXTS[:4]),
}
_AMONG: Final[Mapping[Any, tuple[Any, ...]]] = {
    **{kind: values for kind, values in _PLAIN.items() if kind is not Any},
    tuple: tuple((text,) for text in TEXTS),
}
"""By type what is tried for values that are kept in a way of their own."""
