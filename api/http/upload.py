"""Bodies that are too large to be held in memory: received into a file that goes with the request."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from hashlib import sha256
from tempfile import SpooledTemporaryFile
from typing import IO, Any, Final, Literal, TypeVar

from litestar import Request
from multipart import (  # type: ignore[import-untyped]  # its types are inline, and not declared to be there
    MultipartError,
    MultipartSegment,
    PushMultipartParser,
)

from api.http.body import is_json
from api.http.limits import TooMany
from api.http.turns import VISIT, Turns
from domain.kernel import Refused, invalid

T = TypeVar("T")

MAX_FILE: Final = 50 * 1024 * 1024
MAX_JSON: Final = 16 * 1024 * 1024
MAX_FIELDS: Final = 1024 * 1024
MAX_BODY: Final = MAX_FILE + MAX_FIELDS + 65_536
"""Bytes: of a file, of a JSON document, of all other fields of a form together, and of a whole form."""

MAX_PARTS: Final = 100
AT_ONCE: Final = 2
WAITING: Final = 16
RETRY_SECONDS: Final = 10
WAIT_SECONDS: Final = 60.0
"""For those before it to be read, each of which takes seconds."""
_IN_MEMORY: Final = 256 * 1024
_CSV: Final = frozenset({"text/csv", "application/csv", "text/tab-separated-values"})


class Uploads(Turns):
    """Where uploads are read: they keep Python busy for seconds, and each may have a file of ``MAX_BODY`` while it waits.

    Shared out like the threads of requests, so that a workspace that is stuck leaves others one.
    """

    def __init__(self, at_once: int = AT_ONCE, waiting: int = WAITING) -> None:
        super().__init__(at_once, places=waiting, seconds=WAIT_SECONDS)

    def busy(self) -> Refused:
        return super().busy() if self.ended else TooMany(RETRY_SECONDS, {})


async def read_in_turn(uploads: Uploads, read: Callable[..., T], *given: Any) -> T:
    """What is read, when it is the turn of the request in hand; refuses (429) when there is no place to wait."""
    return await uploads.run(VISIT.get(), partial(read, *given))


Kind = Literal["json", "csv", "form"]


@dataclass
class Upload:
    """A body that has arrived whole. ``file`` is the JSON or CSV document, or the file that a form has; ``fields`` the
    form's other fields; ``digest`` of all of these, however they were sent.
    """

    kind: Kind
    file: IO[bytes]
    charset: str | None = None
    fields: dict[str, list[str]] = field(default_factory=dict)
    has_file: bool = False
    digest: bytes = b""


@asynccontextmanager
async def received(request: Request[Any, Any, Any]) -> AsyncIterator[Upload]:
    """The request's body as JSON, CSV or a form with a file. Refuses other types (415) and what is too large (413)."""
    media_type, parameters = request.content_type
    with SpooledTemporaryFile(max_size=_IN_MEMORY) as file:
        upload = Upload(_kind(request, media_type), file, parameters.get("charset"))
        if upload.kind == "form":
            await _receive_form(request, upload, parameters.get("boundary", ""))
        else:
            await _receive_document(request, upload, MAX_JSON if upload.kind == "json" else MAX_FILE)
        file.seek(0)
        yield upload


def _kind(request: Request[Any, Any, Any], media_type: str) -> Kind:
    as_it_is = "content-encoding" not in request.headers
    if as_it_is and is_json(request.headers.get("content-type", "")):
        return "json"
    if as_it_is and media_type == "multipart/form-data":
        return "form"
    if as_it_is and media_type in _CSV:
        return "csv"
    raise Refused("unsupported_media_type", "Send application/json, text/csv or multipart/form-data with a file.")


async def _receive_document(request: Request[Any, Any, Any], upload: Upload, limit: int) -> None:
    digest, size = sha256(upload.kind.encode()), 0
    async for block in request.stream():
        size += len(block)
        if size > limit:
            raise _too_large("body", limit)
        digest.update(block)
        upload.file.write(block)
    upload.has_file, upload.digest = True, digest.digest()


async def _receive_form(request: Request[Any, Any, Any], upload: Upload, boundary: str) -> None:
    if not boundary:
        raise Refused("invalid_request", "Content-Type: must name the boundary of multipart/form-data.")
    form = _Form(upload)
    try:
        with PushMultipartParser(boundary.encode(), max_segment_count=MAX_PARTS) as parser:
            async for block in request.stream():
                if block:
                    for event in parser.parse(block):
                        form.take(event)
    except MultipartError as error:
        raise Refused("invalid_request", f"The body is not valid multipart/form-data: {error}") from None
    form.finish()


class _Form:
    """Takes what the parser finds: the beginning of a part, pieces of its content, and its end."""

    def __init__(self, upload: Upload) -> None:
        self._upload = upload
        self._name = ""
        self._in_file = False
        self._text = bytearray()
        self._sizes = {"file": 0, "fields": 0}
        self._digest = sha256(b"form")

    def take(self, event: Any) -> None:
        if isinstance(event, MultipartSegment):
            self._begin(event)
        elif event is not None:
            self._add(event)
        elif not self._in_file:
            self._end_field()

    def finish(self) -> None:
        for name, values in sorted(self._upload.fields.items()):
            for value in values:
                self._digest.update(b"\n%s=%s" % (name.encode(), value.encode()))
        self._upload.digest = self._digest.digest()

    def _begin(self, part: Any) -> None:
        self._name = part.name
        self._text.clear()
        self._in_file = part.name == "file" or part.filename is not None
        if self._in_file and self._upload.has_file:
            raise invalid("file", "must be given once")
        if self._in_file:
            self._upload.has_file = True

    def _add(self, content: bytes) -> None:
        kind, limit = ("file", MAX_FILE) if self._in_file else ("fields", MAX_FIELDS)
        self._sizes[kind] += len(content)
        if self._sizes[kind] > limit:
            raise _too_large(kind, limit)
        if self._in_file:
            self._digest.update(content)
            self._upload.file.write(content)
        else:
            self._text += content

    def _end_field(self) -> None:
        try:
            self._upload.fields.setdefault(self._name, []).append(self._text.decode())
        except UnicodeDecodeError:
            raise invalid(self._name[:64] or "body", "must be text in UTF-8") from None


def _too_large(what: str, limit: int) -> Refused:
    return Refused("payload_too_large", f"{what}: must have at most {limit} bytes")
