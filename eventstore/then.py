"""Reading as of a moment of the log: a transaction in which every row, count and event is what it was then.

Postgres has views, under the names of the tables, in schemas of their own: a transaction that reads the past finds those
first. They show what stood at the seq that the transaction says, so that no query has to know of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

PAST: Final = "past"
"""The schema in which tables are as they were."""
ASSIGNED: Final = "past_assigned"
"""The same for who sees only what is theirs: they see what was, of what is theirs now as well."""

SEQ: Final = "current_setting('daybook.as_of')::bigint"
VISIBLE_TO: Final = "current_setting('daybook.visible_to')::uuid"
LEEWAY: Final = timedelta(seconds=1)
"""So much later by its own clock may an event have been decided than it was recorded: no clock is exact."""


@dataclass(frozen=True)
class Then:
    """``seq``: the last entry of the log that counts; ``at``: what time it is; ``latest``: no row is of later than that.

    ``view``: the name and version of what is read. ``reached``: up to which seq that was kept, when it was looked at.
    """

    seq: int
    at: datetime
    latest: datetime
    view: tuple[str, int]
    reached: int

    def entering(self, visible_to: UUID | None) -> list[bytes]:
        """The commands that a transaction begins with; they last until it ends."""
        path = PAST if visible_to is None else f"{ASSIGNED}, {PAST}"
        theirs = [] if visible_to is None else [f"SET LOCAL daybook.visible_to = '{visible_to}'"]
        said = [
            f"SET LOCAL daybook.as_of = '{self.seq}'",
            f"SET LOCAL search_path = {path}, public",
            # How many versions stood then is not known where a plan is made, and several processes cost more than a page.
            "SET LOCAL max_parallel_workers_per_gather = 0",
            # Versions that come one after the other in an order are read from memory: elsewhere all were sorted for a page.
            "SET LOCAL random_page_cost = 1.1",
            *theirs,
        ]
        return [command.encode() for command in said]

    @staticmethod
    def marked(query: str | bytes) -> str | bytes:
        """The same statement under a text of its own: prepared for the past, it is planned for nothing else."""
        return f"/* then */ {query}" if isinstance(query, str) else b"/* then */ " + query
