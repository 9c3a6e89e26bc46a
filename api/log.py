"""The log over HTTP: for auditors, and as a feed that a subscriber pulls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Annotated, Any, Final, Literal
from uuid import UUID

import msgspec
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import QueryParameter, SkipValidation

from api.http.ask import Ask
from api.http.growth import Growth
from api.http.routes import get
from api.http.turns import Busy, in_turn
from domain.catalogue import EVENTS
from domain.kernel import Refused, invalid
from eventstore.reader import head, read_log, with_opened
from schemas.log import LogEntry, LogPage, LogPageMeta

MAX_ENTRIES: Final = 1000
MAX_WAIT: Final = 30
FALLBACK_SECONDS: Final = 5.0
"""After which a wait looks by itself: the news of what others write may be lost."""
_FIRST_SECONDS: Final = 1.0
"""Sooner once, as the news may have been on the way when the wait began."""
_PAUSE_SECONDS: Final = 0.1
"""Between two looks at a log that grows and grows without what is asked for."""

_Found = tuple[list[LogEntry], int]
"""Entries, and where the log ends."""
_NDJSON: Final = "application/x-ndjson"


class LogController(Controller):
    path = "/log"
    tags = ["Log"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="readLog",
        summary="Read the log in order",
        scope="log:read",
        errors=("validation_failed",),
        lines=LogEntry,
        headers=("Daybook-Seq", "Daybook-Next-After"),
    )
    async def read(
        self,
        ask: NamedDependency[Ask],
        growth: NamedDependency[SkipValidation[Growth]],
        after: Annotated[int, QueryParameter(ge=0, description="Entries behind this seq; 0 is the beginning.")] = 0,
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_ENTRIES, description="Entries at most.")] = 100,
        types: Annotated[
            list[str] | None, QueryParameter(description="Only events of these types, such as contact.created.")
        ] = None,
        wait: Annotated[int, QueryParameter(ge=0, le=MAX_WAIT, description="Seconds to wait for something new.")] = 0,
        personal: Annotated[
            bool, QueryParameter(description="Say in `opened` what is sealed; for who may read contacts too.")
        ] = False,
        output: Annotated[
            Literal["json", "ndjson"] | None, QueryParameter(name="format", description="Instead of the Accept header.")
        ] = None,
    ) -> Response[LogPage]:
        """Every event of the workspace, by `seq` without a gap, each chained to the one before by its hash. As JSON, or
        one entry a line with `Accept: application/x-ndjson`. With `wait`, an answer that would be empty waits until
        something is written. What is personal in an entry is sealed, so that it can be erased while the chain stands;
        `personal=true` opens it beside the entry.
        """
        if ask.visible_to is not None:
            raise Refused("permission_denied", "The log tells of everything; you see only what is assigned to you.")
        if personal and not ask.caller.may("contacts:read"):
            raise Refused("permission_denied", "What is personal is for those who may read contacts: contacts:read.")
        wanted = _types(types or [])

        async def look(behind: int) -> _Found:
            return await in_turn(_read, ask, behind, limit, wanted, personal)

        entries, last, after = await _awaited(look, growth, ask.caller.workspace_id, after, wait)
        ndjson = output == "ndjson" or (output is None and _NDJSON in ask.request.headers.get("accept", ""))
        return _answer(entries, last, after, ndjson=ndjson)


async def _awaited(
    look: Callable[[int], Awaitable[_Found]], growth: Growth, workspace_id: UUID, after: int, wait: int
) -> tuple[list[LogEntry], int, int]:
    """What is there behind ``after``, or comes within so many seconds; where the log ends; what was looked behind."""
    deadline, fallback = time.monotonic() + wait, _FIRST_SECONDS
    with growth.of(workspace_id) as grown:
        entries, last = await look(after)
        while not entries and not growth.ended and (left := deadline - time.monotonic()) > 0:
            after = max(after, last)
            await _told(grown, min(left, fallback))
            fallback = FALLBACK_SECONDS
            if not growth.ended:
                with suppress(Busy):  # as many wait, there may be no thread for all at once
                    entries, last = await look(after)
    return entries, last, after


async def _told(grown: asyncio.Event, seconds: float) -> None:
    await asyncio.sleep(min(_PAUSE_SECONDS, seconds))
    with suppress(TimeoutError):
        await asyncio.wait_for(grown.wait(), seconds)
    grown.clear()


def _read(ask: Ask, after: int, limit: int, types: list[str], personal: bool) -> _Found:
    with ask.reading() as conn:
        last, _ = head(conn)
        entries = read_log(conn, after=after, limit=limit, types=types, upto=last)
        return with_opened(conn, entries, ask.services.store.mapper) if personal else entries, last


def _types(given: list[str]) -> list[str]:
    wanted = [name for entry in given for name in entry.split(",") if name]
    for name in wanted:
        if name not in EVENTS:
            raise invalid("types", f"{name[:64]!r} is not an event type")
    return wanted


def _answer(entries: list[LogEntry], last: int, after: int, *, ndjson: bool) -> Response[Any]:
    """``nextAfter`` is where to go on: behind the last entry, or behind all that was looked through for the types."""
    next_after = entries[-1].seq if entries else max(after, last)
    headers = {"daybook-seq": str(last), "daybook-next-after": str(next_after)}
    if ndjson:
        body = b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries)
        return Response(body, media_type=_NDJSON, headers=headers)
    found = LogPage(data=entries, meta=LogPageMeta(next_after=next_after, head=last))
    return Response(msgspec.json.encode(found), media_type="application/json", headers=headers)
