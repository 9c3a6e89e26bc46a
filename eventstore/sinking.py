"""How far the checkpoints of each workspace have been put into a place that is kept elsewhere."""

from __future__ import annotations

from hashlib import sha256
from typing import Final, LiteralString
from uuid import UUID

from eventstore.chain import timestamp
from eventstore.checkpoint import COLUMNS, as_checkpoint
from eventstore.database import Db, one
from schemas.verification import Checkpoint

LOOK: Final = 1000
"""Workspaces in one look for those of which something is not there yet, and checkpoints of one at a time."""

BEHIND: Final[LiteralString] = """
    SELECT h.workspace_id FROM log_heads h LEFT JOIN consumer_checkpoints c
        ON c.workspace_id = h.workspace_id AND c.consumer = %s
    WHERE h.workspace_id > %s AND h.signed_seq > coalesce(c.seq, 0) ORDER BY h.workspace_id LIMIT %s
"""
_NEXT: Final[LiteralString] = f"""
    SELECT {COLUMNS} FROM log_checkpoints
    WHERE workspace_id = %(w)s AND seq > coalesce(
        (SELECT seq FROM consumer_checkpoints WHERE workspace_id = %(w)s AND consumer = %(sink)s), -1)
    ORDER BY seq LIMIT %(limit)s
"""  # noqa: S608 - constants only
_REACHED: Final[LiteralString] = """
    INSERT INTO consumer_checkpoints AS c (workspace_id, consumer, seq) VALUES (%s, %s, %s)
    ON CONFLICT (workspace_id, consumer) DO UPDATE SET seq = greatest(c.seq, excluded.seq)
"""


def name_of(sink: str) -> str:
    """Under which name it is remembered how far a place has come: another place begins anew."""
    return f"sink:{sha256(sink.encode()).hexdigest()[:16]}"


def behind(conn: Db, sink: str, after: UUID) -> list[UUID]:
    """The next workspaces of which a checkpoint is not in the sink; for a worker, across workspaces."""
    return [row[0] for row in conn.execute(BEHIND, (sink, after, LOOK))]


def next_checkpoints(conn: Db, sink: str) -> list[Checkpoint]:
    """A workspace's next checkpoints that are not in the sink, in order; inside ``reading``."""
    rows = conn.execute(_NEXT, {"w": conn.workspace_id, "sink": sink, "limit": LOOK})
    return [
        as_checkpoint(conn.workspace_id, seq, hashed, timestamp(signed_at), *rest)
        for seq, hashed, signed_at, *rest in rows
    ]


def reached(conn: Db, sink: str, seq: int) -> None:
    """That the sink has all checkpoints of a workspace up to this one; inside ``writing``."""
    one(conn, _REACHED + " RETURNING seq", (conn.workspace_id, sink, seq))
