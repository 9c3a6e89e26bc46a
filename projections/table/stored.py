"""Stored rows beside the folds they must equal: which differs first, in which column, and how."""

from __future__ import annotations

from collections.abc import Callable, Generator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NoReturn
from uuid import UUID

import msgspec
from psycopg import sql
from psycopg.abc import Buffer
from psycopg.adapt import Loader
from psycopg.pq import Format

from eventstore.database import Db
from eventstore.rows import Current
from eventstore.verify import MismatchError
from projections.table.rows import RowTable
from schemas.log import Stream
from schemas.verification import Finding

BATCH: Final = 500
SHOWN: Final = 200
"""How much of a value a finding shows."""

_AS_READ: Final = {"jsonb": sql.SQL("::text")}
_DIFFERS: Final = sql.SQL("%s::{kind} IS DISTINCT FROM {column}, (%s::{kind})::text, {column}::text")
_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_encode = msgspec.json.Encoder(order="sorted", decimal_format="number").encode
_decode = msgspec.json.Decoder(float_hook=Decimal).decode


class _Instant(Loader):
    """A timestamp as Postgres keeps it, microseconds since 2000: so that infinity and far years can be read too."""

    format = Format.BINARY

    def load(self, data: Buffer) -> int:
        return int.from_bytes(data, signed=True)


def _instant(value: Any) -> Any:
    return (value - _EPOCH) // _MICROSECOND if isinstance(value, datetime) else value


def _sorted_json(text: Any) -> Any:
    if text is None:
        return None
    try:
        return _encode(_decode(text))
    except (ValueError, ArithmeticError, RecursionError, msgspec.MsgspecError):
        return text


_COMPARABLE: Final[dict[str, Callable[[Any], Any]]] = {
    "jsonb": _sorted_json,
    "timestamptz": _instant,
    "uuid[]": list,
    "text[]": list,
}
"""What makes a projected value comparable with what is read back. Where that misses, Postgres is asked."""


