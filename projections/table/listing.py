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
from projections.table.filter import TRUE, Compiled
from projections.table.rows import RowTable
from schemas.wire.page import PageRequest, Sort

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

    def fetch(self, conn: Db, request: PageRequest, where: Compiled = TRUE, *, few: bool = False) -> Listed[S]:
        """Refuses an unknown sort field (``sort``) or a cursor that is not of this list and order (``cursor``).

        ``few``: not many rows are expected, as of a search. They are then looked for once, for the page and the total.
        """
        sort = request.sort or self.default
        if not sort.field:
            sort = Sort(field=self.default.field, descending=sort.descending)
        column = self._column(sort)
        after = self._after(request, sort, column)
        query = (self._found_once if few else self._found)(column, where, after, _order(sort, column), _limit(request))
        rows = conn.execute(query.sql.encode(), query.params).fetchall()
        total = rows[0][-1] if rows else self._total_beyond(conn, request, where)
        more = len(rows) > request.limit
        rows = rows[: request.limit]
        cursor = _cursor(sort, rows[-1][-2], rows[-1][0]) if more else None
        return Listed([self.table.current(row) for row in rows], total, cursor)

    def _found(self, column: str, where: Compiled, after: Compiled, order: str, limit: Compiled) -> Compiled:
        """The page straight from the index of its order: little work, however many rows there are before and behind it."""
        total = self._total(where)
        sql = (
            f"SELECT {_ROW}, {column}, ({total.sql}) FROM {self.table.table}"
            f" WHERE workspace_id = current_workspace() AND ({where.sql}){after.sql}{order}{limit.sql}"
        )
        return Compiled(sql, (*total.params, *where.params, *after.params, *limit.params))

    def _found_once(self, column: str, where: Compiled, after: Compiled, order: str, limit: Compiled) -> Compiled:
        """All that is found, sorted here; what is shown of a row is read for those of the page alone."""
        table = self.table.table
        sql = (
            f"WITH found AS MATERIALIZED (SELECT id, {column} FROM {table}"
            f" WHERE workspace_id = current_workspace() AND ({where.sql}))"
            f" SELECT {_ROW}, {column}, (SELECT count(*) FROM found) FROM {table}"
            f" WHERE workspace_id = current_workspace()"
            f" AND id = ANY(ARRAY(SELECT id FROM found WHERE true{after.sql}{order}{limit.sql})){order}"
        )
        return Compiled(sql, (*where.params, *after.params, *limit.params))

    def _column(self, sort: Sort) -> str:
        if sort.field not in self.sorts:
            raise invalid("sort", f"must be one of {', '.join(sorted(self.sorts))}")
        return self.sorts[sort.field]

    def _after(self, request: PageRequest, sort: Sort, column: str) -> Compiled:
        if request.cursor is None:
            return Compiled("", ())
        kind = {"created_at": "timestamptz", "updated_at": "timestamptz", **self.table.columns}[column].split(" ")[0]
        value, row_id = _uncursor(request.cursor, sort, _CURSOR_VALUES[kind])
        sql = f" AND ({column}, id) {'<' if sort.descending else '>'} (%s::{kind}, %s::uuid)"
        return Compiled(sql, (value, row_id))

    def _total(self, where: Compiled) -> Compiled:
        """Of all rows from the counter that every command keeps; of a filter by counting."""
        if where is TRUE:
            counter = "SELECT n FROM row_counts WHERE workspace_id = current_workspace() AND kind = %s"
            return Compiled(f"SELECT coalesce(({counter}), 0)", (self.table.decider.stream_type,))
        counting = f"SELECT count(*) FROM {self.table.table} WHERE workspace_id = current_workspace() AND ({where.sql})"
        return Compiled(counting, where.params)

    def _total_beyond(self, conn: Db, request: PageRequest, where: Compiled) -> int:
        """How many rows there are when the page has none: none at all, unless it is behind the last."""
        if request.cursor is None and not request.skipped:
            return 0
        total = self._total(where)
        row = conn.execute(total.sql.encode(), total.params).fetchone()
        return 0 if row is None else int(row[0])


def _order(sort: Sort, column: str) -> str:
    return f" ORDER BY {column} {_direction(sort)}, id {_direction(sort)}"


def _limit(request: PageRequest) -> Compiled:
    """One more than is shown tells whether there is more. The number is part of the text: Postgres cannot keep a plan
    for a limit that it does not know, and would plan anew for each page.
    """
    limit = f" LIMIT {request.limit + 1}"
    if request.cursor is not None or not request.skipped:
        return Compiled(limit, ())
    return Compiled(f"{limit} OFFSET %s", (request.skipped,))


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
