"""Where the rows of an import come from, and what their columns are taken for."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from typing import IO, Final

import msgspec

from application.importing.csv_file import CsvFile
from application.importing.importer import Form
from application.importing.rows import CsvRow, Row, texts
from domain.importing import columns as headings
from domain.importing.columns import MAX_COLUMNS, SAMPLE_ROWS, Columns
from domain.importing.fields import Fields
from domain.kernel import invalid

CHUNK_ROWS: Final = 1_000
CHUNK_CHARACTERS: Final = 4_000_000
"""A chunk ends with the row that makes it longer than this."""

MAX_JSON_ROWS: Final = 10_000
MAX_CSV_ROWS: Final = 500_000


@dataclass(frozen=True)
class Source:
    """One of: things and rows as JSON, or a file, read from its beginning each time.

    ``noun``: what the things are called where they are given, such as ``contacts``.
    """

    things: Sequence[msgspec.Raw] | None = None
    rows: Sequence[msgspec.Raw] | None = None
    file: IO[bytes] | None = None
    encoding: str | None = None
    delimiter: str | None = None
    noun: str = "things"

    @property
    def form(self) -> Form:
        return "csv" if self.file is not None else "rows" if self.rows is not None else "json"


@dataclass(frozen=True)
class Table:
    """Rows, as they are read, and what each column is for; things that come as objects have no columns."""

    mapping: Columns | None
    rows: Iterator[Row]

    def chunks(self) -> Iterator[list[Row]]:
        """The rows in pieces that each fit in one unit of work. Refuses a table that is too long."""
        chunk: list[Row] = []
        characters = 0
        for count, row in enumerate(self.rows, 1):
            if count > MAX_CSV_ROWS:
                raise invalid("file", f"must have at most {MAX_CSV_ROWS} rows")
            chunk.append(row)
            characters += sum(map(len, row.cells)) if isinstance(row, CsvRow) else len(bytes(row))
            if len(chunk) == CHUNK_ROWS or characters > CHUNK_CHARACTERS:
                yield chunk
                chunk, characters = [], 0
        if chunk:
            yield chunk


def table(source: Source, fields: Fields, mapping: dict[str, str | None] | None, fixed: frozenset[str]) -> Table:
    """The source's rows under the mapping that is given, or else that its headers suggest."""
    if source.file is not None:
        file = CsvFile(source.file, encoding=source.encoding, delimiter=source.delimiter)
        _check_number("file", len(file.header))
        columns = headings.headers(file.header)
        records = (CsvRow(record.line, record.cells, record.fault) for record in file.records())
        sample = list(islice(records, SAMPLE_ROWS))
        cells = [row.cells for row in sample]
        found = _mapping(fields, columns, cells, mapping, fixed, complete=True)
        return Table(found, chain(sample, records))
    if source.rows is not None:
        _check_length("rows", source.rows)
        columns, cells = _columns(source.rows)
        found = _mapping(fields, columns, cells, mapping, fixed, complete=False)
        return Table(found, iter(source.rows))
    _check_length(source.noun, source.things or ())
    if mapping is not None:
        raise invalid("mapping", f"is for rows and files; {source.noun} have the names of their fields")
    return Table(None, iter(source.things or ()))


def _mapping(
    fields: Fields,
    columns: Sequence[str],
    sample: Sequence[Sequence[str]],
    mapping: dict[str, str | None] | None,
    fixed: frozenset[str],
    *,
    complete: bool,
) -> Columns:
    field = "file" if complete else "rows"
    for column in columns:
        _check_name(column, field)
    if mapping is None:
        found = headings.recognised(fields, columns, sample, fixed=fixed)
    else:
        found = headings.given(fields, mapping, columns, complete=complete)
    headings.check_needed(fields, found, fixed)
    return found


def _check_number(field: str, columns: int) -> None:
    if columns > MAX_COLUMNS:
        raise invalid(field, f"must have at most {MAX_COLUMNS} columns, not {columns}")


def _check_name(column: str, field: str) -> None:
    try:
        headings.check_name(column)
    except ValueError as error:
        raise invalid(field, f"has a column {column[:64]!r} whose name {error}") from None


def _columns(rows: Sequence[msgspec.Raw]) -> tuple[list[str], list[list[str]]]:
    """All columns that any row names, in the order in which they are first named, and the first rows' cells."""
    columns: dict[str, None] = {}
    sample: list[dict[str, str]] = []
    for row in rows:
        try:
            found = texts(row)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue  # the row is an error by itself
        columns |= dict.fromkeys(found)
        _check_number("rows", len(columns))
        if len(sample) < SAMPLE_ROWS:
            sample.append(found)
    return list(columns), [[row.get(column, "") for column in columns] for row in sample]


def _check_length(field: str, rows: Sequence[msgspec.Raw]) -> None:
    if len(rows) > MAX_JSON_ROWS:
        raise invalid(field, f"must have at most {MAX_JSON_ROWS} entries; send more of them as a CSV file")
