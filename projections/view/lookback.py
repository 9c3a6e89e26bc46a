"""A moment to look back to: what time it was, how late its rows can be, and how far their past is kept."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final, LiteralString

from eventstore.database import Db, one
from eventstore.then import LEEWAY, Then
from projections.view.view import View

_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
"""Before anything was recorded."""

_STOOD: Final[LiteralString] = """
    SELECT (SELECT recorded_at FROM events e WHERE e.workspace_id = h.workspace_id AND e.seq = %(seq)s),
        (SELECT max(occurred_at) FROM past_ahead a WHERE a.workspace_id = h.workspace_id AND a.seq <= %(seq)s),
        (SELECT seq FROM consumer_checkpoints c WHERE c.workspace_id = h.workspace_id AND c.consumer = %(view)s), h.seq
    FROM log_heads h WHERE h.workspace_id = %(workspace)s
"""


def look_back(conn: Db, past: View, seq: int, at: datetime | None) -> tuple[Then, int]:
    """The moment at which the log ended at ``seq``, ``at`` that time unless it is when that was recorded; and where the log
    ends by now.
    """
    known = {"seq": seq, "view": past.name, "workspace": conn.workspace_id}
    recorded, ahead, reached, end = one(conn, _STOOD, known) or (None, None, 0, 0)
    latest = [time for time in (ahead, recorded and recorded + LEEWAY) if time is not None]
    moment = Then(
        seq=seq,
        at=at or recorded or _BEGINNING,
        latest=max(latest, default=_BEGINNING),
        view=(past.name, past.version),
        reached=reached or 0,
    )
    return moment, end
