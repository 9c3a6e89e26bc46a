"""What the rows of an import say: how they are kept until they are carried out, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from application.importing.importer import Entry, Form, Importer, Plan
from domain.importing.columns import Columns
from domain.importing.fields import Fields, RowReader
from domain.kernel import FieldError, Refused
from schemas.wire.error import field_error
from schemas.wire.faults import faults


class CsvRow(msgspec.Struct, array_like=True, frozen=True):
    """A row of a file: the line it begins on, and its cells; ``fault`` says why it has none."""

    line: int
    cells: list[str]
    fault: str | None = None


Row = CsvRow | msgspec.Raw
"""A row of a file; or the JSON of a thing or of text by column."""


_encode = msgspec.json.Encoder().encode
_csv_rows = msgspec.json.Decoder(list[CsvRow]).decode
_raw_rows = msgspec.json.Decoder(list[msgspec.Raw]).decode
_cells = msgspec.json.Decoder(dict[str, Any]).decode


def texts(row: msgspec.Raw) -> dict[str, str]:
    """A row of text by column; raises ``msgspec.DecodeError`` or ``UnicodeDecodeError`` where it is none."""
    return {column: value if isinstance(value, str) else _text(column, value) for column, value in _cells(row).items()}


def packed(rows: Sequence[Row]) -> str:
    """Rows as they are kept with a job."""
    return _encode(rows).decode()


def unpacked(form: Form, rows: str) -> Sequence[Row]:
    return _csv_rows(rows) if form == "csv" else _raw_rows(rows)


def entries(importer: Importer[Any], plan: Plan, first_row: int, rows: Sequence[Row]) -> Iterator[Entry]:
    """The rows as things' fields, numbered from ``first_row``, with the plan's constants in them."""
    known = importer.fields(plan.constants)
    read = _of_objects(importer) if plan.mapping is None else _of_table(importer, plan, plan.mapping, known)
    constants = importer.details(plan.constants)
    maps = {kept.python: values for kept in known.maps.values() if (values := constants.pop(kept.python, None))}
    for number, row in enumerate(rows, first_row):
        entry = read(number, row)
        if entry.blank:
            yield entry
            continue
        entry.fields.update(constants)
        for name, values in maps.items():
            entry.fields[name] = {**(entry.fields.get(name) or {}), **values}
        yield entry


def _of_table(importer: Importer[Any], plan: Plan, mapping: Columns, known: Fields) -> Callable[[int, Any], Entry]:
    table = RowReader(known, list(mapping.values()))

    def of_cells(number: int, line: int | None, cells: Sequence[str]) -> Entry:
        row = table.read(cells)
        if row.whole is not None:
            try:
                row.fields.update(importer.whole(row.whole, row.fields, plan.constants))
            except Refused as refusal:
                row.errors += refusal.details
        blank = not (row.fields or row.errors) and not any(cell.strip() for cell in cells)
        return Entry(number, line, blank, row.fields, row.tags, errors=row.errors)

    if plan.form == "csv":
        return lambda number, row: (
            of_cells(number, row.line, row.cells) if row.fault is None else _unreadable(number, row.line, row.fault)
        )
    columns = tuple(mapping)

    def of_texts(number: int, row: msgspec.Raw) -> Entry:
        try:
            found = texts(row)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Entry(number, errors=[_misshapen(error)])
        return of_cells(number, None, [found.get(column, "") for column in columns])

    return of_texts


def _of_objects(importer: Importer[Any]) -> Callable[[int, Any], Entry]:
    def of_object(number: int, row: msgspec.Raw) -> Entry:
        try:
            form = importer.decode(row)
        except msgspec.ValidationError as error:
            return Entry(number, errors=faults(importer.form, row, "row") or [_misshapen(error)])
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            return Entry(number, errors=[_misshapen(error)])
        tags, tag_ids = getattr(form, "tags", None) or [], getattr(form, "tag_ids", None) or []
        try:
            return Entry(number, None, False, importer.details(form), tags, tag_ids)
        except Refused as refusal:
            return Entry(number, errors=list(refusal.details))

    return of_object


def _unreadable(number: int, line: int, fault: str) -> Entry:
    return Entry(number, line, errors=[FieldError(field="row", message=fault)])


def _misshapen(error: msgspec.DecodeError | UnicodeDecodeError) -> FieldError:
    if isinstance(error, msgspec.ValidationError):
        return field_error(error, "row")
    return FieldError(field="row", message=f"is not valid JSON: {error}")


def _text(column: str, value: Any) -> str:
    """A value as it would stand in a cell."""
    if isinstance(value, list | dict):
        raise msgspec.ValidationError(f"Expected text - at `$.{column[:64]}`")
    return "" if value is None else _encode(value).decode()
