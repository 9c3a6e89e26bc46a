"""Lists of rows: filtered, sorted, by page or by cursor, with their total, in one round trip.

Of what a filter or a search finds, no more is counted than whoever pages through it comes to, and a thousand. Few are found
once, and sorted. Of many that is not done: there the rows are walked in their order, and a page of them is found soon.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Generic, TypeVar
from uuid import UUID

from domain.kernel import State, invalid
from eventstore.database import Db
from eventstore.rows import Current
from eventstore.then import Then
from projections.table import keyset
from projections.table.asking.compiled import HERE, TRUE, Compiled, every
from projections.table.known import Order
from projections.table.leading import with_led_ids
from projections.table.rows import RowTable
from projections.table.search import searching
from projections.table.seeing import seen
from schemas.wire.page import PageRequest, Sort

S = TypeVar("S", bound=State)

Own = Callable[[Db, RowTable[Any], str], Order | None]

_OWN: Final = ", or custom.<key> of a field that is defined and has one value"
_NOTHING: Final = Compiled("", ())
_NUMBER: Final = Compiled("SELECT count(*) AS n FROM found", ())

COUNTED: Final = 1_000
"""So many are counted, or twice, four times … as many where somebody pages farther; all, where an exact total is asked."""
SORTED: Final = 100_000
"""So many are sorted at most where no index has them in order."""
BATCH: Final = 500
"""So many are in hand at a time where all are read."""
WALKED: Final = 4
"""So many rows are looked at, for each that is counted, to find a page of many."""


@dataclass(frozen=True)
class Listed(Generic[S]):
    """A page of rows, the size of the whole list, and where the next page begins.

    Where it is not ``exact``, there are at least ``total``.
    """

    rows: list[Current[S]]
    total: int
    next_cursor: str | None
    exact: bool = True


@dataclass(frozen=True)
class Listing(Generic[S]):
    """How a table is listed: by whatever its columns say that it can be sorted by, and by ``default`` unless asked."""

    table: RowTable[S]
    default: Sort
    own: Own | None = None
    """Finds the order by a field of the workspace's own, which no index has."""
    others: Mapping[str, Order] = field(default_factory=dict)
    """By the name that callers use, the fields of the thing's own which no index has in order."""
    led: tuple[RowTable[Any], ...] = ()
    """What rows refer to that can be merged: a filter by the id of one that was means what it was merged into."""

    @property
    def sorts(self) -> Mapping[str, Order]:
        """By the name that callers use, what an index has in order."""
        return self.table.sorts

    def fetch(self, conn: Db, request: PageRequest, where: Compiled = TRUE, within: UUID | None = None) -> Listed[S]:
        """Refuses an unknown sort field (``sort``) or a cursor that is not of this list and order (``cursor``).

        A caller who sees only what is theirs finds only that. ``within``: what the rows are of, where the table says that
        they are listed so.
        """
        found = self._fetched(conn, request, where, within)
        if found.total == 0 and self.led and (meant := with_led_ids(conn, self.led, where)) != where:
            return self._fetched(conn, request, meant, within)
        return found

    def _fetched(self, conn: Db, request: PageRequest, where: Compiled, within: UUID | None) -> Listed[S]:
        asked = self._asked(conn, request, every(where, seen(self.table, conn.visible_to)), within)
        if (self.own is not None or self.others) and asked.sort.field not in self.sorts:
            return self._picked(conn, asked)
        if asked.where is TRUE:
            return self._listed(conn, asked, asked.whole())
        if request.exact:
            return self._listed(conn, asked, asked.sorted())
        most = asked.reach()
        found = self._listed(conn, asked, asked.bounded(most), most)
        if found.exact or found.next_cursor is not None:
            return found
        return self._listed(conn, asked, asked.sorted())  # they are too far apart in this order

    def search(
        self,
        conn: Db,
        request: PageRequest,
        text: str | None,
        where: Compiled = TRUE,
        within: UUID | None = None,
    ) -> Listed[S]:
        """Of what ``where`` finds, the rows in which all words of the text are found; all of them without a text."""
        return self.fetch(conn, request, every(where, searching(text, phones=self.table.phoned)), within)

    def found(self, conn: Db, text: str | None, where: Compiled = TRUE) -> Compiled:
        """What ``search`` finds, as a condition on the table."""
        meant = with_led_ids(conn, self.led, where)
        return every(meant, searching(text, phones=self.table.phoned), seen(self.table, conn.visible_to))

    def whole(self, conn: Db, sort: Sort | None, found: Compiled) -> Generator[list[Current[S]], None, None]:
        """All that is ``found``, some at a time: they are read on where the reader goes on."""
        return self._read(conn, self._asked(conn, PageRequest(sort=sort), found, None).all())

    def _read(self, conn: Db, query: Compiled) -> Generator[list[Current[S]], None, None]:
        with conn.cursor(name="whole") as cursor:
            cursor.execute(query.sql.encode(), query.params_in(conn.workspace_id))
            while rows := cursor.fetchmany(BATCH):
                yield [self.table.current(row) for row in rows]

    def order(self, conn: Db, name: str) -> Order:
        """By a field; refuses (``sort``) one that there is not."""
        known = self.table.order(name) or self.others.get(name)
        found = self.own(conn, self.table, name) if known is None and self.own is not None else known
        if found is None:
            names = sorted([*self.sorts, *self.others])
            raise invalid("sort", f"must be one of {', '.join(names)}{_OWN if self.own else ''}")
        return found

    def _asked(self, conn: Db, request: PageRequest, where: Compiled, within: UUID | None) -> _Asked:
        sort = request.sort or self.default
        sort = sort if sort.field else Sort(field=self.default.field, descending=sort.descending)
        return _Asked(self.table, request, sort, self.order(conn, sort.field), where, within, conn.then)

    def _picked(self, conn: Db, asked: _Asked) -> Listed[S]:
        """Of what is found, all that there is, in an order that has no index: refuses (``sort``) too many."""
        found = self._listed(conn, asked, asked.sorted(SORTED), SORTED)
        if not found.exact:
            raise invalid("sort", f"by this field is of {SORTED:,} at most: ask for less by a filter or a search")
        return found

    def _listed(self, conn: Db, asked: _Asked, query: Compiled, most: int | None = None) -> Listed[S]:
        """What a statement answers: the rows of the page, each behind the total; one without an id where there is none."""
        statement = query.sql.encode(), query.params_in(conn.workspace_id)
        rows = conn.answer(*statement) if most is None else conn.execute(*statement).fetchall()
        total = rows[0][0]
        found = [row[2:] for row in rows if row[2] is not None]
        cursor = None
        if len(found) > asked.request.limit:
            last = rows[asked.request.limit - 1]
            cursor = keyset.written(asked.name, last[1], last[2])
        page = self.table.page(found)[: asked.request.limit]
        return Listed(page, total, cursor, most is None or total <= most)


