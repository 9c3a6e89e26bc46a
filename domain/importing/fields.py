"""What the columns of a table of one kind of thing may be for, and how its rows are read."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final, NamedTuple

from domain.importing.cells import Reader, names, one_line
from domain.kernel import FieldError, values

TAGS: Final = "tags"
"""What any number of columns may be for, of things that bear tags: their names."""


class Map(NamedTuple):
    """A field that holds values by key: its names in Python and on the wire; ``keys``: all that it can have, or any."""

    python: str
    wire: str
    keys: frozenset[str] | None = None


@dataclass(frozen=True)
class Fields:
    """What there is to know of a kind of thing to read it from tables.

    ``cells``: the fields that one cell can fill, name on the wire → name in Python; ``readers``: by name on the wire,
    how those are read that are not simply text. ``maps``: how a column for one key of a map begins, such as
    ``custom.`` → the map's name in Python; those that nothing else is for go to the first of any keys. ``spellings``: other ways
    of writing these. ``synonyms``: headers by what they mean, without case, spaces and punctuation; of several in a
    table, the earlier named is it. ``common_words``: fields whose headers stand over other things too.
    ``unlike``: what must differ from row to row. ``whole``: a text that is no field, and the fields that it stands for.
    ``needed``: of these each thing must have one. ``tagged``: whether these things bear tags.
    """

    noun: str
    cells: Mapping[str, str]
    synonyms: Mapping[str, str]
    readers: Mapping[str, Reader] = field(default_factory=dict)
    maps: Mapping[str, Map] = field(default_factory=dict)
    spellings: Mapping[str, str] = field(default_factory=dict)
    common_words: frozenset[str] = frozenset()
    unlike: frozenset[str] = frozenset()
    whole: tuple[str, frozenset[str]] | None = None
    needed: tuple[str, ...] = ()
    tagged: bool = False

    @cached_property
    def prefixes(self) -> Mapping[str, str]:
        """However a column for a key of a map may begin, and how we write that."""
        return {**{prefix: prefix for prefix in self.maps}, **self.spellings}

    @cached_property
    def python_names(self) -> Mapping[str, str]:
        """Name in Python → name on the wire."""
        return {python: wire for wire, python in self.cells.items()}

    @cached_property
    def targets(self) -> frozenset[str]:
        """All that a column can be for, but for the keys of maps."""
        return frozenset({*self.cells, *self._no_fields})

    @cached_property
    def _no_fields(self) -> tuple[str, ...]:
        """What a column can be for that is no field of its own."""
        return (*(() if self.whole is None else (self.whole[0],)), *((TAGS,) if self.tagged else ()))

    def parts(self, target: str) -> frozenset[str]:
        """The fields that a target stands for, where it is none itself."""
        return self.whole[1] if self.whole is not None and target == self.whole[0] else frozenset()

    def target_of(self, given: str | None) -> str | None:
        """What a column is mapped to, in the words of any of the documents."""
        name = (given or "").strip()
        if not name:
            return None
        for written, prefix in self.prefixes.items():
            if name.startswith(written):
                return prefix + self._key(prefix, name.removeprefix(written))
        name = self.python_names.get(name, name)
        if name not in self.targets:
            raise ValueError(self._expected)
        return name

    def named_key(self, column: str) -> str | None:
        """The key of a map that a header names as we would, such as ``custom.plan``; ``None`` where it names none."""
        prefix = next((prefix for prefix in self.maps if column.startswith(prefix)), None)
        try:
            return None if prefix is None else prefix + self._key(prefix, column.removeprefix(prefix))
        except ValueError:
            return None

    def _key(self, prefix: str, written: str) -> str:
        keys = self.maps[prefix].keys
        if keys is not None and written not in keys:
            raise ValueError(f"must be one of {', '.join(prefix + key for key in sorted(keys))}")
        return values.custom_key(written)

    @cached_property
    def any_key(self) -> str | None:
        """How columns begin that nothing else is for; ``None`` where they are left out."""
        return next((prefix for prefix, kept in self.maps.items() if kept.keys is None), None)

    @cached_property
    def _expected(self) -> str:
        known = [prefix + key for prefix, kept in self.maps.items() for key in sorted(kept.keys or ())]
        others = [*self._no_fields, *known, *([] if self.any_key is None else [f"{self.any_key}<key>"])]
        *most, last = [f"a {self.noun}'s field", *others]
        return f"must be {' or '.join([*([', '.join(most)] if most else []), last])}"


@dataclass(slots=True)
class RowFields:
    """A row as fields by Python name; ``whole`` is a text that is still to be made fields of."""

    fields: dict[str, Any]
    whole: str | None = None
    tags: list[str] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


class RowReader:
    """Reads the rows of one table. ``targets`` are what its columns are for, in their order; an empty cell is no value."""

    def __init__(self, fields: Fields, targets: Sequence[str | None]) -> None:
        self._fields = fields
        self._width = len(targets)
        self._texts: list[tuple[int, str]] = []
        self._read: list[tuple[int, str, str, Callable[[str], Any]]] = []
        self._maps: list[tuple[int, str, str]] = []
        self._wholes: list[int] = []
        self._tags: list[int] = []
        for place, target in enumerate(targets):
            if target is not None:
                self._add(place, target)

    def _add(self, place: int, target: str) -> None:
        known = self._fields
        prefix = next((prefix for prefix in known.maps if target.startswith(prefix)), None)
        if prefix is not None:
            self._maps.append((place, known.maps[prefix].python, target.removeprefix(prefix)))
        elif known.parts(target):
            self._wholes.append(place)
        elif target == TAGS:
            self._tags.append(place)
        elif target in known.readers:
            self._read.append((place, known.cells[target], target, known.readers[target]))
        else:
            self._texts.append((place, known.cells[target]))

    def read(self, cells: Sequence[str]) -> RowFields:
        """The row's values; cells beyond the last column are an error unless they are empty."""
        errors: list[FieldError] = []
        if len(cells) != self._width:
            cells = self._fitted(cells, errors)
        fields: dict[str, Any] = {name: one_line(cell) for place, name in self._texts if (cell := cells[place].strip())}
        for place, name, wire, read in self._read:
            if cell := cells[place].strip():
                try:
                    fields[name] = read(cell)
                except ValueError as error:
                    errors.append(FieldError(field=wire, message=str(error)))
        for place, name, key in self._maps:
            if cell := cells[place].strip():
                fields.setdefault(name, {})[key] = cell
        whole = next((one_line(cell) for place in self._wholes if (cell := cells[place].strip())), None)
        tags = [name for place in self._tags for name in names(cells[place])]
        return RowFields(fields, whole, tags, errors)

    def _fitted(self, cells: Sequence[str], errors: list[FieldError]) -> list[str]:
        if any(cell.strip() for cell in cells[self._width :]):
            message = f"has {len(cells)} cells, and the table has {self._width} columns"
            errors.append(FieldError(field="row", message=message))
        return [*cells[: self._width], *[""] * (self._width - len(cells))]
