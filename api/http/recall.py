"""``Recall``: a request that reads things as they are or, with ``asOf``, as they were at a moment of the log.

The moment is settled before the handler begins: which entry of the log was the last then, and that the past was kept so far.
A request that waits for it holds no thread and no connection meanwhile.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Annotated, Final

from litestar.di import Provide
from litestar.params import QueryParameter, SkipValidation

from api.http.ask import Ask, Asked
from api.http.fresh import awaited
from api.http.turns import in_turn
from application.calling.services import Services
from domain.kernel import Refused
from eventstore.database import Db, reading
from eventstore.moment import MAX_LENGTH, read, seq_of
from eventstore.then import Then
from projections.catalogue import PAST
from projections.table import keyset
from projections.view.lookback import look_back

FIELD: Final = "asOf"
AsOf = Annotated[
    str | None,
    QueryParameter(
        name=FIELD,
        max_length=MAX_LENGTH,
        description=(
            "A `seq` of the log or an RFC 3339 time: the answer is what it was then, with all that it refers to. In the future"
            " or no moment: 422; before it existed or after its end: 404. It waits up to 2 s until what was then is kept, and is else 503."
        ),
    ),
]


class Recall(Ask):
    """``then``: the moment that it reads as of, and how callers said so; ``None``: now."""

    __slots__ = ("asked", "then")

    def __init__(self, services: Services, request: Asked, asked: str = "", then: Then | None = None) -> None:
        super().__init__(services, request)
        self.asked = asked
        self.then = then

    @property
    def now(self) -> datetime:
        """What time it is."""
        return datetime.now(UTC) if self.then is None else self.then.at

    @contextmanager
    def reading(self, *, single: bool = False) -> Iterator[Db]:
        """As of then. What is not found has not existed then."""
        workspace_id = self.caller.workspace_id
        try:
            with reading(self.services.pool, workspace_id, self.visible_to, single=single, then=self.then) as conn:
                yield conn
        except Refused as refusal:
            if self.then is None or refusal.code != "not_found":
                raise
            raise _missing(refusal, self.asked) from None

    def headed(self, headers: Mapping[str, str] | None) -> Mapping[str, str] | None:
        """What was has no ``ETag``, for it cannot be changed; it says as of when, and how far the past is kept, instead."""
        return headers if self.then is None else _headers(self.then)

    def _has(self, version: int) -> bool:
        return self.then is None and super()._has(version)


def _missing(refusal: Refused, asked: str) -> Refused:
    message = f"{refusal.message.removesuffix('.')} as of {asked}: it did not exist yet, or no longer."
    return Refused(refusal.code, message, details=refusal.details)


def _headers(then: Then) -> dict[str, str]:
    return {"daybook-as-of": str(then.seq), "daybook-view-seq": str(then.reached)}


def provided(services: Services) -> dict[str, Provide]:
    """What a handler may ask for by the name of ``recall``."""

    async def recall(request: SkipValidation[Asked], as_of: AsOf = None) -> Recall:
        cursor = request.query_params.get("cursor")
        if as_of is not None:
            return await _settled(services, request, as_of, FIELD)
        if cursor is not None and (seq := keyset.moment(cursor)) is not None:
            return await _settled(services, request, seq, "cursor")  # a list goes on as of the moment that it was of
        return Recall(services, request)

    return {"recall": Provide(recall)}


async def _settled(services: Services, request: Asked, asked: str, field: str) -> Recall:
    """A request as of the moment asked for, once the past was kept so far.

    For who sees only what is theirs, up to the log's end: what is not theirs any more must be known to be so. Refuses
    (``validation_failed``) what is no moment, and (``NotYet``) what is not kept in time.
    """
    ask = Ask(services, request)
    then, needed = await in_turn(_look, ask, asked, field)

    async def look() -> tuple[int, Then | None]:
        again, _ = await in_turn(_look, ask, str(then.seq), field, then.at)
        return again.reached, again if again.reached >= needed else None

    if then.reached < needed:
        _, then = await awaited(look)
    return Recall(services, request, asked, then)


def _look(ask: Ask, asked: str, field: str, at: datetime | None = None) -> tuple[Then, int]:
    """The moment as it is known by now, ``at`` a time if that is said; and up to which seq the past must have been kept."""
    with ask.reading() as conn:
        seq = seq_of(conn, asked, field)
        meant = read(asked, field)
        then, end = look_back(conn, PAST, seq, at or (meant if isinstance(meant, datetime) else None))
    return then, seq if ask.visible_to is None else end
