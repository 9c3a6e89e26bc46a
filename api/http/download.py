"""Downloads: files that are kept in pieces, sent piece by piece from anywhere on, so that one that broke off can go on."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from typing import Any, Final

from litestar import Response
from litestar.types import Receive, Scope, Send

from api.http.turns import in_turn

_FROM: Final = re.compile(r"bytes=(\d{1,18})-")

Sizes = Sequence[tuple[int, int]]
"""Number and size of each piece, in their order."""


class Download(Response[Any]):
    """A file as an answer: ``content_of`` a piece is read in a thread when its turn has come, ``None`` where it has gone.

    With ``Range: bytes=N-`` it begins there (206). Where a piece has gone meanwhile, the connection is cut.
    """

    def __init__(
        self, name: str, media_type: str, sizes: Sizes, content_of: Callable[[int], bytes | None], wanted: str | None
    ) -> None:
        super().__init__(None, media_type=media_type)
        self._sizes, self._content_of = sizes, content_of
        total = sum(size for _, size in sizes)
        asked = _FROM.fullmatch(wanted or "")
        self._start = int(asked[1]) if asked and int(asked[1]) < total else 0
        self._status = 206 if asked and int(asked[1]) < total else 200
        self._said = {
            "content-type": media_type,
            "content-length": str(total - self._start),
            "content-disposition": f'attachment; filename="{name}"',
            "accept-ranges": "bytes",
        }
        if self._status == 206:
            self._said["content-range"] = f"bytes {self._start}-{total - 1}/{total}"

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        """What is kept, as it is."""
        return self._respond

    async def _respond(self, scope: Scope, _: Receive, send: Send) -> None:
        headers = [(name.encode(), value.encode()) for name, value in self._said.items()]
        await send({"type": "http.response.start", "status": self._status, "headers": headers})
        if scope.get("method") != "HEAD":
            async for piece in self._pieces():
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _pieces(self) -> AsyncIterator[bytes]:
        start = 0
        for number, size in self._sizes:
            start += size
            if start > self._start:
                content = await in_turn(self._content_of, number)
                if content is None:
                    raise GoneError
                yield content[max(0, self._start - (start - size)) :]


class GoneError(Exception):
    """What is being sent is kept no longer."""
