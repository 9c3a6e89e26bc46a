"""Reading a thing as it was: at a place in the log, or at a moment."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar
from uuid import UUID

from litestar.params import QueryParameter

from domain.kernel import Decider, Refused, State
from eventstore.database import Db
from eventstore.mapper import EventMapper
from eventstore.reader import fold_stream
from eventstore.rows import Current
from projections.filter import moment

S = TypeVar("S", bound=State)

AsOf = Annotated[
    str | None,
    QueryParameter(name="asOf", max_length=40, description="A `seq` of the log, or a date or RFC 3339 time."),
]

_mapper = EventMapper()


def folded_as_of(conn: Db, decider: Decider[Any, Any, S], stream_id: UUID, as_of: str) -> Current[S] | None:
    """The thing as it was then; ``None`` where it had not begun or had ended."""
    if as_of.isascii() and as_of.isdigit() and len(as_of) < 19:
        return fold_stream(conn, decider, stream_id, _mapper, upto_seq=int(as_of))
    try:
        at = moment(as_of)
    except ValueError:
        message = "asOf: must be a seq such as 1200, or a time such as 2026-03-15T10:30:00Z"
        raise Refused("invalid_request", message) from None
    return fold_stream(conn, decider, stream_id, _mapper, upto_time=at)
