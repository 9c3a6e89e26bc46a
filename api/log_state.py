"""What the log adds up to, over HTTP: the hash by which an auditor compares a bundle with the live service."""

from __future__ import annotations

import threading
from typing import Annotated, Final

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.answers import Json
from api.http.ask import Ask
from api.http.limits import TooMany
from api.http.routes import get
from domain.kernel import Refused, invalid
from eventstore.moment import MAX_LENGTH, seq_of
from eventstore.reader import head
from eventstore.state import States, stored_events
from schemas.log import LogState
from schemas.wire.page import One

MAX_EVENTS: Final = 100_000
"""That a request goes through: two seconds of a processor. The command line has no limit."""
AT_ONCE: Final = 1
RETRY_SECONDS: Final = 2
_PLACES: Final = threading.BoundedSemaphore(AT_ONCE)
"""It keeps Python busy: meanwhile the process answers others, and no second one of these."""


class LogStateController(Controller):
    path = "/log/state"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="getLogState",
        summary="One hash of all that the log adds up to",
        scope="log:read",
        errors=("validation_failed",),
    )
    def get_state(
        self,
        ask: NamedDependency[Ask],
        as_of: Annotated[
            str | None,
            QueryParameter(
                name="asOf",
                max_length=MAX_LENGTH,
                description="A `seq`, or an RFC 3339 time; now where it is not given.",
            ),
        ] = None,
    ) -> Json[One[LogState]]:
        """The states of all live things as of a moment in the log of at most 100,000 events, as `daybook audit replay` works
        them out of a bundle alone. It is worked out anew each time, for one request at a time (429). Of a longer log ask
        `daybook audit state`.
        """
        if ask.visible_to is not None:
            raise Refused("permission_denied", "The log tells of everything; you see only what is assigned to you.")
        with ask.reading() as conn:
            seq = head(conn)[0] if as_of is None else seq_of(conn, as_of)
        if seq > MAX_EVENTS:
            raise invalid("asOf", f"is behind {MAX_EVENTS:,} events; `daybook audit state` goes through any number")
        return ask.told(_folded(ask, seq))


def _folded(ask: Ask, seq: int) -> LogState:
    if not _PLACES.acquire(blocking=False):
        raise TooMany(RETRY_SECONDS, {})
    try:
        states = States(stored_events(ask.reading, seq))
        states.fold()
    finally:
        _PLACES.release()
    return LogState(
        workspace_id=ask.caller.workspace_id,
        seq=seq,
        hash=states.hash.hex(),
        counts=dict(sorted(states.counts.items())),
    )
