"""What people write in the cells of a table, as values; each reader raises ``ValueError`` with what was expected."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from types import UnionType
from typing import Any, Final, Literal, Union, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec

from domain.kernel import values
from domain.kernel.fields import references

Reader = Callable[[str], Any]

_TRUE: Final = frozenset({"true", "yes", "y", "1", "x", "on"})
_FALSE: Final = frozenset({"false", "no", "n", "0", "off"})
_DAY: Final = re.compile(r"(?:(\d{4})/(\d{1,2})/(\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4}))\Z")
_HOST: Final = re.compile(r"[\w\-]++(?:\.[\w\-]++)++(?::\d++)?(?:[/?#]\S*+)?\Z")
_BREAKS: Final = re.compile(r"(?<!\s)[^\S\r\n]*+[\r\n]\s*+")
"""White space with a line break in it; looked for only where white space begins, so that each is looked at once."""
_BETWEEN_NAMES: Final = re.compile(r"[,;]")
_FORMULA: Final = re.compile(r"'*+\s*+[=+\-@\uff1d\uff0b\uff0d\uff20]|'*+[\t\r\n]")
"""What a spreadsheet takes for the beginning of one, however wide, behind white space, or behind apostrophes of ours."""


def guarded(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: with an apostrophe before what would begin one."""
    return f"'{cell}" if _FORMULA.match(cell) else cell


def unguarded(cell: str) -> str:
    """What was ``guarded``, as it was before."""
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def boolean(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be yes or no")
    return word in _TRUE


def day(cell: str) -> str:
    """A date that can be read in one way only: year first, or with dots, day first."""
    found = _DAY.match(cell.strip())
    if found is None:
        return values.day(cell) or ""
    year, month, date = (found[1], found[2], found[3]) if found[1] else (found[6], found[5], found[4])
    return values.day(f"{year}-{int(month):02}-{int(date):02}") or ""


def website(cell: str) -> str:
    """An address as it is written on a business card is one of https."""
    written = cell.strip()
    return f"https://{written}" if _HOST.match(written) else written


def one_line(cell: str) -> str:
    """Spreadsheets break lines inside a cell."""
    return _BREAKS.sub(" ", cell) if "\n" in cell or "\r" in cell else cell


def address(cell: str) -> str:
    return _BREAKS.sub(", ", cell.strip())


def names(cell: str) -> list[str]:
    """Names between commas or semicolons, or as a JSON list where they have such in them."""
    listed = values.text_list(cell)
    if listed is not None:
        return [name for entry in listed if (name := entry.strip())]
    return [name for part in _BETWEEN_NAMES.split(cell) if (name := part.strip())]


def names_cell(given: Sequence[str]) -> str:
    """The cell that has these ``names``."""
    plain = ", ".join(given)
    return plain if names(plain) == list(given) else values.list_text(given)


def word_of(words: tuple[str, ...]) -> Reader:
    """One of a few words, in any case."""
    known = {word.lower(): word for word in words}
    *most, last = words
    expected = f"must be {', '.join(most)} or {last}" if most else f"must be {last}"

    def read(cell: str) -> str:
        found = known.get(cell.strip().lower())
        if found is None:
            raise ValueError(expected)
        return found

    return read


def id_of(kind: str) -> Reader:
    """The id of a thing of this kind: text that is none is an error of its row, whether or not the thing exists."""

    def read(cell: str) -> UUID:
        try:
            return UUID(cell.strip())
        except ValueError:
            raise ValueError(f"must be the id of a {kind.replace('_', ' ')} of this workspace") from None

    return read


def by_type(kind: type[msgspec.Struct]) -> dict[str, Reader]:
    """For each field of a struct that is not text, by its name on the wire, how cells are read as its type says.

    Knows references, yes or no, and words to choose from; a field of another type needs a reader of its own.
    """
    hints = get_type_hints(kind)
    refers = {reference.wire: id_of(reference.to.kind) for reference in references(kind) if not reference.many}
    return {
        field.encode_name: reader
        for field in msgspec.structs.fields(kind)
        if (reader := refers.get(field.encode_name) or _reader(hints[field.name])) is not None
    }


def _reader(hint: Any) -> Reader | None:
    for part in _parts(hint):
        if part is bool:
            return boolean
        if get_origin(part) is Literal:
            return word_of(get_args(part))
    return None


def _parts(hint: Any) -> Iterator[Any]:
    if get_origin(hint) in (Union, UnionType):
        for part in get_args(hint):
            yield from _parts(part)
    else:
        yield hint
