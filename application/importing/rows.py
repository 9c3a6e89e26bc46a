"""What the rows of an import say: how they are kept until they are carried out, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal
from uuid import UUID

import msgspec

from application.contact import details
from domain.contact_cells import RowReader
from domain.contact_mapping import Columns
from domain.kernel import FieldError, Value
from schemas.contact import NewContact
from schemas.wire.error import field_error

Form = Literal["json", "rows", "csv"]

MAPS: Final = ("custom_fields", "communication_preferences")


class ImportPlan(Value):
    """What holds for every row of an import; kept with its job.

    ``mapping``: for each column, what it is for. ``constants``: a contact as callers send it, whose values every row
    has. ``tag_ids`` go on every contact. ``visible_to``: the member limited to what is assigned to them who imports.
    """

    form: Form
    mapping: Columns | None = None
    constants: NewContact = NewContact()
    tag_ids: tuple[UUID, ...] = ()
    skip_duplicates: bool = False
    visible_to: UUID | None = None


class CsvRow(msgspec.Struct, array_like=True, frozen=True):
    """A row of a file: the line it begins on, and its cells."""

    line: int
    cells: list[str]


Row = CsvRow | msgspec.Raw
"""A row of a file; or the JSON of a contact or of text by column."""


@dataclass(slots=True)
class Entry:
    """A row as a contact's fields by Python name; ``errors`` says what could not even be read.

    ``blank``: a row of a table with nothing in it, as spreadsheets leave them at the end.
    """

    number: int
    line: int | None = None
    blank: bool = False
    fields: dict[str, Any] = field(default_factory=dict)
    tags: list[str] = field(default_factory=list)
    tag_ids: list[UUID] = field(default_factory=list)
    errors: list[FieldError] = field(default_factory=list)


_encode = msgspec.json.Encoder().encode
_csv_rows = msgspec.json.Decoder(list[CsvRow]).decode
_raw_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_contact = msgspec.json.Decoder(NewContact).decode
_cells = msgspec.json.Decoder(dict[str, Any]).decode


def texts(row: msgspec.Raw) -> dict[str, str]:
    """A row of text by column; raises ``msgspec.DecodeError`` or ``UnicodeDecodeError`` where it is none."""
    return {column: value if isinstance(value, str) else _text(column, value) for column, value in _cells(row).items()}


def packed(rows: Sequence[Row]) -> str:
    """Rows as they are kept with a job."""
    return _encode(rows).decode()


def unpacked(form: Form, rows: str) -> Sequence[Row]:
    return _csv_rows(rows) if form == "csv" else _raw_rows(rows)


def entries(plan: ImportPlan, first_row: int, rows: Sequence[Row]) -> Iterator[Entry]:
    """The rows as contacts' fields, numbered from ``first_row``, with the plan's constants in them."""
    read = _reader(plan)
    constants = details(plan.constants)
    maps = {name: values for name in MAPS if (values := constants.pop(name, None))}
    for number, row in enumerate(rows, first_row):
        entry = read(number, row)
        if entry.blank:
            yield entry
            continue
        entry.fields.update(constants)
        for name, values in maps.items():
            entry.fields[name] = {**entry.fields.get(name, {}), **values}
        yield entry


def _reader(plan: ImportPlan) -> Callable[[int, Any], Entry]:
    if plan.mapping is None:
        return _of_contact
    table = RowReader(list(plan.mapping.values()))
    organizations = plan.constants.type == "organization"

    def of_cells(number: int, line: int | None, cells: Sequence[str]) -> Entry:
        row = table.read(cells)
        if row.name is not None:
            row.fields.update(_named(row.name, row.fields, organizations=organizations))
        blank = not (row.fields or row.errors) and not any(cell.strip() for cell in cells)
        return Entry(number, line, blank, row.fields, row.tags, errors=row.errors)

    if plan.form == "csv":
        return lambda number, row: of_cells(number, row.line, row.cells)
    columns = tuple(plan.mapping)

    def of_texts(number: int, row: msgspec.Raw) -> Entry:
        try:
            found = texts(row)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Entry(number, errors=[_misshapen(error)])
        return of_cells(number, None, [found.get(column, "") for column in columns])

    return of_texts


def _of_contact(number: int, row: msgspec.Raw) -> Entry:
    try:
        form = _contact(row)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        return Entry(number, errors=[_misshapen(error)])
    return Entry(number, None, False, details(form), form.tags or [], form.tag_ids or [])


def _named(name: str, fields: dict[str, Any], *, organizations: bool) -> dict[str, Any]:
    """A whole name as the fields it goes to: of an organization the company, of a person first and last name."""
    if (organizations or fields.get("type") == "organization") and "company" not in fields:
        return {"company": name}
    return {part: value for part, value in details(NewContact(name=name)).items() if value is not None}


def _misshapen(error: msgspec.DecodeError | UnicodeDecodeError) -> FieldError:
    if isinstance(error, msgspec.ValidationError):
        return field_error(error, "row")
    return FieldError(field="row", message=f"is not valid JSON: {error}")


def _text(column: str, value: Any) -> str:
    """A value as it would stand in a cell."""
    if isinstance(value, list | dict):
        raise msgspec.ValidationError(f"Expected text - at `$.{column[:64]}`")
    return "" if value is None else _encode(value).decode()
