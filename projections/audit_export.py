"""Bundles of the log that were asked for: their pieces, and how far they have come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

import msgspec

from domain.kernel import Value
from eventstore.bundle.contents import Declaration, File
from eventstore.bundle.making import Piece
from eventstore.database import Db
from projections.table import keyset
from schemas.audit_export import AuditExportView
from schemas.wire.page import PageRequest

_ADD: Final[LiteralString] = """
    INSERT INTO audit_export_pieces (workspace_id, export_id, n, about, size, content, expires_at)
    VALUES (%s, %s, %s, %s, %s, %s, %s)
"""
_ABOUT: Final[LiteralString] = """
    SELECT about FROM audit_export_pieces WHERE workspace_id = %s AND export_id = %s ORDER BY n
"""
_LAST: Final[LiteralString] = """
    SELECT n, about FROM audit_export_pieces WHERE workspace_id = %s AND export_id = %s ORDER BY n DESC LIMIT 1
"""
_SIZES: Final[LiteralString] = """
    SELECT n, size FROM audit_export_pieces WHERE workspace_id = %s AND export_id = %s AND expires_at > now() ORDER BY n
"""
_CONTENT: Final[LiteralString] = """
    SELECT content FROM audit_export_pieces WHERE workspace_id = %s AND export_id = %s AND n = %s
"""
_VIEW: Final[LiteralString] = """
    SELECT id, status, options, total, processed, error, created_at, updated_at, completed_at,
        (SELECT coalesce(sum(size), 0) FROM audit_export_pieces p
            WHERE p.workspace_id = j.workspace_id AND export_id = id AND expires_at > now())
    FROM jobs j WHERE workspace_id = %(workspace)s AND kind = 'audit_export'
"""
_RECENT: Final[LiteralString] = """
    SELECT count(*) FROM jobs WHERE workspace_id = %s AND kind = 'audit_export' AND created_at > now() - interval '1 day'
"""
_NEWEST_FIRST: Final = "-id"


class Options(Value):
    """What a job makes, and until when that is kept."""

    declaration: Declaration
    expires_at: datetime


class About(Value):
    """What is in a piece."""

    files: tuple[File, ...]
    types: dict[str, int]


@dataclass(frozen=True)
class Made:
    """The last piece that there is: its number, and what is in it."""

    n: int
    about: About


def add(conn: Db, export_id: UUID, n: int, piece: Piece, expires_at: datetime) -> None:
    about = msgspec.json.encode(About(files=piece.files, types=dict(piece.types))).decode()
    values = (conn.workspace_id, export_id, n, about, len(piece.content), piece.content, expires_at)
    conn.execute(_ADD, values)


def last(conn: Db, export_id: UUID) -> Made | None:
    row = conn.execute(_LAST, (conn.workspace_id, export_id)).fetchone()
    return None if row is None else Made(row[0], _about(row[1]))


def everything(conn: Db, export_id: UUID) -> list[About]:
    """What is in all pieces, in their order."""
    return [_about(row[0]) for row in conn.execute(_ABOUT, (conn.workspace_id, export_id))]


def of_a_day(conn: Db) -> int:
    """How many have been asked for within a day."""
    row = conn.execute(_RECENT, (conn.workspace_id,)).fetchone()
    return 0 if row is None else int(row[0])


def sizes(conn: Db, export_id: UUID) -> Sequence[tuple[int, int]]:
    """Number and size of each piece that is kept, in their order."""
    return conn.execute(_SIZES, (conn.workspace_id, export_id)).fetchall()


def content(conn: Db, export_id: UUID, n: int) -> bytes | None:
    """A piece; ``None`` when it is no longer kept."""
    row = conn.execute(_CONTENT, (conn.workspace_id, export_id, n)).fetchone()
    return None if row is None else bytes(row[0])


def one(conn: Db, export_id: UUID) -> AuditExportView | None:
    row = conn.execute(_VIEW + " AND id = %(id)s", {"workspace": conn.workspace_id, "id": export_id}).fetchone()
    return None if row is None else _view(row)


def listed(conn: Db, request: PageRequest) -> tuple[list[AuditExportView], int, str | None]:
    """A page of exports, newest first, how many there are, and the cursor of the next page."""
    (before,) = (None,) if request.cursor is None else keyset.read(request.cursor, _NEWEST_FIRST, UUID)
    params: dict[str, Any] = {"workspace": conn.workspace_id, "before": before, "skipped": request.skipped}
    behind = " AND (%(before)s::uuid IS NULL OR id < %(before)s) ORDER BY id DESC LIMIT %(limit)s OFFSET %(skipped)s"
    rows = conn.execute(_VIEW + behind, {**params, "limit": request.limit + 1})
    total = conn.execute("SELECT count(*) FROM (" + _VIEW + ") AS found", params)
    page, cursor = keyset.page(rows.fetchall(), request.limit, lambda row: keyset.written(_NEWEST_FIRST, row[0]))
    count = total.fetchone()
    return [_view(row) for row in page], count[0] if count else 0, cursor


def _view(row: Sequence[Any]) -> AuditExportView:
    export_id, status, options, total, processed, error, created_at, updated_at, completed_at, size = row
    wanted = _options(options)
    said = wanted.declaration
    return AuditExportView(
        id=export_id,
        status=status,
        first=said.first,
        last=said.last,
        last_hash=said.last_hash,
        made_by=said.made_by,
        total=total,
        processed=processed,
        size=int(size),
        error=error,
        created_at=created_at,
        updated_at=updated_at,
        completed_at=completed_at,
        expires_at=wanted.expires_at,
    )


_options = msgspec.json.Decoder(Options).decode
_about = msgspec.json.Decoder(About).decode
