"""Rows into a new table by COPY, in Postgres' own binary form: neither side has to write numbers, times and ids as text."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from struct import Struct
from typing import Any, Final
from uuid import UUID

from psycopg import adapters
from psycopg.adapt import Dumper
from psycopg.pq import Format

from eventstore.database import Db
from projections.table.rows import RowTable

_UUID: Final = adapters.types["uuid"]
_ARRAY: Final = Struct("!iiIii")
"""Dimensions, whether there are nulls, the type of what is in it; of the one dimension how many there are, and from where."""
_NO_IDS: Final = _ARRAY.pack(0, 0, _UUID.oid, 0, 0)[:12]
_ID_BYTES: Final = bytes([0, 0, 0, 16])


class _Json(Dumper):
    """JSON that is written already, behind the number of its form."""

    format = Format.BINARY
    oid = adapters.types["jsonb"].oid

    def dump(self, obj: str) -> bytes:
        return b"\x01" + obj.encode()


class _Ids(Dumper):
    """A list of ids; that of psycopg is for lists of anything, and takes three times as long."""

    format = Format.BINARY
    oid = _UUID.array_oid

    def dump(self, obj: Sequence[UUID]) -> bytes:
        if not obj:
            return _NO_IDS
        ids = b"".join([_ID_BYTES + one.bytes for one in obj])
        return _ARRAY.pack(1, 0, _UUID.oid, len(obj), 1) + ids


@contextmanager
def copying(conn: Db, table: RowTable[Any], name: str) -> Iterator[Callable[[Sequence[Any]], None]]:
    """Inside, rows as ``table.values`` has them go into the table of this name; they are there when it has ended.

    Postgres takes each value for what its column's type is, and converts none.
    """
    cursor = conn.cursor()
    for dumper in (_Json, _Ids):
        cursor.adapters.register_dumper(None, dumper)
    into = f"COPY {name} ({', '.join(table.names)}) FROM STDIN (FORMAT BINARY)"
    with cursor.copy(into.encode()) as copy:
        copy.set_types(list(table.kinds.values()))
        yield copy.write_row
