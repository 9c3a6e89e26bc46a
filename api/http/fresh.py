"""Reading views: as far as they are, or, for a caller who has just written, once they have come so far.

A request that waits holds no thread and no connection meanwhile: it looks again after hundredths of a second, then tenths.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Annotated, Final, TypeVar

from litestar.params import QueryParameter

from api.http.ask import Ask
from api.http.turns import in_turn
from domain.kernel import Refused, invalid
from eventstore.database import Db
from projections.view.view import View, reached

T = TypeVar("T")

WAIT_SECONDS: Final = 2.0
POLL_SECONDS: Final = 0.03
LONGEST_SECONDS: Final = 0.25
"""Between two looks: at first, and when the view does not come."""

MinSeq = Annotated[
    int | None,
    QueryParameter(
        name="minSeq",
        ge=0,
        le=2**63 - 1,
        description=(
            "The `Daybook-Seq` of your command, to read what you wrote: the answer waits up to 2 s until the view has come so far,"
            " and is else 503, to be asked again."
        ),
    ),
]


class NotYet(Refused):
    """The view has not come as far as it was asked for."""

    def __init__(self, seq: int) -> None:
        super().__init__("unavailable", f"The view has come to {seq} of the log; try again in a moment.")
        self.headers = {"retry-after": "1"}


async def fresh(ask: Ask, view: View, min_seq: int | None, read: Callable[[Db], T]) -> tuple[T, dict[str, str]]:
    """What ``read`` finds in a view that has come to ``min_seq`` at least, and the header that says how far it is.

    Refuses (``validation_failed``) a seq that the log has not come to, and (``NotYet``) what the view does not come to in time.
    """
    seq, found = await awaited(partial(in_turn, _read, ask, view, min_seq or 0, read))
    return found, {"daybook-view-seq": str(seq)}


async def awaited(look: Callable[[], Awaitable[tuple[int, T | None]]]) -> tuple[int, T]:
    """What is found, and how far the view is then. ``look`` answers ``None`` as long as that is not far enough.

    Refuses (``NotYet``) what is not found in time.
    """
    deadline, pause = time.monotonic() + WAIT_SECONDS, POLL_SECONDS
    while True:
        seq, found = await look()
        if found is not None:
            return seq, found
        if time.monotonic() >= deadline:
            raise NotYet(seq)
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST_SECONDS)


def _read(ask: Ask, view: View, min_seq: int, read: Callable[[Db], T]) -> tuple[int, T | None]:
    """How far the view is, and what is read; nothing of a view that has not come far enough."""
    with ask.reading() as conn:
        asked = reached(conn, conn.workspace_id, view)
        if not min_seq:  # nothing to wait for: all in one round trip
            found = read(conn)
            return asked()[1], found
        end, seq = asked()
        if min_seq > end:
            raise invalid("minSeq", f"the log has not come so far: it ends at {end}")
        return seq, read(conn) if seq >= min_seq else None
