"""One operation in the OpenAPI document, read off its route handler."""

from __future__ import annotations

import functools
import operator
import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, Union, get_args, get_origin

import msgspec
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg, PathParameter
from litestar.types import Empty
from litestar.typing import FieldDefinition

from api.docs.parts import error_at, headers, ref
from api.http.ask import Act, Ask, Change
from api.http.query import parameters
from api.http.recall import Recall
from domain.kernel import JSON
from schemas.job import JobView
from schemas.wire.error import STATUS
from schemas.wire.generate import schemas
from schemas.wire.page import One, Page, PageMeta

_CONSTRAINTS: Final = {
    "ge": "minimum",
    "le": "maximum",
    "min_length": "minLength",
    "max_length": "maxLength",
    "min_items": "minItems",
    "max_items": "maxItems",
    "pattern": "pattern",
}
_DONE: Final = {200: "Done.", 201: "Created.", 202: "Accepted.", 204: "Done; there is nothing to say."}
NDJSON: Final = "application/x-ndjson"
_FORM: Final = "multipart/form-data"
_BY_JOB: Final = "More than 1,000 things refer to it: a job has them let go of it, then takes it away."
_NEXT_WORD: Final = re.compile(r"_(\w)")
_ID: Final = "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001"

Refer = Callable[[Any], JSON]
"""A type → its schema in the document."""


def is_documented(handler: HTTPRouteHandler) -> bool:
    return handler.operation_id is not None and handler.include_in_schema is not False


def body_of(handler: HTTPRouteHandler) -> Any:
    """The type of the request's JSON, ``None`` where there is none."""
    field = handler.parsed_fn_signature.parameters.get("data")
    return handler.opt.get("json") if field is None else field.annotation


def _needs_body(handler: HTTPRouteHandler) -> bool:
    """Whether it cannot be called without a body."""
    field = handler.parsed_fn_signature.parameters.get("data")
    return field is None or not field.has_default


def answers_of(handler: HTTPRouteHandler) -> dict[int, Any]:
    """Success statuses and what is answered with them; ``None`` for nothing."""
    (inner,) = handler.parsed_fn_signature.return_type.inner_types or (None,)
    returned = None if inner is None or inner.annotation in (None, type(None)) else inner.annotation
    kind = handler.opt.get("answers", returned)
    statuses = (handler.status_code, *handler.opt.get("also", ()), *([204] if handler.opt.get("large") else []))
    found = {status: None if status == 204 else kind for status in statuses}
    return found | ({202: One[JobView]} if handler.opt.get("later") else {})


def operation(handler: HTTPRouteHandler, method: str, refer: Refer) -> JSON:
    """The operation object."""
    public = bool(handler.opt.get("public"))
    made: JSON = {
        "operationId": str(handler.operation_id),
        "summary": str(handler.summary),
        "tags": list(getattr(handler.owner, "tags", None) or ()),
        "parameters": [*_parameters(handler), *_free(handler), *_shared(handler)],
        "responses": _responses(handler, method, refer),
        "security": [] if public else [{"bearer": [scope] if (scope := handler.opt.get("scope")) else []}],
    }
    if handler.description:
        made["description"] = str(handler.description)
    if content := _bodies(handler, refer):
        made["requestBody"] = {"required": _needs_body(handler), "content": content}
    return made


def _bodies(handler: HTTPRouteHandler, refer: Refer) -> JSON:
    """Media type → what is taken as it: JSON of the type that the handler names, and whatever else its ``opt`` names."""
    found: JSON = dict(handler.opt.get("bodies", {}))
    if _FORM in found:
        found[_FORM] = {**found[_FORM], "schema": _with_options(handler, found[_FORM]["schema"])}
    body = body_of(handler)
    if body is not None:
        found = {"application/json": {"schema": refer(body)}, **found}
        if "example" in handler.opt:
            found["application/json"]["example"] = handler.opt["example"]
    return found


