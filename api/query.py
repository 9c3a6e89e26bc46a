"""Query strings are taken at their word: a parameter that no one reads is an error, not a filter that does nothing."""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg

from domain.kernel import FieldError, Refused

_EVERYWHERE: Final = frozenset({"workspaceId"})
_RESERVED: Final = frozenset({"self", "request", "services", "attempts", "body", "data", "state", "headers", "scope"})


@cache
def known_parameters(handler: HTTPRouteHandler) -> frozenset[str]:
    """The query parameters of a handler and of what it depends on, by their names on the wire."""
    names = set(_EVERYWHERE)
    signatures = [handler.parsed_fn_signature]
    signatures += [provider.parsed_fn_signature for provider in handler.resolve_dependencies().values()]
    for signature in signatures:
        for name, field in signature.parameters.items():
            if name not in _RESERVED:
                wire = field.kwarg_definition
                names.add((wire.name or name) if isinstance(wire, ParameterKwarg) else name)
    return frozenset(names)


async def check_query(request: Request[Any, Any, Any]) -> None:
    """Refuses unknown query parameters by name."""
    if not request.scope["query_string"]:
        return
    handler = request.route_handler
    assert isinstance(handler, HTTPRouteHandler)
    unknown = sorted(set(request.query_params.keys()) - known_parameters(handler))
    if unknown:
        details = [FieldError(field=name[:64], message="is not a parameter of this operation") for name in unknown[:10]]
        names = ", ".join(detail.field for detail in details)
        raise Refused("invalid_request", f"Unknown query parameter: {names}.", details=details)
