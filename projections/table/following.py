"""How far each workspace's log has been gone through, and which of them have grown since."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NamedTuple
from uuid import UUID

from eventstore.database import Db

# Of what was looked at before, only what may have changed since: by no transaction older than the oldest one then.
_HEADS: Final = """
    SELECT workspace_id, seq, pg_snapshot_xmin(pg_current_snapshot())::xid::text FROM log_heads
    WHERE %(since)s::text IS NULL OR age(xmin) <= age(%(since)s::text::xid)
"""


class TooFarBehindError(Exception):
    """More was written meanwhile than can be caught up with while everybody waits."""


class Behind(NamedTuple):
    """A workspace of whose log what is behind ``seen``, up to ``seq``, has not been gone through."""

    workspace_id: UUID
    seen: int
    seq: int


@dataclass
class Following:
    """All logs, on the owner's connection."""

    conn: Db
    seen: dict[UUID, int] = field(default_factory=dict)
    """Up to which seq each has been gone through; those that are not named here, not at all."""
    _since: str | None = None
    """The oldest transaction that was under way at the last look: what it changes was not seen then."""

    def behind(self, most: int | None = None) -> list[Behind]:
        """The logs that have grown since what was ``seen``, without a look at those that have not.

        Raises ``TooFarBehindError`` where they have by more than ``most`` events; then the next look is at these again.
        """
        rows = self.conn.execute(_HEADS, {"since": self._since}).fetchall()
        found = [Behind(workspace_id, self.seen.get(workspace_id, 0), seq) for workspace_id, seq, _ in rows]
        if most is not None and events(found) > most:
            raise TooFarBehindError
        if rows:
            self._since = rows[0][2]
        return [each for each in found if each.seq > each.seen]


def events(behind: list[Behind]) -> int:
    """How many they are."""
    return sum(each.seq - each.seen for each in behind)
