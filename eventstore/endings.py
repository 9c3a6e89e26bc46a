"""Things on their way out: so much refers to them that a job takes it away, and nothing new may refer to them meanwhile."""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, LiteralString
from uuid import UUID

from eventstore.database import Db

_LOOK: Final[LiteralString] = "SELECT id, job_id FROM endings WHERE workspace_id = %s AND kind = %s AND id = ANY(%s)"
_MARK: Final[LiteralString] = "INSERT INTO endings (workspace_id, kind, id, job_id) VALUES (%s, %s, %s, %s)"
_UNMARK: Final[LiteralString] = "DELETE FROM endings WHERE workspace_id = %s AND kind = %s AND id = %s"


def look(conn: Db, kind: str, keys: Collection[UUID]) -> dict[UUID, UUID]:
    """Of these things those on their way out, each with the job that sees to it."""
    return dict(conn.execute(_LOOK, (conn.workspace_id, kind, list(keys))).fetchall())


def job_of(conn: Db, kind: str, key: UUID) -> UUID | None:
    """The job that sees to the end of a thing, if it is on its way out."""
    return look(conn, kind, [key]).get(key)


def mark(conn: Db, kind: str, key: UUID, job_id: UUID) -> None:
    """Has new references to the thing refused, from when this transaction is committed; it must be held to end."""
    conn.execute(_MARK, (conn.workspace_id, kind, key, job_id))


def unmark(conn: Db, kind: str, key: UUID) -> None:
    conn.execute(_UNMARK, (conn.workspace_id, kind, key))
