"""Query strings are taken at their word: a parameter that no one reads is an error, not a filter that does nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import cache
from typing import Any, Final

from litestar import Request
from litestar.handlers import HTTPRouteHandler
from litestar.params import ParameterKwarg, PathParameter
from litestar.typing import FieldDefinition
from litestar.utils.signature import ParsedSignature

from domain.kernel import FieldError, Refused
from projections.table.search import MAX_WORDS

_EVERYWHERE: Final = frozenset({"workspaceId"})
_RESERVED: Final = frozenset({"self", "request", "body", "data", "state", "headers", "scope"})


def parameters(handler: HTTPRouteHandler) -> Iterator[tuple[str, FieldDefinition]]:
    """The parameters of a handler, with those of what it depends on in its place, each once: name in Python and definition."""
    dependencies = handler.resolve_dependencies()

    def inner(signature: ParsedSignature) -> Iterator[tuple[str, FieldDefinition]]:
        for name, field in signature.parameters.items():
            if name in dependencies and name in found:
                continue
            if name in dependencies:
                found.add(name)
                yield from inner(dependencies[name].parsed_fn_signature)
            elif name not in _RESERVED:
                yield name, field

    found: set[str] = set()
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


@cache
def listed_parameters(handler: HTTPRouteHandler) -> frozenset[str]:
    """The query parameters that may be given several times."""
    names = wire_names(handler)
    return frozenset(names[name] for name, field in parameters(handler) if field.is_non_string_sequence)


def check_query(request: Request[Any, Any, Any]) -> None:
    """Refuses query parameters that are unknown, given twice, of more words than are searched for, or have NUL in them,
    which Postgres cannot keep in a text and nothing contains; each by its name.
    """
    if "\0" in request.scope["path"]:
        raise Refused("not_found", "There is nothing at a path with NUL in it.")
    if not request.scope["query_string"]:
        return
    handler = request.route_handler
    assert isinstance(handler, HTTPRouteHandler)
    unknown = sorted(free(request))
    if unknown and "free_query" not in handler.opt:
        details = [FieldError(field=name[:64], message="is not a parameter of this operation") for name in unknown[:10]]
        raise malformed("Unknown query parameter", details)
    given = [*request.query_params.multi_items()]
    if len(given) > 1 and (twice := _repeated(handler, [name for name, _ in given])):
        raise malformed("Given twice", [FieldError(field=name, message="must be given once") for name in twice])
    if "search" in request.query_params and len(request.query_params["search"].split()) > MAX_WORDS:
        raise malformed_parameter("search", f"must have at most {MAX_WORDS} words")
    nul = sorted({name for name, value in given if "\0" in value})
    if nul:
        details = [FieldError(field=name, message="must not contain NUL") for name in nul]
        raise malformed("Not acceptable", details)


def _repeated(handler: HTTPRouteHandler, names: list[str]) -> list[str]:
    """Of the parameters given those that are there again, but for those that take several values."""
    counted = Counter(names)
    return sorted(name for name in counted.keys() - listed_parameters(handler) if counted[name] > 1)


def free(request: Request[Any, Any, Any]) -> list[str]:
    """The names of query parameters that are none of the operation's own."""
    handler = request.route_handler
    assert isinstance(handler, HTTPRouteHandler)
    return [name for name in request.query_params if name not in known_parameters(handler)]


def malformed(what: str, details: list[FieldError]) -> Refused:
    """A request that is malformed in these parameters."""
    return Refused("invalid_request", f"{what}: {', '.join(detail.field for detail in details)}.", details=details)


def malformed_parameter(name: str, message: str) -> Refused:
    """A request that is malformed in one parameter."""
    return Refused("invalid_request", f"{name}: {message}", details=[FieldError(field=name, message=message)])
