"""Lists of rows: filtered, sorted, by page or by cursor, with their total, in one round trip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Generic, TypeVar
from uuid import UUID

from domain.kernel import State, invalid
from eventstore.database import Db
from eventstore.rows import Current
from projections.table import keyset
from projections.table.filter import HERE, TRUE, Compiled, every
from projections.table.rows import Order, RowTable
from projections.table.search import searching
from schemas.wire.page import PageRequest, Sort

S = TypeVar("S", bound=State)

_ROW: Final = "id, state::text, version, created_at, updated_at"


@dataclass(frozen=True)
class Listed(Generic[S]):
    """A page of rows, the size of the whole list, and where the next page begins."""

    rows: list[Current[S]]
    total: int
    next_cursor: str | None


@dataclass(frozen=True)
class Listing(Generic[S]):
    """How a table is listed: by whatever its columns say that it can be sorted by, and by ``default`` unless asked."""

    table: RowTable[S]
    default: Sort

    @property
    def sorts(self) -> Mapping[str, Order]:
        """By the name that callers use."""
        return self.table.sorts

    def fetch(self, conn: Db, request: PageRequest, where: Compiled = TRUE, *, few: bool = False) -> Listed[S]:
        """Refuses an unknown sort field (``sort``) or a cursor that is not of this list and order (``cursor``).

        A caller who sees only what is assigned to them finds only that, where the table has an owner. ``few``: not many
        rows are expected, as of a search. They are then looked for once, for the page and the total.
        """
        sort = self._sort(request)
        order = self._order(sort)
        where = self._seen(where, conn.visible_to)
        after = self._after(request, sort, order)
        making = self._found_once if few else self._found
        query = making(order, where, after, _ordered(sort, order), _limit(request))
        rows = conn.execute(query.sql.encode(), query.params_in(conn.workspace_id)).fetchall()
        total = rows[0][-1] if rows else self._total_beyond(conn, request, where)
        page, cursor = keyset.page(rows, request.limit, lambda row: keyset.written(_name(sort), row[-2], row[0]))
        return Listed([self.table.current(row) for row in page], total, cursor)

    def search(self, conn: Db, request: PageRequest, text: str | None, where: Compiled = TRUE) -> Listed[S]:
        """Of what ``where`` finds, the rows in which all words of the text are found; all of them without a text."""
        return self.fetch(conn, request, every(where, searching(text, self.table.phones)), few=bool(text))

    def _sort(self, request: PageRequest) -> Sort:
        sort = request.sort or self.default
        return sort if sort.field else Sort(field=self.default.field, descending=sort.descending)

    def _order(self, sort: Sort) -> Order:
        if sort.field not in self.sorts:
            raise invalid("sort", f"must be one of {', '.join(sorted(self.sorts))}")
        return self.sorts[sort.field]

    def _seen(self, where: Compiled, visible_to: UUID | None) -> Compiled:
        if visible_to is None or self.table.owner is None:
            return where
        return every(where, Compiled(f"{self.table.owner} = %s", (visible_to,)))

    def _found(self, order: Order, where: Compiled, after: Compiled, ordered: str, limit: Compiled) -> Compiled:
        """The page straight from the index of its order: little work, however many rows there are before and behind it."""
        total = self._total(where)
        sql = (
            f"SELECT {_ROW}, {order.column}, ({total.sql}) FROM {self.table.table}"
            f" WHERE workspace_id = %s AND ({where.sql}){after.sql}{ordered}{limit.sql}"
        )
        return Compiled(sql, (*total.params, HERE, *where.params, *after.params, *limit.params))

    def _found_once(self, order: Order, where: Compiled, after: Compiled, ordered: str, limit: Compiled) -> Compiled:
        """All that is found, sorted here; what is shown of a row is read for those of the page alone."""
        table = self.table.table
        sql = (
            f"WITH found AS MATERIALIZED (SELECT id, {order.column} FROM {table}"
            f" WHERE workspace_id = %s AND ({where.sql}))"
            f" SELECT {_ROW}, {order.column}, (SELECT count(*) FROM found) FROM {table}"
            f" WHERE workspace_id = %s"
            f" AND id = ANY(ARRAY(SELECT id FROM found WHERE true{after.sql}{ordered}{limit.sql})){ordered}"
        )
        return Compiled(sql, (HERE, *where.params, HERE, *after.params, *limit.params))

    def _after(self, request: PageRequest, sort: Sort, order: Order) -> Compiled:
        if request.cursor is None:
            return Compiled("", ())
        value, row_id = keyset.read(request.cursor, _name(sort), order.cursor, UUID)
        mark = f"coalesce(%s::{order.type}, {order.last})" if order.last else f"%s::{order.type}"
        sql = f" AND ({order.sql}, id) {'<' if sort.descending else '>'} ({mark}, %s::uuid)"
        return Compiled(sql, (value, row_id))

    def _total(self, where: Compiled) -> Compiled:
        """Of all rows from the counter that every command keeps; of a filter by counting."""
        if where is TRUE:
            counter = "SELECT n FROM row_counts WHERE workspace_id = %s AND kind = %s"
            return Compiled(f"SELECT coalesce(({counter}), 0)", (HERE, self.table.decider.stream_type))
        counting = f"SELECT count(*) FROM {self.table.table} WHERE workspace_id = %s AND ({where.sql})"
        return Compiled(counting, (HERE, *where.params))

    def _total_beyond(self, conn: Db, request: PageRequest, where: Compiled) -> int:
        """How many rows there are when the page has none: none at all, unless it is behind the last."""
        if request.cursor is None and not request.skipped:
            return 0
        total = self._total(where)
        row = conn.execute(total.sql.encode(), total.params_in(conn.workspace_id)).fetchone()
        return 0 if row is None else int(row[0])


def _name(sort: Sort) -> str:
    """The order of a list, as its cursors name it."""
    return f"-{sort.field}" if sort.descending else sort.field


def _ordered(sort: Sort, order: Order) -> str:
    direction = "DESC" if sort.descending else "ASC"
    return f" ORDER BY {order.sql} {direction}, id {direction}"


def _limit(request: PageRequest) -> Compiled:
    """One more than is shown tells whether there is more. The number is part of the text: Postgres cannot keep a plan
    for a limit that it does not know, and would plan anew for each page.
    """
    limit = f" LIMIT {request.limit + 1}"
    if request.cursor is not None or not request.skipped:
        return Compiled(limit, ())
    return Compiled(f"{limit} OFFSET %s", (request.skipped,))
