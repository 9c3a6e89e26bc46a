"""Responses as they go out: JSON that is encoded once, ETags, and the log's position for read-your-writes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from litestar import Response
from litestar.types import Receive, Scope, Send

from eventstore.idempotency import StoredResponse
from schemas.wire.writing import encode

T = TypeVar("T")


class Json(Response[T], Generic[T]):
    """A response whose content is JSON already; ``T`` is what the documentation says of it."""

    def __init__(self, content: bytes, *, status_code: int = 200, headers: dict[str, str] | None = None) -> None:
        as_documented: Any = content
        super().__init__(as_documented, status_code=status_code, media_type="application/json", headers=headers or {})

    def to_asgi_response(self, *_: Any, **__: Any) -> Any:
        """What was answered, as it is: nothing is left to be rendered, merged or guessed."""
        body: Any = self.content
        headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in self.headers.items()]
        status = self.status_code or 200
        if status not in (204, 304):
            headers += [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]

        async def respond(_scope: Scope, _receive: Receive, send: Send) -> None:
            await send({"type": "http.response.start", "status": status, "headers": headers})
            await send({"type": "http.response.body", "body": body, "more_body": False})

        return respond


@dataclass(frozen=True)
class Answer:
    """What a command's caller is told: a view (or nothing), the version for the ``ETag``, and where the thing is now."""

    view: Any = None
    version: int | None = None
    status: int = 200
    location: str | None = None
    bare: bool = False
    """Without the ``data`` envelope, where the documents show none."""
    headers: dict[str, str] = field(default_factory=dict)


def rendered(answer: Answer, seq: int | None) -> StoredResponse:
    """The response that a command is answered with, and again when it is repeated; ``seq`` is the log's end after it."""
    headers = dict(answer.headers)
    if answer.version is not None:
        headers["etag"] = f'"{answer.version}"'
    if answer.location is not None:
        headers["location"] = answer.location
    if seq is not None:
        headers["daybook-seq"] = str(seq)
    if answer.status == 204:
        return StoredResponse(204, b"", headers)
    body = encode(answer.view) if answer.bare else b'{"data":' + encode(answer.view) + b"}"
    return StoredResponse(answer.status, body, headers)


def plain(content: Any, status: int = 200, headers: Mapping[str, str] | None = None) -> Json[Any]:
    """The content as it is: lists and single things have their envelope already, where the documents show one."""
    return Json(encode(content), status_code=status, headers=dict(headers or {}))
