"""Things that a job has in hand: those on their way out, which nothing new may refer to, and those that have to stay meanwhile.

So much refers to a thing on its way out that a job takes it away. Where another goes on in its place, its ``successor``, who
would refer to the one refers to the other.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import Final, LiteralString, NamedTuple
from uuid import UUID

from domain.kernel import Refused
from eventstore.database import Db

_LOOK: Final[LiteralString] = """
    SELECT id, job_id, successor FROM endings WHERE workspace_id = %s AND kind = %s AND id = ANY(%s)
"""
_TAKEN: Final[LiteralString] = """
    SELECT id, job_id, successor, NULL FROM endings WHERE workspace_id = %(workspace)s AND kind = %(kind)s AND id = ANY(%(ids)s)
    UNION ALL
    SELECT id, job_id, NULL, why FROM job_needs WHERE workspace_id = %(workspace)s AND kind = %(kind)s AND id = ANY(%(ids)s)
"""
_MARK: Final[LiteralString] = (
    "INSERT INTO endings (workspace_id, kind, id, job_id, successor) VALUES (%s, %s, %s, %s, %s)"
)
_UNMARK: Final[LiteralString] = "DELETE FROM endings WHERE workspace_id = %s AND kind = %s AND id = %s"
_NEED: Final[LiteralString] = "INSERT INTO job_needs (workspace_id, kind, id, job_id, why) VALUES (%s, %s, %s, %s, %s)"
_RELEASE: Final[tuple[LiteralString, ...]] = (
    "DELETE FROM endings WHERE workspace_id = %s AND job_id = %s",
    "DELETE FROM job_needs WHERE workspace_id = %s AND job_id = %s",
)


class Ending(NamedTuple):
    """The job that sees to the end of a thing, and what goes on in its place, if anything does."""

    job_id: UUID
    successor: UUID | None


class Taken(NamedTuple):
    """A thing that a job has in hand: it has to stay where it is said ``why``, else it is on its way out."""

    id: UUID
    job_id: UUID
    successor: UUID | None
    why: str | None

    def refusal(self, noun: str) -> Refused:
        """To whoever would have it end in another way."""
        what = self.why or (f"is being merged into {self.successor}" if self.successor else "is on its way out already")
        return Refused("conflict", f"This {noun} {what}, by the job {self.job_id}: wait for it, or cancel it.")


def look(conn: Db, kind: str, keys: Collection[UUID]) -> dict[UUID, Ending]:
    """Of these things those on their way out."""
    rows = conn.execute(_LOOK, (conn.workspace_id, kind, list(keys)))
    return {row[0]: Ending(row[1], row[2]) for row in rows}


def job_of(conn: Db, kind: str, key: UUID) -> UUID | None:
    """The job that sees to the end of a thing, if it is on its way out."""
    ending = look(conn, kind, [key]).get(key)
    return None if ending is None else ending.job_id


def taken(conn: Db, kind: str, keys: Collection[UUID]) -> list[Taken]:
    """What jobs have to do with these things; one may be needed by several."""
    rows = conn.execute(_TAKEN, {"workspace": conn.workspace_id, "kind": kind, "ids": list(keys)})
    return [Taken(*row) for row in rows]


def check(conn: Db, kind: str, key: UUID, noun: str) -> UUID | None:
    """The job that takes a thing away, if one does; refuses (``conflict``) where one needs it, or leads it into another."""
    found = taken(conn, kind, [key])
    for one in found:
        if one.why is not None or one.successor is not None:
            raise one.refusal(noun)
    return found[0].job_id if found else None


def mark(conn: Db, kind: str, key: UUID, job_id: UUID, successor: UUID | None = None) -> None:
    """Has new references to the thing refused, from when this transaction is committed; it must be held to end."""
    conn.execute(_MARK, (conn.workspace_id, kind, key, job_id, successor))


def unmark(conn: Db, kind: str, key: UUID) -> None:
    conn.execute(_UNMARK, (conn.workspace_id, kind, key))


def need(conn: Db, kind: str, key: UUID, job_id: UUID, why: str) -> None:
    """Has the thing stay for as long as the job has not released it; it must be held to end."""
    conn.execute(_NEED, (conn.workspace_id, kind, key, job_id, why))


def release(conn: Db, job_id: UUID) -> None:
    """The job has nothing in hand any more."""
    for statement in _RELEASE:
        conn.execute(statement, (conn.workspace_id, job_id))