def _with_options(handler: HTTPRouteHandler, form: JSON) -> JSON:
    """The schema of a form, whose fields may be whatever else stands in the query."""
    options = {
        option["name"]: {"description": option["description"], **option["schema"]}
        for option in _parameters(handler)
        if option["in"] == "query"
    }
    return {**form, "properties": {**form["properties"], **options}, "additionalProperties": False}


def _takes(handler: HTTPRouteHandler, what: type[Ask]) -> bool:
    """Whether it is given that to do its work with: an ``Act`` can be repeated, a ``Change`` is of a version, a ``Recall`` as
    of a moment.
    """
    kinds = (field.annotation for field in handler.parsed_fn_signature.parameters.values())
    return any(isinstance(kind, type) and issubclass(kind, what) for kind in kinds)


def _shared(handler: HTTPRouteHandler) -> list[JSON]:
    """Headers that are read around the handler."""
    names = [] if handler.opt.get("public") else ["WorkspaceId"]
    if _takes(handler, Act):
        names.append("IdempotencyKey")
    if _takes(handler, Change):
        names.append("IfMatch")
    if handler.opt.get("conditional"):
        names.append("IfNoneMatch")
    return [ref("parameters", name) for name in (*names, "RequestId")]


def _parameters(handler: HTTPRouteHandler) -> list[JSON]:
    """Path and query parameters: of the handler, and of what is worked out from them for it."""
    found = [_parameter(name, field) for name, field in _fields(handler)]
    return sorted(found, key=lambda parameter: parameter["in"] != "path")


def _free(handler: HTTPRouteHandler) -> Iterator[JSON]:
    """Query parameters of any name."""
    if said := handler.opt.get("free_query"):
        yield {
            "name": "fields",
            "in": "query",
            "description": said,
            "style": "form",
            "explode": True,
            "schema": {"type": "object", "additionalProperties": {"type": "string"}},
        }


def _fields(handler: HTTPRouteHandler) -> Iterator[tuple[str, FieldDefinition]]:
    return ((name, field) for name, field in parameters(handler) if isinstance(field.kwarg_definition, ParameterKwarg))


def _parameter(name: str, field: FieldDefinition) -> JSON:
    wire = field.kwarg_definition
    assert isinstance(wire, ParameterKwarg)
    in_path = isinstance(wire, PathParameter)
    (schema,), _ = schemas([_without_none(field.annotation)], "#/components/schemas/{name}")
    schema |= {
        word: int(value) if isinstance(value, float) else value
        for given, word in _CONSTRAINTS.items()
        if (value := getattr(wire, given)) is not None
    }
    if field.default not in (Empty, None):
        schema["default"] = field.default
    made: JSON = {"name": wire.name or (path_name(name) if in_path else name), "in": "path" if in_path else "query"}
    description = wire.description or (_of_path(name) if in_path else None)
    if description:
        made["description"] = description
    if in_path or field.default is Empty:
        made["required"] = True
    return {**made, "schema": schema}


def path_name(name: str) -> str:
    """``contact_id`` → ``contactId``."""
    return _NEXT_WORD.sub(lambda found: found[1].upper(), name)


def _of_path(name: str) -> str | None:
    noun, _, last = name.rpartition("_")
    return f"The {noun.replace('_', ' ')}'s id." if last == "id" else None


def _without_none(annotation: Any) -> Any:
    """A query string has no null: a parameter that may be ``None`` is one that may be left out."""
    kinds = [kind for kind in get_args(annotation) if kind is not type(None)]
    is_union = get_origin(annotation) in (Union, type(int | str))
    return functools.reduce(operator.or_, kinds) if is_union else annotation


def _responses(handler: HTTPRouteHandler, method: str, refer: Refer) -> JSON:
    found = {
        str(status): _success(handler, method, status, kind, refer) for status, kind in answers_of(handler).items()
    }
    if handler.opt.get("conditional"):
        found["304"] = {"description": "Still the version that `If-None-Match` names.", "headers": headers("ETag")}
    return found | {str(status): error_at(status) for status in sorted(_failing(handler))}


