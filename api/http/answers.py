"""From a use case to a response: idempotency, ETags, and the log's position for read-your-writes."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Generic, TypeVar

import msgspec
from litestar import Request, Response
from litestar.types import Receive, Scope, Send

from application.calling.caller import Caller
from application.calling.services import Services
from domain.kernel import Refused
from eventstore.append import Origin
from eventstore.idempotency import IdempotencyKey, StoredResponse
from eventstore.unit_of_work import Work
from schemas.wire.page import One, Page

T = TypeVar("T")
Asked = Request[Caller, Any, Any]

_ETAG = re.compile(r'(?:W/)?"(\d{1,9})"\Z')
_encode = msgspec.json.Encoder().encode


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


def command(
    request: Asked,
    body: bytes,
    services: Services,
    work: Callable[[Work], Answer],
    *,
    origin: Origin | None = None,
    bulk: bool = False,
) -> Json[Any]:
    """Runs a unit of work and answers; a replay under the same ``Idempotency-Key`` gets the same response again.

    ``body`` may be a digest, where the body itself is too large. ``origin`` is the caller's when it is not another.
    """
    origin = origin or request.user.origin()
    stored = services.store.answer(origin, _key(request, body), work, _rendered, bulk=bulk)
    headers = dict(stored.headers)
    if stored.replayed:
        headers["idempotency-replayed"] = "true"
    return Json(stored.body, status_code=stored.status, headers=headers)


def _key(request: Asked, body: bytes) -> IdempotencyKey | None:
    given = request.headers.get("idempotency-key")
    if given is None:
        return None
    caller = request.user
    who = str(caller.api_key_id or caller.account_id)
    asked = "\n".join((who, request.method, request.url.path, str(request.url.query))).encode()
    return IdempotencyKey(given, sha256(asked + b"\n" + body).digest())


def _rendered(answer: Answer, seq: int | None) -> StoredResponse:
    headers = dict(answer.headers)
    if answer.version is not None:
        headers["etag"] = f'"{answer.version}"'
    if answer.location is not None:
        headers["location"] = answer.location
    if seq is not None:
        headers["daybook-seq"] = str(seq)
    if answer.status == 204:
        return StoredResponse(204, b"", headers)
    body = _encode(answer.view) if answer.bare else b'{"data":' + _encode(answer.view) + b"}"
    return StoredResponse(answer.status, body, headers)


def if_match(request: Asked) -> int | None:
    """The version that ``If-Match`` names; ``None`` when it is absent or ``*``."""
    given = request.headers.get("if-match")
    if given is None or given.strip() == "*":
        return None
    found = _ETAG.match(given.strip())
    if found is None:
        raise Refused("invalid_request", 'If-Match: must be an ETag as it was answered, such as "3".')
    return int(found[1])


def one(request: Asked, view: T, version: int, *, alone: bool = False) -> Json[One[T]]:
    """One thing; if it stands ``alone``, 304 without a body when the caller has this version already.

    A view that also shows what other things say (names of tags, counts) may change while the version stays, so it is
    always answered in full.
    """
    headers = {"etag": f'"{version}"'}
    if alone and _has(request.headers.get("if-none-match", ""), version):
        return Json(b"", status_code=304, headers=headers)
    return Json(b'{"data":' + _encode(view) + b"}", headers=headers)


def _has(if_none_match: str, version: int) -> bool:
    known = (entry.strip().removeprefix("W/") for entry in if_none_match.split(","))
    return any(entry in ("*", f'"{version}"') for entry in known)


def page(content: Page[T]) -> Json[Page[T]]:
    return Json(_encode(content))


def plain(content: Any, status: int = 200, headers: dict[str, str] | None = None) -> Json[Any]:
    """Without the ``data`` envelope, where the documents show none."""
    return Json(_encode(content), status_code=status, headers=headers or {})
