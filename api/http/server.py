"""The HTTP server around the application: it does not wait for clients that send or read too slowly, nor long at its end."""

from __future__ import annotations

import asyncio
import socket
from typing import Any, Final

import uvicorn

from api.http.middleware import RequestContext
from api.http.protocol import BoundedProtocol

READ_SECONDS: Final = 10.0
"""For the first request to begin, for a request's head to arrive, and between two looks at how fast its body does."""
SLOWEST: Final = 1_000
"""Bytes of a body a second."""
WRITE_SECONDS: Final = 30.0
"""For a client to make room for more of its answer."""
END_SECONDS: Final = 2.3
"""When the process ends, connections are cut off so many seconds later: all has been answered."""

_LATE: Final = b"HTTP/1.1 408 Request Timeout\r\ncontent-length: 0\r\nconnection: close\r\n\r\n"


def server(app: RequestContext, **listening: Any) -> uvicorn.Server:
    """Where it listens and whom it trusts is said as uvicorn has it, when not by the sockets that it is run on."""
    config = uvicorn.Config(
        app,
        loop="uvloop",
        http=_Connection,
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=3,
        **listening,
    )
    return _Server(config, app)


class _Server(uvicorn.Server):
    def __init__(self, config: uvicorn.Config, app: RequestContext) -> None:
        super().__init__(config)
        self._app = app

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        await asyncio.gather(self._app.end(), super().shutdown(sockets))


class _Connection(BoundedProtocol):
    """A request that arrives whole, as nearly all do, costs nothing here."""

    _reading: asyncio.TimerHandle | None = None
    _writing: asyncio.TimerHandle | None = None
    _begun = False
    _partial = False
    _in_body = False
    _received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        super().connection_made(transport)
        self._expect()

    def data_received(self, data: bytes) -> None:
        self._received += len(data)
        super().data_received(data)
        if not self._partial and not self._between():
            self._expect_nothing()
        elif self._reading is None:
            self._expect()

    def connection_lost(self, exc: Exception | None) -> None:
        self._expect_nothing()
        self.resume_writing()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._begun = self._partial = True
        self._in_body = False
        super().on_message_begin()

    def on_headers_complete(self) -> None:
        self._in_body = True
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        self._partial = False
        super().on_message_complete()

    def pause_writing(self) -> None:
        super().pause_writing()
        self._writing = self.loop.call_later(WRITE_SECONDS, self.transport.abort)

    def resume_writing(self) -> None:
        super().resume_writing()
        if self._writing is not None:
            self._writing.cancel()
            self._writing = None

    def shutdown(self) -> None:
        super().shutdown()
        self.loop.call_later(END_SECONDS, self.transport.abort)

    def _between(self) -> bool:
        """Whether there is no request, and nothing else that waits for the next: what came was no beginning of one."""
        return (not self._begun or self.cycle.response_complete) and self.timeout_keep_alive_task is None

    def _expect(self) -> None:
        self._received = 0
        self._reading = self.loop.call_later(READ_SECONDS, self._look)

    def _expect_nothing(self) -> None:
        if self._reading is not None:
            self._reading.cancel()
            self._reading = None

    def _look(self) -> None:
        """Goes on with a body that comes fast enough, or that we have not asked for yet; all else took too long."""
        ours = self._in_body and (self.flow.read_paused or self.cycle.waiting_for_100_continue)
        if ours or (self._in_body and self._received >= SLOWEST * READ_SECONDS):
            self._expect()
            return
        self._reading = None
        if not self._in_body or not self.cycle.response_started:
            self.transport.write(_LATE)
        self.transport.close()
