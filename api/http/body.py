"""Request bodies: decoded once, strictly, straight into the type that the handler names."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator
from typing import Any, ClassVar, Final, TypeVar
from weakref import WeakKeyDictionary

from litestar import Request
from litestar.dto import AbstractDTO
from litestar.exceptions import InternalServerException
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

from domain.kernel import Refused
from schemas.wire.reading import Reader

T = TypeVar("T")

_JSON: Final = re.compile(r"application/(?:merge-patch\+)?json[ \t]*+(?:;|\Z)", re.IGNORECASE)
_CHARSET: Final = re.compile(r';[ \t]*+charset="?([^"; \t]*+)', re.IGNORECASE)
_ITS_OWN: Final = frozenset({"", "utf-8", "utf8", "us-ascii"})
_RAW: Final = "body"
UNSUPPORTED: Final = "Send the body as it is, with Content-Type: application/json, in UTF-8."


class Sent(Request[Any, Any, Any]):
    """A request as clients send it: one may go away before its body has arrived, and that is no failure of ours."""

    async def stream(self) -> AsyncGenerator[bytes, None]:
        """The body in blocks, however it is read; refuses (``invalid_request``) one that breaks off."""
        try:
            async for block in super().stream():
                yield block
        except InternalServerException:
            if not self.is_connected:  # all of it was read: reading it again is a mistake of ours
                raise
            raise Refused("invalid_request", "The body broke off.") from None


def raw_body(request: Request[Any, Any, Any]) -> bytes:
    """The bytes that ``StrictBody`` has decoded; none where the handler takes no ``data``."""
    found: bytes = request.scope["state"].get(_RAW, b"")
    return found


def is_json(content_type: str) -> bool:
    """Whether a body of this type is read as JSON: as itself or as a merge patch, and in UTF-8, which is all that JSON
    has (RFC 8259): a body in another encoding would be misread.
    """
    charset = _CHARSET.search(content_type)
    return bool(_JSON.match(content_type)) and (charset[1].lower() if charset else "") in _ITS_OWN


class StrictBody(AbstractDTO[T]):
    """Litestar converts bodies leniently (``"null"`` becomes null, ``"1"`` becomes true); this does not.

    A malformed document raises ``msgspec.DecodeError``, one of the wrong shape ``msgspec.ValidationError``.
    """

    _readers: ClassVar[dict[str, Reader[Any]]] = {}
    _by_handler: ClassVar[WeakKeyDictionary[Any, Reader[Any]]] = WeakKeyDictionary()

    @classmethod
    def create_for_field_definition(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,
        backend_cls: Any = None,  # noqa: ARG003 - Litestar's signature
    ) -> None:
        cls._readers[handler_id] = Reader(field_definition.annotation)

    def decode_bytes(self, value: bytes) -> Any:
        headers = self.asgi_connection.headers
        if not is_json(headers.get("content-type", "application/json")) or "content-encoding" in headers:
            raise Refused("unsupported_media_type", UNSUPPORTED)
        handler = self.asgi_connection.route_handler
        reader = self._by_handler.get(handler)
        if reader is None:  # a handler's id is computed anew each time it is asked for
            reader = self._by_handler[handler] = self._readers[handler.handler_id]
        self.asgi_connection.scope["state"][_RAW] = value
        if (name := handler.opt.get("listed")) and value.lstrip().startswith(b"["):
            value = b'{"%s":%s}' % (name.encode(), value)
        return reader.read(value)

    @classmethod
    def create_openapi_schema(
        cls,
        field_definition: FieldDefinition,
        handler_id: str,  # noqa: ARG003 - Litestar's signature
        schema_creator: Any,
    ) -> Reference | Schema:
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema

    @classmethod
    def generate_field_definitions(cls, model_type: Any) -> Any:  # noqa: ARG003 - Litestar's signature
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:  # noqa: ARG003 - Litestar's signature
        return False
