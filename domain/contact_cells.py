"""The cells of a table of contacts: what people write there, as values of a contact's fields."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from domain.contact import DETAILS, ContactChanges
from domain.kernel import FieldError, values

CUSTOM: Final = "custom."
PREFERENCES: Final = "communicationPreferences."

FIELDS: Final = {
    wire: python
    for python, wire in zip(ContactChanges.__struct_fields__, ContactChanges.__struct_encode_fields__, strict=True)
    if python in DETAILS - {"custom_fields", "communication_preferences"}
}
"""The fields that one cell can fill: name on the wire → name in Python."""

_TRUE: Final = frozenset({"true", "yes", "y", "1", "x", "on"})
_FALSE: Final = frozenset({"false", "no", "n", "0", "off"})
_TYPES: Final = {
    "person": "person",
    "individual": "person",
    "contact": "person",
    "organization": "organization",
    "organisation": "organization",
    "company": "organization",
}
_STATUSES: Final = frozenset({"ACTIVE", "INACTIVE", "ARCHIVED"})
_DAY: Final = re.compile(r"(?:(\d{4})/(\d{1,2})/(\d{1,2})|(\d{1,2})\.(\d{1,2})\.(\d{4}))\Z")
_HOST: Final = re.compile(r"[\w\-]+(\.[\w\-]+)+(:\d+)?([/?#]\S*)?\Z")
_BREAKS: Final = re.compile(r"\s*[\r\n]+\s*")
_BETWEEN_TAGS: Final = re.compile(r"[,;]")


def boolean(cell: str) -> bool:
    word = cell.strip().lower()
    if word not in _TRUE | _FALSE:
        raise ValueError("must be yes or no")
    return word in _TRUE


def contact_type(cell: str) -> str:
    try:
        return _TYPES[cell.strip().lower()]
    except KeyError:
        raise ValueError("must be person or organization") from None


def status(cell: str) -> str:
    word = cell.strip().upper()
    if word not in _STATUSES:
        raise ValueError("must be ACTIVE, INACTIVE or ARCHIVED")
    return word


def member(cell: str) -> UUID:
    try:
        return UUID(cell.strip())
    except ValueError:
        raise ValueError("must be the id of a member of this workspace") from None


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


def tags(cell: str) -> list[str]:
    """Names between commas or semicolons."""
    return [name for part in _BETWEEN_TAGS.split(cell) if (name := part.strip())]


READERS: Final[dict[str, Callable[[str], Any]]] = {
    "type": contact_type,
    "status": status,
    "assignedTo": member,
    "globallyUnsubscribed": boolean,
    "dnc": boolean,
    "birthday": day,
    "language": values.language,
    "website": website,
    "address": address,
    "notes": str.strip,
}
"""How the cells of a field are read, where they are not simply text; each raises ``ValueError`` with what was expected."""


@dataclass(slots=True)
class RowFields:
    """A row as fields by Python name; ``name`` is a whole name that is still to be split."""

    fields: dict[str, Any]
    name: str | None = None
    tags: list[str] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


class RowReader:
    """Reads the rows of one table. ``targets`` are what its columns are for, in their order; an empty cell is no value."""

    def __init__(self, targets: Sequence[str | None]) -> None:
        self._width = len(targets)
        self._texts: list[tuple[int, str]] = []
        self._read: list[tuple[int, str, str, Callable[[str], Any]]] = []
        self._maps: list[tuple[int, str, str]] = []
        self._names: list[int] = []
        self._tags: list[int] = []
        for place, target in enumerate(targets):
            if target is not None:
                self._add(place, target)

    def _add(self, place: int, target: str) -> None:
        if target.startswith(CUSTOM):
            self._maps.append((place, "custom_fields", target.removeprefix(CUSTOM)))
        elif target.startswith(PREFERENCES):
            self._maps.append((place, "communication_preferences", target.removeprefix(PREFERENCES)))
        elif target == "name":
            self._names.append(place)
        elif target == "tags":
            self._tags.append(place)
        elif target in READERS:
            self._read.append((place, FIELDS[target], target, READERS[target]))
        else:
            self._texts.append((place, FIELDS[target]))

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
        whole = next((one_line(cell) for place in self._names if (cell := cells[place].strip())), None)
        names = [name for place in self._tags for name in tags(cells[place])]
        return RowFields(fields, whole, names, errors)

    def _fitted(self, cells: Sequence[str], errors: list[FieldError]) -> list[str]:
        if any(cell.strip() for cell in cells[self._width :]):
            message = f"has {len(cells)} cells, and the table has {self._width} columns"
            errors.append(FieldError(field="row", message=message))
        return [*cells[: self._width], *[""] * (self._width - len(cells))]
