"""Which columns a table of things can have: all that their importer reads, and what else is shown of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from application.exporting.table import cell
from domain.importing.cells import names_cell
from domain.importing.columns import MAX_COLUMNS
from domain.importing.fields import TAGS, Fields, Map
from domain.kernel import invalid

Read = Callable[[Any, Any], str]
"""The cell of a thing, as it is kept and as it is shown."""

_NOTHING: Final[Mapping[str, Any]] = {}
_SHOWN: Final = 64


class Columns:
    """Those that things of one kind can have; ``own`` has values that are not those shown, by name in Python."""

    def __init__(self, fields: Fields, view: type[Any], own: Mapping[str, Callable[[Any, Any], Any]]) -> None:
        self._fields = fields
        shown = {field.encode_name: field.name for field in msgspec.structs.fields(view)}
        maps = {kept.wire for kept in fields.maps.values()}
        self._plain = {
            wire: _read(python, own.get(python)) for wire, python in shown.items() if wire not in maps and wire != TAGS
        }
        self.importable = tuple(wire for wire in fields.cells if wire in shown)

    def of_keys(self, keys: Callable[[Map], Sequence[str]]) -> list[str]:
        """All that can be imported: a column for each of the ``keys`` that there are in a map. Refuses too many."""
        tags = [TAGS] if self._fields.tagged else []
        found = [f"{prefix}{key}" for prefix, kept in self._fields.maps.items() for key in keys(kept)]
        if len(names := [*self.importable, *tags, *found]) > MAX_COLUMNS:
            raise invalid("columns", f"would be more than {MAX_COLUMNS}, of so many custom fields: say which")
        return names

    def chosen(self, names: Sequence[str]) -> dict[str, Read]:
        """By name; refuses one that there is not, or too many."""
        if len(names) > MAX_COLUMNS:
            raise invalid("columns", f"must be at most {MAX_COLUMNS}")
        return {name: self._one(name) for name in names}

    def _one(self, name: str) -> Read:
        if name == TAGS and self._fields.tagged:
            return lambda _, shown: names_cell(shown.tags)
        if (found := self._plain.get(name)) is not None:
            return found
        if (named := self._fields.named_key(name)) is None:
            known = ", ".join([*self._plain, *([TAGS] if self._fields.tagged else []), *self._fields.maps])
            raise invalid("columns", f"{name[:_SHOWN]!r} is none; there are {known}<key>")
        prefix = next(prefix for prefix in self._fields.maps if named.startswith(prefix))
        return _of_key(self._fields.maps[prefix].python, named.removeprefix(prefix))


def _read(python: str, own: Callable[[Any, Any], Any] | None) -> Read:
    if own is not None:
        return lambda kept, shown: cell(own(kept, shown))
    return lambda _, shown: cell(getattr(shown, python))


def _of_key(python: str, key: str) -> Read:
    """What a map has under a key; or a thing of few fields, such as an address."""

    def read(_: Any, shown: Any) -> str:
        held = getattr(shown, python)
        if isinstance(held, msgspec.Struct):
            return cell(getattr(held, key))
        return cell((held or _NOTHING).get(key))

    return read
