"""HTTP as the server reads it off a connection: what comes before a body is bounded too."""

from __future__ import annotations

from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

MAX_UNFINISHED: Final = 128 * 1024
"""Bytes of a request line and headers that are kept, beyond the first that arrive at once, while their end is waited for."""

_TOO_LARGE: Final = (
    b"HTTP/1.1 431 Request Header Fields Too Large\r\nconnection: close\r\ncontent-length: 0\r\n"
    b"cache-control: no-store\r\nx-content-type-options: nosniff\r\n\r\n"
)


class BoundedProtocol(HttpToolsProtocol):
    """A connection whose client is refused (431) when the headers do not end.

    Headers that end and are too large are refused as any other error is, once it is known whose request they are.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._waiting: int | None = None
        """Of headers that have begun: the bytes that came since."""

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._waiting = 0

    def on_headers_complete(self) -> None:
        self._waiting = None
        super().on_headers_complete()

    def data_received(self, data: bytes) -> None:
        if self._waiting is not None:
            self._waiting += len(data)
            if self._waiting > MAX_UNFINISHED:
                self.transport.write(_TOO_LARGE)
                self.transport.close()
                return
        super().data_received(data)
