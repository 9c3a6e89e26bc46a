"""What the columns of a table are for: recognised by their headers, or as a caller maps them."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from domain.importing.fields import TAGS, Fields
from domain.kernel import FieldError, Refused, invalid, values

Columns = dict[str, str | None]
"""Column → what it is for: a field, a text that stands for several, ``tags``, a key of a map; or nothing."""

MAX_COLUMNS: Final = 200
MAX_NAME: Final = 1_000
"""Characters of a column's name: questions of a survey stand over columns too."""
SAMPLE_ROWS: Final = 1_000
MAX_SHOWN: Final = 20
"""Columns that a refusal tells of."""

_COUNTERS: Final = frozenset({"", "index", "idx", "no", "nr", "row", "rowno", "rownumber", "rowindex", "unnamed0"})
_NOT_IN_KEY: Final = re.compile(r"[^\w .\-]+")
_SPACES: Final = re.compile(r"\s+")
_PLAIN: Final = re.compile(r"[\W_]+")


def headers(cells: Sequence[str]) -> list[str]:
    """The columns' names: as they are written, trimmed; those without one by their place, a repeated one numbered."""
    names = _Unlike()
    return [names.take(_SPACES.sub(" ", cell).strip() or f"Column {place}") for place, cell in enumerate(cells, 1)]


def recognised(
    fields: Fields, columns: Sequence[str], sample: Sequence[Sequence[str]], *, fixed: Collection[str] = ()
) -> Columns:
    """What each column is for, by its header.

    ``sample`` is the table's first rows. Of several columns for one field the first choice fills it; all others, and
    those that no field is for, become custom fields under their headers, so that nothing is lost. So does a column
    for a ``fixed`` field (one with the same value in all rows), or whose cells are not of the field's kind, such as
    a status of other words. A column that only numbers the rows is left out.
    """
    cells = [[row[place] if place < len(row) else "" for row in sample] for place in range(len(columns))]
    found = _fields(fields, columns, cells, frozenset(fixed))
    custom = fields.any_key
    if custom is None:
        return found
    keys = _Unlike(fixed)
    for place, column in enumerate(columns):
        if found[column] is None and not _numbers_rows(column, place, cells[place]):
            found[column] = _custom(fields, custom, column, place, keys)
    return found


def _fields(fields: Fields, columns: Sequence[str], cells: Sequence[Sequence[str]], fixed: frozenset[str]) -> Columns:
    found: Columns = dict.fromkeys(columns)
    taken = set(fixed)
    by_header: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        if fields.named_key(column) is None:
            by_header.setdefault(plain(column), []).append(place)
    for target, synonyms in fields.synonyms.items():
        if target in taken or taken & fields.parts(target):
            continue
        for place in (place for synonym in synonyms.split() for place in by_header.get(synonym, ())):
            if _fits(fields, target, cells[place]):
                found[columns[place]] = target
                taken.add(target)
                break
    return found


def given(fields: Fields, mapping: Mapping[str, str | None], columns: Sequence[str], *, complete: bool) -> Columns:
    """A caller's mapping, checked; columns that it does not name are left out.

    ``complete``: whether the table's columns are all known, so that a mapping of another one is a mistake.
    Refuses with every entry that is not acceptable.
    """
    if len(mapping) > MAX_COLUMNS:
        raise invalid("mapping", f"must have at most {MAX_COLUMNS} columns, not {len(mapping)}")
    errors: list[FieldError] = []
    found: Columns = dict.fromkeys(columns)
    for column, target in mapping.items():
        try:
            check_name(column)
            wanted = fields.target_of(target)
            if wanted is not None:
                _check_beside(fields, wanted, {name for name in found.values() if name})
                if complete:
                    _check_known(column, columns)
        except ValueError as error:
            errors.append(FieldError(field=f"mapping.{column[:64]}", message=str(error)))
        else:
            found[column] = wanted
    if errors:
        names = ", ".join(error.field for error in errors)
        raise Refused("validation_failed", f"Not acceptable: {names}.", details=errors)
    return found


def check_needed(fields: Fields, columns: Columns, fixed: Collection[str]) -> None:
    """Refuses a table in which nothing can say what its rows are about; tells what its columns were taken for."""
    if not columns or not fields.needed or {*columns.values(), *fixed}.intersection(fields.needed):
        return
    *most, last = fields.needed
    wanted = f"{', '.join(most)} or {last}" if most else last
    taken = [f"{column[:64]!r} for {target or 'nothing'}" for column, target in columns.items()]
    shown = ", ".join(taken[:MAX_SHOWN]) + (f" and {len(taken) - MAX_SHOWN} more" if len(taken) > MAX_SHOWN else "")
    message = f"has no column for {wanted}, and a {fields.noun} must have one; columns were taken thus: {shown}"
    raise invalid("mapping", message)


def check_name(column: str) -> None:
    """Raises ``ValueError`` where nobody would write that over a column; without any name it goes by its place."""
    if column.strip():
        values.text(column, MAX_NAME)


def _check_known(column: str, columns: Sequence[str]) -> None:
    if column not in columns:
        raise ValueError("is not a column of the table")


def _check_beside(fields: Fields, target: str, others: set[str]) -> None:
    if target != TAGS and target in others:
        raise ValueError(f"fills {target}, as another column does")
    whole, parts = fields.whole or (None, frozenset[str]())
    if (target == whole and others & parts) or (target in parts and whole in others):
        raise ValueError(f"is a whole {whole} beside a part of it")


def plain(header: str) -> str:
    """A header without case, accents, spaces and punctuation: ``"E-mail 1"`` → ``"email1"``."""
    return _PLAIN.sub("", values.folded(header))


def _fits(fields: Fields, target: str, cells: Sequence[str]) -> bool:
    """Whether all cells of the sample can be read as this field, if it is one that cannot be just any text."""
    if target not in fields.common_words:
        return True
    try:
        for cell in cells:
            if cell.strip():
                fields.readers[target](cell)
    except ValueError:
        return False
    return True


def _numbers_rows(column: str, place: int, cells: Sequence[str]) -> bool:
    """Whether the column does nothing but number the rows, from 0 or 1."""
    named = plain(column)
    if named not in _COUNTERS and column != f"Column {place + 1}":
        return False
    numbers = [(number, cell) for number, cell in enumerate(cells) if cell]  # a row that cannot be read has none
    return bool(numbers) and any(all(cell == str(number + first) for number, cell in numbers) for first in (0, 1))


def _custom(fields: Fields, custom: str, column: str, place: int, keys: _Unlike) -> str:
    """A custom field under the column's header, or the key that a header such as ``custom.plan`` names."""
    if (named := fields.named_key(column)) is not None:
        return keys.take(named)
    begins = next((prefix for prefix in fields.prefixes if column.startswith(prefix)), "")
    written = column.removeprefix(begins)
    key = _SPACES.sub(" ", _NOT_IN_KEY.sub(" ", written)).strip(" .-_")[:60].rstrip()
    try:
        key = values.custom_key(key)
    except ValueError:
        key = f"Column {place + 1}"
    return keys.take(fields.prefixes.get(begins, custom) + key)


class _Unlike:
    """Names that differ from one another; each number is tried once, however many are the same."""

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self._taken = set(taken)
        self._last: dict[str, int] = {}

    def take(self, name: str) -> str:
        """The name, with a number behind it when there is another of the same."""
        found, number = name, self._last.get(name, 1)
        while found in self._taken:
            number += 1
            found = f"{name} {number}"
        self._last[name] = number
        self._taken.add(found)
        return found
