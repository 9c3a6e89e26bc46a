"""What a list's parameters ask for, as a condition on its table."""

from __future__ import annotations

from typing import Any

from litestar.params import QueryParameter

from api.http.paging import said_once
from api.http.query import malformed_parameter
from domain.kernel import times
from domain.kernel.filter import Asked, Filter, all_given
from projections.table.asking.asked import asked as read
from projections.table.asking.compiled import TRUE, Compiled, every
from projections.table.rows import RowTable


def asked_of(table: RowTable[Any], *asked: Asked, beside: Filter | None = None) -> Compiled:
    """All that is given, and what holds ``beside`` it."""
    filters = [found for found in (all_given(*asked), beside) if found is not None]
    return every(TRUE, *(read(found, table.fields).where() for found in filters))


def in_camel_case(name: str) -> QueryParameter:
    """The name in camelCase, as of all other parameters, of one that a document has in snake_case."""
    first, *others = name.split("_")
    camel = first + "".join(map(str.capitalize, others))
    return QueryParameter(name=camel, description=f"Another name for `{name}`.")


def date_or_time(**given: str | None) -> str | None:
    """What was given under one of these names, as it came, if it is a date or time; refuses (400) anything else by the name
    that it has.
    """
    for name, value in given.items():
        if value:
            try:
                times.read(value)
            except ValueError as error:
                raise malformed_parameter(name, str(error)) from None
    return said_once(given)
