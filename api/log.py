"""The log over HTTP: for auditors, and as a feed that a subscriber pulls."""

from __future__ import annotations

import asyncio
import time
from typing import Annotated, Any, Final, Literal

import msgspec
from anyio import to_thread
from litestar import Controller, Response
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.ask import Ask
from api.http.routes import get
from domain.catalogue import EVENTS
from domain.kernel import Refused, invalid
from eventstore.reader import head, read_log
from schemas.log import LogEntry, LogPage, LogPageMeta

MAX_ENTRIES: Final = 1000
MAX_WAIT: Final = 30
POLL_SECONDS: Final = 0.1

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
        after: Annotated[int, QueryParameter(ge=0, description="Entries behind this seq; 0 is the beginning.")] = 0,
        limit: Annotated[int, QueryParameter(ge=1, le=MAX_ENTRIES, description="Entries at most.")] = 100,
        types: Annotated[
            list[str] | None, QueryParameter(description="Only events of these types, such as contact.created.")
        ] = None,
        wait: Annotated[int, QueryParameter(ge=0, le=MAX_WAIT, description="Seconds to wait for something new.")] = 0,
        output: Annotated[
            Literal["json", "ndjson"] | None, QueryParameter(name="format", description="Instead of the Accept header.")
        ] = None,
    ) -> Response[LogPage]:
        """Every event of the workspace, by `seq` without a gap, each chained to the one before by its hash. As JSON, or
        one entry a line with `Accept: application/x-ndjson`. With `wait`, an answer that would be empty waits until
        something is written.
        """
        if ask.visible_to is not None:
            raise Refused("permission_denied", "The log tells of everything; you see only what is assigned to you.")
        wanted = _types(types or [])
        deadline = time.monotonic() + wait
        while True:
            entries, last = await to_thread.run_sync(_read, ask, after, limit, wanted)
            if entries or time.monotonic() >= deadline:
                break
            after = max(after, last)
            await asyncio.sleep(POLL_SECONDS)
        ndjson = output == "ndjson" or (output is None and _NDJSON in ask.request.headers.get("accept", ""))
        return _answer(entries, last, after, ndjson=ndjson)


def _read(ask: Ask, after: int, limit: int, types: list[str]) -> tuple[list[LogEntry], int]:
    with ask.reading() as conn:
        last, _ = head(conn)
        return read_log(conn, after=after, limit=limit, types=types, upto=last), last


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
