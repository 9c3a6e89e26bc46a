"""A workspace's requests of a minute, shared by all API processes."""

from __future__ import annotations

from uuid import UUID

from eventstore.database import Pool, writing


def take_block(pool: Pool, workspace_id: UUID, minute: int, block: int) -> int:
    """Takes ``block`` requests of a minute (counted since 1970) and answers how many all have taken now.

    Raises ``Unavailable``.
    """
    with writing(pool, workspace_id) as conn:
        row = conn.execute(
            "INSERT INTO rate_windows AS w VALUES (%s, to_timestamp(%s), %s)"
            " ON CONFLICT (workspace_id, window_start) DO UPDATE SET taken = w.taken + excluded.taken RETURNING taken",
            (workspace_id, minute * 60, block),
        ).fetchone()
    return block if row is None else int(row[0])
