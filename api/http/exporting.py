"""Exports: all that there is of something as one file, as the workspace is at one moment.

A thread reads the database into a file as fast as it can and lets go of both; the client reads the file while it grows, at
its own pace. So one that is slow holds a file, and for no longer than ``LONGEST_SECONDS``; one that goes away stops the work.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from contextlib import closing, suppress
from functools import partial
from typing import Any, Final
from uuid import UUID

from litestar import Response
from litestar.types import Receive, Scope, Send

from api.http.ask import Ask
from api.http.limits import TooMany
from api.http.spool import Spool
from api.http.turns import VISIT, Turns, Visit
from domain.kernel import Refused
from eventstore.database import Db
from eventstore.lasting import snapshot
from eventstore.reader import head
from projections.catalogue import REBUILT

AT_ONCE: Final = 2
WAITING: Final = 16
WAIT_SECONDS: Final = 60.0
RETRY_SECONDS: Final = 10
OPEN: Final = 32
OPEN_OF_ONE: Final = 4
"""Files that are written or read at a time, of all workspaces together and of one."""
LONGEST_SECONDS: Final = 1800.0
"""In which a client must have read all of it."""

Written = Callable[[Db], Generator[bytes, None, None]]


class Exports(Turns):
    """Where exports are written: shared out like the threads of requests, so that a workspace leaves others one."""

    def __init__(self, *, open_of_one: int = OPEN_OF_ONE) -> None:
        super().__init__(AT_ONCE, places=WAITING, seconds=WAIT_SECONDS)
        self._open: dict[Spool, UUID] = {}
        self._open_of_one = open_of_one

    def busy(self) -> Refused:
        return super().busy() if self.ended else TooMany(RETRY_SECONDS, {})

    def end(self) -> None:
        """What is being sent breaks off: the process is about to end."""
        super().end()
        for spool in self._open:
            spool.abandon()

    def open(self, workspace_id: UUID) -> Spool:
        """A file; refuses (429) where there are too many."""
        theirs = sum(of == workspace_id for of in self._open.values())
        if self.ended or len(self._open) >= OPEN or theirs >= self._open_of_one:
            raise self.busy()
        spool = Spool()
        self._open[spool] = workspace_id
        return spool

    def close_file(self, spool: Spool) -> None:
        """Nobody reads it any longer."""
        self._open.pop(spool, None)
        spool.abandon()

    async def answer(self, ask: Ask, media_type: str, name: str, written: Written) -> Streamed:
        """The file as an answer that begins when its first piece is there. Refuses as ``written`` does, and (429) where
        there is no place.
        """
        visit, spool = VISIT.get(), self.open(ask.caller.workspace_id)
        try:
            writing = asyncio.ensure_future(self.run(visit, partial(_write, spool, ask, written)))
            writing.add_done_callback(spool.end)
            seq = await _begun(spool, visit)
        except BaseException:
            self.close_file(spool)
            raise
        return Streamed(spool, visit, media_type, name, seq, partial(self.close_file, spool))


def _write(spool: Spool, ask: Ask, written: Written) -> None:
    """In a thread: all of it from one transaction, in which nothing changes."""
    with snapshot(ask.services.pool, ask.caller.workspace_id, REBUILT, ask.visible_to) as conn:
        seq, _ = head(conn)
        with closing(written(conn)) as pieces:
            first = next(pieces, b"")  # what is to be refused, is
            spool.begin(seq)
            spool.write(first)
            for piece in pieces:
                spool.write(piece)


async def _begun(spool: Spool, visit: Visit) -> int:
    gone = asyncio.ensure_future(visit.gone())
    try:
        await asyncio.wait((spool.begun, gone), return_when=asyncio.FIRST_COMPLETED)
        if not spool.begun.done():
            raise Refused("unavailable", "Nobody waits for it any longer.")
        return spool.begun.result()
    finally:
        gone.cancel()


class Streamed(Response[Any]):
    """A file that is sent while it is written. Where it cannot be written to its end, the connection is cut: what has
    come is then known not to be all.
    """

    def __init__(
        self, spool: Spool, visit: Visit, media_type: str, name: str, seq: int, close: Callable[[], None]
    ) -> None:
        headers = {"content-disposition": f'attachment; filename="{name}"', "daybook-seq": str(seq)}
        super().__init__(None, media_type=media_type, headers=headers)
        self._spool, self._visit, self._close = spool, visit, close

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        return self._respond

    async def _respond(self, scope: Scope, _: Receive, send: Send) -> None:
        try:
            await send({"type": "http.response.start", "status": 200, "headers": self._encoded()})
            if scope.get("method") != "HEAD" and not await self._sent(send):
                return
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        finally:
            self._close()

    def _encoded(self) -> list[tuple[bytes, bytes]]:
        said = {**self.headers, "content-type": str(self.media_type), "transfer-encoding": "chunked"}
        return [(name.encode(), value.encode()) for name, value in said.items()]

    async def _sent(self, send: Send) -> bool:
        """Whether all was sent, in time, to somebody who was there to the end."""
        gone = asyncio.ensure_future(self._visit.gone())
        gone.add_done_callback(lambda _: self._spool.abandon())
        try:
            with suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_SECONDS):
                    async for piece in self._spool.pieces():
                        await send({"type": "http.response.body", "body": piece, "more_body": True})
                    return not self._spool.broken and not self._spool.abandoned
            return False
        finally:
            gone.cancel()
