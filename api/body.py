"""Request bodies: decoded once, strictly, straight into the type that the handler names."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar
from weakref import WeakKeyDictionary

import msgspec
from litestar.dto import AbstractDTO
from litestar.openapi.spec import Reference, Schema
from litestar.typing import FieldDefinition

T = TypeVar("T")


class StrictBody(AbstractDTO[T]):
    """Litestar converts bodies leniently (``"null"`` becomes null, ``"1"`` becomes true); this does not.

    A malformed document raises ``msgspec.DecodeError``, one of the wrong shape ``msgspec.ValidationError``.
    """

    _decoders: ClassVar[dict[str, msgspec.json.Decoder[Any]]] = {}
    _by_handler: ClassVar[WeakKeyDictionary[Any, msgspec.json.Decoder[Any]]] = WeakKeyDictionary()

    @classmethod
    def create_for_field_definition(
        cls, field_definition: FieldDefinition, handler_id: str, backend_cls: Any = None
    ) -> None:
        cls._decoders[handler_id] = msgspec.json.Decoder(field_definition.annotation)

    def decode_bytes(self, value: bytes) -> Any:
        handler = self.asgi_connection.route_handler
        decoder = self._by_handler.get(handler)
        if decoder is None:  # a handler's id is computed anew each time it is asked for
            decoder = self._by_handler[handler] = self._decoders[handler.handler_id]
        return decoder.decode(value)

    @classmethod
    def create_openapi_schema(
        cls, field_definition: FieldDefinition, handler_id: str, schema_creator: Any
    ) -> Reference | Schema:
        schema: Reference | Schema = schema_creator.for_field_definition(field_definition)
        return schema

    @classmethod
    def generate_field_definitions(cls, model_type: Any) -> Any:
        yield from ()

    @classmethod
    def detect_nested_field(cls, field_definition: FieldDefinition) -> bool:
        return False
