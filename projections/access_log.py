"""Who read what: an ordinary table beside the log, written some entries at a time. Ids are in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from eventstore.database import Db
from eventstore.recordset import insert_many
from projections.table import keyset
from projections.table.asking.compiled import TRUE, Compiled, every
from schemas.access_log import AccessView
from schemas.wire.page import PageRequest

_ORDER: Final = "-access"
_COLUMNS: Final = {
    "id": "uuid",
    "at": "timestamptz",
    "user_id": "uuid",
    "api_key_id": "uuid",
    "operation": "text",
    "subject_id": "uuid",
    "contact_ids": "uuid[]",
    "request_id": "text",
}


@dataclass(frozen=True)
class AccessQuery:
    """All that is given must hold; ``since`` and ``until`` are times, the later one not included."""

    user_id: UUID | None = None
    operation: str | None = None
    contact_id: UUID | None = None
    since: datetime | None = None
    until: datetime | None = None

    def where(self) -> Compiled:
        asked = (
            ("user_id = %s", self.user_id),
            ("operation = %s", self.operation),
            ("contact_ids @> ARRAY[%s::uuid]", self.contact_id),
            ("at >= %s", self.since),
            ("at < %s", self.until),
        )
        return every(TRUE, *(Compiled(sql, (value,)) for sql, value in asked if value is not None))


def write(conn: Db, entries: Sequence[AccessView]) -> None:
    """Entries of the transaction's workspace."""
    insert_many(conn, "access_log", _COLUMNS, [_row(entry) for entry in entries])


def listed(conn: Db, request: PageRequest, wanted: AccessQuery) -> tuple[list[AccessView], int, str | None, bool]:
    """A page, the last first; how many there are at least; the cursor of the next page; and whether there are no more.

    How many there are is known where a page from the beginning on, or behind entries that were skipped, has the last of them.
    """
    where, behind, skipped = wanted.where(), TRUE, request.skipped
    if request.cursor is not None:
        behind, skipped = Compiled("id < %s", keyset.read(request.cursor, _ORDER, UUID)), 0
    rows = conn.execute(
        (
            f"SELECT {', '.join(_COLUMNS)} FROM access_log"
            f" WHERE workspace_id = %s AND ({where.sql}) AND {behind.sql} ORDER BY id DESC LIMIT %s OFFSET %s"
        ).encode(),
        (conn.workspace_id, *where.params, *behind.params, request.limit + 1, skipped),
    ).fetchall()
    page, cursor = keyset.page(rows, request.limit, lambda row: keyset.written(_ORDER, row[0]))
    total = skipped + len(rows) if rows else 0
    exact = cursor is None and request.cursor is None and (bool(rows) or not skipped)
    return [AccessView(**dict(zip(_COLUMNS, row, strict=True))) for row in page], total, cursor, exact


def _row(entry: AccessView) -> Sequence[Any]:
    return [getattr(entry, name) for name in _COLUMNS]