def _failing(handler: HTTPRouteHandler) -> set[int]:
    """The statuses of errors: those of every operation, those that follow from what it takes, and what it adds itself."""
    found = {400, 429, 431, 500, 503, *(STATUS[code] for code in handler.opt.get("errors", ()))}
    if not handler.opt.get("public"):
        found |= {401, 403}
    if any(isinstance(field.kwarg_definition, PathParameter) for _, field in _fields(handler)):
        found.add(404)
    if any(name in ("as_of", "sort") for name, _ in _fields(handler)):
        found.add(422)
    if body_of(handler) is not None:
        found |= {413, 415, 422}
    if _takes(handler, Act):
        found |= {409, 422}
    if _takes(handler, Change):
        found.add(412)
    return found


def _success(handler: HTTPRouteHandler, method: str, status: int, kind: Any, refer: Refer) -> JSON:
    also: Mapping[int, str] = handler.opt.get("also", {})
    names = [] if handler.opt.get("public") else ["RateLimit", "RateLimit-Policy"]
    if _has_version(kind) and method != "delete":
        names.append("ETag")
        if method == "post" and 201 in answers_of(handler):
            names.append("Location")
    if later := handler.opt.get("later") or (_BY_JOB if handler.opt.get("large") else None):
        also = {**also, 202: later}
        names += ["Location"] if status == 202 else []
    if _takes(handler, Recall):
        names += ["Daybook-As-Of", "Daybook-View-Seq"]
    if _takes(handler, Act):
        names += ["Daybook-Seq", "Idempotency-Replayed"]
    made: JSON = {
        "description": also.get(status, _DONE[status]),
        "headers": headers(*names, *handler.opt.get("headers", ())),
    }
    if kind is not None:
        made["content"] = {"application/json": _content(kind, refer)}
    if files := _files(handler, refer):
        made["content"] = {**made.get("content", {}), **files}
    return made


def _files(handler: HTTPRouteHandler, refer: Refer) -> JSON:
    """Media type → what is answered as it, beside JSON or in its place."""
    found: JSON = {}
    if (media_type := handler.opt.get("file")) is not None:
        found[media_type] = {"schema": {"type": "string", "format": "binary"}, "example": "…"}
    if (table := handler.opt.get("csv")) is not None:
        found["text/csv"] = {"schema": {"type": "string"}, "example": table}
    if (line := handler.opt.get("lines")) is not None:
        found[NDJSON] = {"schema": _lines(refer(line)), "example": _line(example_of(line))}
    return found


def _lines(schema: JSON) -> JSON:
    """Text, of which each line is JSON of that schema."""
    return {
        "type": "string",
        "description": "JSON of this schema in each line.",
        "contentMediaType": NDJSON,
        "contentSchema": schema,
    }


def _line(example: Any) -> str:
    return msgspec.json.encode(example).decode() + "\n"


def _content(kind: Any, refer: Refer) -> JSON:
    example = example_of(kind)
    return {"schema": refer(kind)} if example is None else {"schema": refer(kind), "example": example}


def _has_version(kind: Any) -> bool:
    return get_origin(kind) is One and "version" in getattr(get_args(kind)[0], "__struct_fields__", ())


def example_of(kind: Any) -> Any:
    """What such an answer looks like, from the ``example`` of the view in it; ``None`` when that has none."""
    origin, args = get_origin(kind), get_args(kind)
    if origin is None:
        return getattr(kind, "example", None)
    inner = example_of(args[-1])
    if inner is None:
        return None
    if origin is One:
        return {"data": inner}
    if origin is Page:
        meta = PageMeta(page=1, limit=50, total=1, total_pages=1)
        return {"data": [inner], "meta": msgspec.to_builtins(meta)}
    return [inner] if origin is list else {_ID: inner}
