"""A table as CSV: RFC 4180, with cells that no spreadsheet takes for formulas and our importer reads as they were."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from domain.importing.cells import guarded
from domain.kernel import values
from eventstore.chain import timestamp


def written(rows: Iterable[Iterable[str]]) -> bytes:
    """Rows of cells, each on a line that ends with CR LF, in UTF-8."""
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\r\n").writerows([guarded(cell) for cell in row] for row in rows)
    return text.getvalue().encode()


def cell(value: Any) -> str:
    """A value as importers read it: nothing as nothing, a list as JSON."""
    found = _WRITTEN.get(type(value), str)
    return found(value)


_WRITTEN: Final[dict[type, Callable[[Any], str]]] = {
    type(None): lambda _: "",
    bool: lambda value: "true" if value else "false",
    datetime: timestamp,
    Decimal: lambda value: format(value, "f"),
    list: values.list_text,
    tuple: values.list_text,
}
