"""Lists of rows: filtered, sorted, by page or by cursor, with their total, in one round trip."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

import msgspec

from domain.kernel import FieldError, Refused, State, invalid
from eventstore.chain import timestamp
from eventstore.database import Db
from eventstore.rows import Current
from projections.filter import TRUE, Compiled
from projections.rows import RowTable
from schemas.page import PageRequest, Sort

S = TypeVar("S", bound=State)

_ROW = "id, state::text, version, created_at, updated_at"


@dataclass(frozen=True)
class Listed(Generic[S]):
    """A page of rows, the size of the whole list, and where the next page begins."""

    rows: list[Current[S]]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class Listing(Generic[S]):
    """How a table may be listed: sort field (as callers name it) → column, and what is the order when none is asked."""

    table: RowTable[S]
    sorts: Mapping[str, str]
    default: Sort

    def fetch(self, conn: Db, request: PageRequest, where: Compiled = TRUE) -> Listed[S]:
        """Refuses an unknown sort field (``sort``) or a cursor that is not of this list and order (``cursor``)."""
        sort = request.sort or self.default
        if not sort.field:
            sort = Sort(field=self.default.field, descending=sort.descending)
        column = self._column(sort)
        after, start = self._start(request, sort, column)
        found = conn.execute(
            (
                f"SELECT {_ROW}, {column} FROM {self.table.table}"
                f" WHERE workspace_id = current_workspace() AND ({where.sql}){after.sql}"
                f" ORDER BY {column} {_direction(sort)}, id {_direction(sort)} LIMIT %s OFFSET %s"
            ).encode(),
            (*where.params, *after.params, request.limit + 1, start),
        )
        total = self._total(conn, where)
        rows = found.fetchall()
        more = len(rows) > request.limit
        rows = rows[: request.limit]
        cursor = _cursor(sort, rows[-1][-1], rows[-1][0]) if more else None
        return Listed([self.table.current(row) for row in rows], total.fetchone()[0], cursor)

    def _column(self, sort: Sort) -> str:
        if sort.field not in self.sorts:
            raise invalid("sort", f"must be one of {', '.join(sorted(self.sorts))}")
        return self.sorts[sort.field]

    def _start(self, request: PageRequest, sort: Sort, column: str) -> tuple[Compiled, int]:
        if request.cursor is None:
            return Compiled("", ()), request.skipped
        kind = {"created_at": "timestamptz", "updated_at": "timestamptz", **self.table.columns}[column].split(" ")[0]
        value, row_id = _uncursor(request.cursor, sort, _CURSOR_VALUES[kind])
        return Compiled(
            f" AND ({column}, id) {'<' if sort.descending else '>'} (%s::{kind}, %s::uuid)", (value, row_id)
        ), 0

    def _total(self, conn: Db, where: Compiled) -> Any:
        """Of all rows from the counter that every command keeps; of a filter by counting."""
        if where is TRUE:
            query = (
                "SELECT coalesce((SELECT n FROM row_counts WHERE workspace_id = current_workspace() AND kind = %s), 0)"
            )
            return conn.execute(query, (self.table.decider.stream_type,))
        counting = f"SELECT count(*) FROM {self.table.table} WHERE workspace_id = current_workspace() AND ({where.sql})"
        return conn.execute(counting.encode(), where.params)


def _direction(sort: Sort) -> str:
    return "DESC" if sort.descending else "ASC"


def _cursor(sort: Sort, value: Any, row_id: Any) -> str:
    kept = timestamp(value) if isinstance(value, datetime) else value
    return (
        base64.urlsafe_b64encode(msgspec.json.encode([sort.field, sort.descending, kept, row_id])).decode().rstrip("=")
    )


_CURSOR_VALUES: Final[Mapping[str, type[Any]]] = {"timestamptz": datetime, "text": str, "integer": int, "bigint": int}
"""What a cursor's value must be, by the type of the column."""


def _uncursor(cursor: str, sort: Sort, kind: type[Any]) -> tuple[Any, UUID]:
    """Where the last page ended. Cursors come back from callers, so they are taken for nothing but what they say."""
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        field, descending, *rest = msgspec.json.decode(raw, type=tuple[str, bool, Any, Any])
        value, row_id = msgspec.convert(rest[0], kind), msgspec.convert(rest[1], UUID)
    except (binascii.Error, msgspec.MsgspecError, ValueError):
        raise bad_cursor("must be the nextCursor of an earlier answer") from None
    if (field, descending) != (sort.field, sort.descending):
        raise bad_cursor("belongs to a list in another order")
    if (kind is datetime and value.tzinfo is None) or (kind is str and "\0" in value):
        raise bad_cursor("must be the nextCursor of an earlier answer")
    return value, row_id


def bad_cursor(message: str) -> Refused:
    details = [FieldError(field="cursor", message=message)]
    return Refused("invalid_request", f"cursor: {message}", details=details)


def by_ids(table: RowTable[S], conn: Db, ids: Sequence[Any]) -> list[Current[S]]:
    """The rows of these ids that exist, in the order asked."""
    found = table.load(conn, list(ids))
    return [found[row_id] for row_id in ids if row_id in found]
