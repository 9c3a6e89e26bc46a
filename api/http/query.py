"""Query strings are taken at their word: a parameter that no one reads is an error, not a filter that does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg, PathParameter
from litestar.typing import FieldDefinition
from litestar.utils.signature import ParsedSignature

from domain.kernel import FieldError, Refused

_EVERYWHERE: Final = frozenset({"workspaceId"})
_RESERVED: Final = frozenset({"self", "request", "body", "data", "state", "headers", "scope"})


def parameters(handler: HTTPRouteHandler) -> Iterator[tuple[str, FieldDefinition]]:
    """The parameters of a handler, with those of what it depends on in its place: name in Python and definition."""
    dependencies = handler.resolve_dependencies()

    def inner(signature: ParsedSignature) -> Iterator[tuple[str, FieldDefinition]]:
        for name, field in signature.parameters.items():
            if name in dependencies:
                yield from inner(dependencies[name].parsed_fn_signature)
            elif name not in _RESERVED:
                yield name, field

    return inner(handler.parsed_fn_signature)


@cache
def wire_names(handler: HTTPRouteHandler) -> dict[str, str]:
    """The parameters of a handler and of what it depends on: name in Python → name on the wire."""
    return {
        name: (wire.name or name) if isinstance(wire := field.kwarg_definition, ParameterKwarg) else name
        for name, field in parameters(handler)
    }


@cache
def known_parameters(handler: HTTPRouteHandler) -> frozenset[str]:
    """The query parameters that an operation reads."""
    names = wire_names(handler)
    in_path = {name for name, field in parameters(handler) if isinstance(field.kwarg_definition, PathParameter)}
    return _EVERYWHERE | {names[name] for name in names.keys() - in_path}


async def check_query(request: Request[Any, Any, Any]) -> None:
    """Refuses unknown query parameters by name, and NUL, which Postgres cannot keep in a text and nothing contains."""
    if "\0" in request.scope["path"]:
        raise Refused("not_found", "There is nothing at a path with NUL in it.")
    if not request.scope["query_string"]:
        return
    handler = request.route_handler
    assert isinstance(handler, HTTPRouteHandler)
    unknown = sorted(set(request.query_params.keys()) - known_parameters(handler))
    if unknown:
        details = [FieldError(field=name[:64], message="is not a parameter of this operation") for name in unknown[:10]]
        raise malformed("Unknown query parameter", details)
    nul = sorted({name for name, value in request.query_params.multi_items() if "\0" in value})
    if nul:
        details = [FieldError(field=name, message="must not contain NUL") for name in nul]
        raise malformed("Not acceptable", details)


def malformed(what: str, details: list[FieldError]) -> Refused:
    """A request that is malformed in these parameters."""
    return Refused("invalid_request", f"{what}: {', '.join(detail.field for detail in details)}.", details=details)


def malformed_parameter(name: str, message: str) -> Refused:
    """A request that is malformed in one parameter."""
    return Refused("invalid_request", f"{name}: {message}", details=[FieldError(field=name, message=message)])