@dataclass(frozen=True)
class _Asked:
    """A list as it is asked for: which rows, behind which, in which order, and how many. Its statements answer alike."""

    table: RowTable[Any]
    request: PageRequest
    sort: Sort
    order: Order
    where: Compiled
    within: UUID | None
    then: Then | None

    @property
    def name(self) -> str:
        """The order, as cursors name it."""
        order = f"-{self.sort.field}" if self.sort.descending else self.sort.field
        return keyset.as_of(order, None if self.then is None else self.then.seq)

    def reach(self) -> int:
        """How many are counted at most: of few numbers one, so that there are few statements."""
        most = COUNTED
        while most < self._skipped + self.request.limit:
            most *= 2
        return most

    def all(self) -> Compiled:
        """Whatever is found, in the order."""
        where = self.where
        sql = (
            f"SELECT id, state::text, version, created_at, updated_at FROM {self.table.table}"
            f" WHERE workspace_id = %s AND ({where.sql}){self._ordered}"
        )
        return Compiled(sql, (HERE, *where.params))

    def whole(self) -> Compiled:
        """The page straight from the index of its order. All rows there are have been counted by every command."""
        counter = "SELECT n FROM row_counts WHERE workspace_id = %s AND kind = %s"
        counted = Compiled(f"SELECT coalesce(({counter}), 0) AS n", (HERE, self.table.counter(self.within)))
        return self._statement(counted=counted, page=self._walk(self._limit, self._needed))

    def sorted(self, most: int | None = None) -> Compiled:
        """All that is found, sorted here; what is shown of a row is read for those of the page alone. Of more than ``most``
        there is no page.
        """
        limit, few = ("", "") if most is None else (f" LIMIT {most + 1}", f" AND (SELECT n FROM counted) <= {most}")
        return self._statement(found=self._find(limit), counted=_NUMBER, page=self._found(few))

    def bounded(self, most: int) -> Compiled:
        """The same where up to ``most`` are found. Else a page of what is found among the next rows in the order."""
        few = self._found(f" AND (SELECT n FROM counted) <= {most}")
        walk = self._walk(Compiled(f" LIMIT {WALKED * most}", ()), "*")
        many = self._filtered(walk, f"(SELECT n FROM counted) > {most}")
        page = Compiled(f"{few.sql} UNION ALL ({many.sql})", (*few.params, *many.params))
        return self._statement(found=self._find(f" LIMIT {most + 1}"), counted=_NUMBER, page=page)

    def _find(self, limit: str = "") -> Compiled:
        """What of all rows is found, as far as it must be known to be sorted."""
        where = every(self._within, self.where)
        sql = f"SELECT id, {self.order.sql} AS place FROM {self.table.table} WHERE workspace_id = %s AND ({where.sql}){limit}"
        return Compiled(sql, (HERE, *where.params))

    def _found(self, when: str = "") -> Compiled:
        """The page of what was found."""
        after, limit = self._after("place"), self._limit
        ids = f"SELECT id FROM found WHERE true{after.sql}{self._ordered_by('place')}{limit.sql}"
        sql = f"SELECT {self._needed} FROM {self.table.table} WHERE workspace_id = %s AND id = ANY(ARRAY({ids})){when}"
        return Compiled(sql, (HERE, *after.params, *limit.params))

    def _walk(self, limit: Compiled, columns: str) -> Compiled:
        """The next rows in the order, whatever they are."""
        within, by_then, after = self._within, self._by_then, self._after(self.order.sql)
        sql = (
            f"SELECT {columns} FROM {self.table.table} WHERE workspace_id = %s AND {within.sql}"
            f"{by_then.sql}{after.sql}{self._ordered}{limit.sql}"
        )
        return Compiled(sql, (HERE, *within.params, *by_then.params, *after.params, *limit.params))

    def _filtered(self, walk: Compiled, when: str) -> Compiled:
        where, limit = self.where, self._limit  # what stands in coalesce() leads Postgres to no index but the order's
        sql = (
            f"SELECT {self._needed} FROM ({walk.sql}) AS {self.table.table}"
            f" WHERE {when} AND coalesce(({where.sql}), false){self._ordered}{limit.sql}"
        )
        return Compiled(sql, (*walk.params, *where.params, *limit.params))

    def _statement(self, **parts: Compiled) -> Compiled:
        """The parts by name, of which one is the ``page``; each of its rows with the total, and one at least."""
        made = ", ".join(f"{name} AS MATERIALIZED ({part.sql})" for name, part in parts.items())
        sql = (
            f"WITH {made} SELECT counted.n, {self.order.column}, {self.table.shown}"
            f" FROM counted LEFT JOIN page ON true{self._ordered}"
        )
        params = [param for part in parts.values() for param in part.params]
        return Compiled(sql, (*params, HERE) if self.table.beside else tuple(params))

    @property
    def _needed(self) -> str:
        """The columns of the page: what rows are made of, and what has them in order."""
        columns = dict.fromkeys((*self.table.needed, self.order.column))
        return ", ".join(columns) if columns.keys() <= self.table.kinds.keys() else "*"

    @property
    def _within(self) -> Compiled:
        """What the rows are of."""
        return TRUE if self.within is None else Compiled(f"{self.table.within} = %s", (self.within,))

    @property
    def _by_then(self) -> Compiled:
        """What stood then is of no later time: a list in order of time begins there, and passes over nothing that came since."""
        if self.then is None or self.order.column not in self.table.times:
            return _NOTHING
        return Compiled(f" AND {self.order.sql} <= %s", (self.then.latest,))

    def _after(self, place: str) -> Compiled:
        """Behind the row that the cursor names."""
        if self.request.cursor is None:
            return _NOTHING
        value, row_id = keyset.read(self.request.cursor, self.name, self.order.cursor, UUID)
        mark = f"coalesce(%s::{self.order.type}, {self.order.last})" if self.order.last else f"%s::{self.order.type}"
        sql = f" AND ({place}, id) {'<' if self.sort.descending else '>'} ({mark}, %s::uuid)"
        return Compiled(sql, (self.order.written(value), row_id))

    @property
    def _ordered(self) -> str:
        return self._ordered_by(self.order.sql)

    def _ordered_by(self, place: str) -> str:
        direction = "DESC" if self.sort.descending else "ASC"
        return f" ORDER BY {place} {direction}, id {direction}"

    @property
    def _limit(self) -> Compiled:
        """One more than is shown tells whether there is more. The number is part of the text: Postgres cannot keep a plan
        for a limit that it does not know, and would plan anew for each page.
        """
        limit = f" LIMIT {self.request.limit + 1}"
        return Compiled(f"{limit} OFFSET %s", (self._skipped,)) if self._skipped else Compiled(limit, ())

    @property
    def _skipped(self) -> int:
        return 0 if self.request.cursor is not None else self.request.skipped