class StoredRows:
    """A workspace's rows of one table, read in order of id, to be compared with the folds in the same order."""

    def __init__(self, conn: Db, workspace_id: UUID, table: RowTable[Any]) -> None:
        self._conn = conn
        self._workspace_id = workspace_id
        self._table = table
        self._kinds = {name: kind for name, kind in table.kinds.items() if name not in ("workspace_id", "id")}
        kinds = enumerate(self._kinds[name] for name in table.definitions)
        self._projected = [(at, _COMPARABLE[kind]) for at, kind in kinds if kind in _COMPARABLE]
        self._read_back = [at for at, comparable in self._projected if comparable is _sorted_json]
        self._rows = self._read()
        self._next = next(self._rows, None)

    def close(self) -> None:
        self._rows.close()

    def compare(self, row_id: UUID, current: Current[Any] | None) -> None:
        """The next stream's fold. Raises ``MismatchError`` when the table has anything else, or something before it."""
        while self._next is not None and self._next[0] < row_id:
            self._surplus(self._next, "no row: the log has no such stream")
        stored = self._next if self._next is not None and self._next[0] == row_id else None
        if current is None:
            if stored is not None:
                self._surplus(stored, "no row: the stream has ended")
            return
        if stored is None:
            self._wrong(row_id, what="row", expected=f"a row of version {current.version}", found="none")
        self._next = next(self._rows, None)
        if self._found(stored) != self._expected(current):
            self._explain(current)

    def finish(self) -> None:
        """No row may be left when all streams have been compared."""
        if self._next is not None:
            self._surplus(self._next, "no row: the log has no such stream")

    def _read(self) -> Generator[tuple[Any, ...], None, None]:
        names = ["id", *self._kinds]
        columns = [sql.Identifier(name) + _AS_READ.get(self._kinds.get(name, ""), sql.SQL("")) for name in names]
        query = sql.SQL("SELECT {} FROM {} WHERE workspace_id = %s ORDER BY id").format(
            sql.SQL(", ").join(columns), sql.Identifier(self._table.table)
        )
        with self._conn.cursor(name=f"verify_{self._table.name}", binary=True) as cursor:
            cursor.adapters.register_loader("timestamptz", _Instant)
            cursor.execute(query, (self._workspace_id,), binary=True)
            while batch := cursor.fetchmany(BATCH):
                yield from batch

    def _found(self, row: tuple[Any, ...]) -> list[Any]:
        _, version, created_at, updated_at, state, *columns = row
        for at in self._read_back:
            columns[at] = _sorted_json(columns[at])
        return [version, created_at, updated_at, _sorted_json(state), *columns]

    def _expected(self, current: Current[Any]) -> list[Any]:
        columns = list(self._table.project(current))
        for at, comparable in self._projected:
            if columns[at] is not None:
                columns[at] = comparable(columns[at])
        created_at, updated_at = _instant(current.created_at), _instant(current.updated_at)
        return [current.version, created_at, updated_at, _encode(current.state), *columns]

    def _explain(self, current: Current[Any]) -> None:
        """Asks Postgres, which alone knows how it keeps a value, for the first column that differs; there may be none."""
        values = self._table.values(self._workspace_id, current)[2:]
        asked = [_DIFFERS.format(kind=sql.SQL(kind), column=sql.Identifier(name)) for name, kind in self._kinds.items()]
        query = sql.SQL("SELECT {} FROM {} WHERE workspace_id = %s AND id = %s").format(
            sql.SQL(", ").join(asked), sql.Identifier(self._table.table)
        )
        params = [param for value in values for param in (value, value)]
        row = self._conn.execute(query, (*params, self._workspace_id, current.id)).fetchone()
        assert row is not None
        for name, (differs, expected, found) in zip(self._kinds, zip(*[iter(row)] * 3, strict=True), strict=True):
            if differs:
                place = _narrowed(name, self._kinds[name], expected, found)
                self._wrong(current.id, what="value", column=place[0], expected=place[1], found=place[2])

    def _surplus(self, stored: tuple[Any, ...], expected: str) -> NoReturn:
        self._wrong(stored[0], what="row", expected=expected, found=f"a row of version {stored[1]}")

    def _wrong(self, row_id: UUID, *, what: str, expected: str, found: str, column: str | None = None) -> NoReturn:
        raise MismatchError(
            Finding(
                workspace_id=self._workspace_id,
                table=self._table.name,
                row_id=row_id,
                column=column,
                stream=Stream(type=self._table.decider.stream_type, id=row_id),
                what=what,
                expected=expected,
                found=found,
            )
        )


def _narrowed(name: str, kind: str, expected: str | None, found: str | None) -> tuple[str, str, str]:
    """The place inside a JSON value, and what is there on either side."""
    if kind != "jsonb" or expected is None or found is None:
        return name, _shown(expected), _shown(found)
    try:
        left, right = _decode(expected), _decode(found)
        while isinstance(left, dict) and isinstance(right, dict):
            key = next(key for key in sorted(left | right) if not _equal(left, right, key))
            name, left, right = f"{name}.{key}", left.get(key, msgspec.UNSET), right.get(key, msgspec.UNSET)
    except (ValueError, ArithmeticError, RecursionError, StopIteration, msgspec.MsgspecError):
        return name, _shown(expected), _shown(found)
    return name, _json(left), _json(right)


def _equal(left: dict[str, Any], right: dict[str, Any], key: str) -> bool:
    return key in left and key in right and bool(_encode(left[key]) == _encode(right[key]))


def _json(value: Any) -> str:
    return _shown(None if value is msgspec.UNSET else _encode(value).decode())


def _shown(value: str | None) -> str:
    if value is None:
        return "nothing"
    return value if len(value) <= SHOWN else f"{value[:SHOWN]}…"
