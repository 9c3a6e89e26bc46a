"""The OpenAPI 3.1 document of the whole API."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from litestar import Litestar
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute

from api.docs.guide import TAGS, markdown
from api.docs.operation import answers_of, body_of, is_documented, operation, path_name
from api.docs.parts import HEADERS, PARAMETERS, error_responses, ref
from domain.catalogue import EVENTS
from domain.kernel import JSON
from schemas.verification import CHECKPOINT_SIGNED, Checkpoint
from schemas.webhook import WebhookEnvelope
from schemas.wire.error import ErrorAnswer
from schemas.wire.generate import event_schemas, schemas

_REF: Final = "#/components/schemas/{name}"
_METHODS: Final = ("get", "post", "put", "patch", "delete")


def document(app: Litestar) -> JSON:
    """Everything that the application's routes say of themselves."""
    operations = list(_operations(app))
    refer = _Components(operations)
    paths: dict[str, JSON] = {}
    for path, method, handler in operations:
        paths.setdefault(path, {})[method] = operation(handler, method, refer)
    data, of_events = event_schemas(_REF)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Daybook",
            "version": "1.0",
            "summary": "An event-sourced CRM.",
            "description": markdown(),
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/", "description": "Where this document came from."}],
        "tags": [{"name": name, "description": text} for name, text in TAGS.items() if _used(name, paths)],
        "security": [{"bearer": []}],
        "paths": paths,
        "webhooks": {
            name: _webhook(name, schema) for name, schema in (data | {CHECKPOINT_SIGNED: refer(Checkpoint)}).items()
        },
        "components": {
            "schemas": of_events | refer.components,
            "headers": HEADERS,
            "parameters": PARAMETERS,
            "responses": error_responses(),
            "securitySchemes": {
                "bearer": {"type": "http", "scheme": "bearer", "description": "An API key or a session token."}
            },
        },
    }


def _operations(app: Litestar) -> Iterator[tuple[str, str, HTTPRouteHandler]]:
    """Path, method and handler, in order of path and method."""
    routes = sorted((route for route in app.routes if isinstance(route, HTTPRoute)), key=lambda route: route.path)
    for route in routes:
        by_method = {method.lower(): handler for handler in route.route_handlers for method in handler.http_methods}
        for method in _METHODS:
            handler = by_method.get(method)
            if handler is not None and is_documented(handler):
                yield "/".join(path_name(part) for part in route.path_format.split("/")), method, handler


class _Components:
    """The schemas of all bodies and answers, made together so that each is described once."""

    def __init__(self, operations: list[tuple[str, str, HTTPRouteHandler]]) -> None:
        taken: dict[Any, None] = {}
        answered: dict[Any, None] = {ErrorAnswer: None, WebhookEnvelope: None, Checkpoint: None}
        for _, _, handler in operations:
            if (body := body_of(handler)) is not None:
                taken[body] = None
            answered |= {kind: None for kind in answers_of(handler).values() if kind is not None}
            if (line := handler.opt.get("lines")) is not None:
                answered[line] = None
        into, requests = schemas(list(taken), _REF, taken=True)
        out, responses = schemas(list(answered), _REF, answered=True)
        self._schemas: dict[Any, JSON] = dict(zip(taken, into, strict=True)) | dict(zip(answered, out, strict=True))
        self.components = responses | requests

    def __call__(self, kind: Any) -> JSON:
        return self._schemas[kind]


def _used(tag: str, paths: dict[str, JSON]) -> bool:
    return any(tag in made["tags"] for item in paths.values() for made in item.values())


def _webhook(name: str, data: JSON) -> JSON:
    event = "CheckpointSigned" if name == CHECKPOINT_SIGNED else EVENTS[name].__name__
    properties = {"type": {"const": name}, "data": data}
    schema = {"allOf": [ref("schemas", "WebhookEnvelope"), {"type": "object", "properties": properties}]}
    return {
        "post": {
            "operationId": f"on{event}",
            "summary": name,
            "tags": ["Webhooks"],
            "description": f"Sent to the endpoints that asked for `{name}`, signed as Standard Webhooks has it.",
            "requestBody": {"required": True, "content": {"application/json": {"schema": schema}}},
            "responses": {"2XX": {"description": "Taken. Any other answer is a failure, and it is sent again."}},
        }
    }
