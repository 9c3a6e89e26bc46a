"""The routes of operations: Litestar's own, with what all of them have in common said once.

An operation is one visible function below ``@get``, ``@post``, ``@put``, ``@patch`` or ``@delete`` with its path, its name,
what it is for, and the scope it takes; its docstring is what the documentation says further. All else follows from its
signature::

    @patch("/{tag_id:uuid}", operation_id="updateTag", summary="Change a tag's name or colour", scope="tags:write")
    def update_tag(
        self, change: NamedDependency[Change], tag_id: FromPath[UUID], data: RequestBody[UpdateTag]
    ) -> Json[One[TagView]]:
        return change(lambda unit: tags.update(unit, tag_id, data, if_version=change.if_version), tags.view)

- It runs in a thread, when it is its workspace's turn, unless it is a coroutine.
- An id in the path: 404; one of what was merged into another is that other's, unless it means it ``itself``. ``data``: a JSON body, decoded strictly (413, 415, 422). ``act`` or ``change``: an
  ``Idempotency-Key`` (409, 422), and with ``change`` an ``If-Match`` (412). ``wanted``: the parameters of a page and its
  order; ``paged``: those of a page.
- Without ``public``: a caller with a token (401) who may what ``scope`` says (403).
- What answers ``GET`` answers ``HEAD``, of which the server sends no body.
- Answered are 200, 201 by ``post`` and 204 by ``delete``, unless ``status`` is another.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from inspect import getdoc, iscoroutinefunction
from typing import Any, Final, Literal, TypedDict, Unpack

from litestar import Litestar, Request, Response
from litestar.di import Provide
from litestar.handlers import HTTPRouteHandler
from litestar.routes import HTTPRoute
from litestar.types import Empty, Method
from litestar.utils.sync import AsyncCallable

from api.http.following import HEADER, following, leading
from api.http.query import check_query
from api.http.turns import InTurn
from domain.kernel import JSON

Handler = Callable[..., Any]


_READING: Final[Sequence[Method]] = ("GET", "HEAD")


class Said(TypedDict, total=False):
    """What a route says that its signature does not tell; it is found again in its ``opt``."""

    scope: str
    """What the caller must be allowed, such as ``contacts:read``; without one it is enough to be somebody."""
    public: bool
    """Whether anybody may ask, without a token."""
    errors: tuple[str, ...]
    """Codes of errors that it answers beside those that follow from its signature."""
    also: Mapping[int, str]
    """Other statuses with which the same may be answered, and what they mean."""
    example: JSON
    """A body, as JSON."""
    large: bool
    """Whether so much may refer to what is deleted that a job sees to it: 202 with the job then, and else 204."""
    later: str
    """What it means that a job does it: 202 with the job then."""
    headers: tuple[str, ...]
    """Headers that are answered beside the usual ones."""
    listed: str
    """The field that a body is taken for which is a list alone."""
    free_query: str
    """What its query parameters of any name are."""
    lines: type
    """What a line of the answer is as NDJSON."""
    answers: type
    """What it answers as JSON, where it is not the type of what its handler returns."""
    itself: bool
    """Whether an id in its path means that very thing, and not what that was merged into."""
    csv: str
    """A file that it answers, as CSV."""
    file: str
    """The media type of a file that it answers in place of JSON."""
    conditional: bool
    """Whether ``If-None-Match`` may be answered with 304."""
    json: type
    """The type of the JSON body, where the route reads the body itself."""
    bodies: Mapping[str, JSON]
    """Other bodies that are taken, by media type. In a form the parameters of the query may be fields too."""


class _Route(HTTPRouteHandler):
    """It can be referred to weakly, by which ``StrictBody`` finds the decoder of its body. Its thread is given in turn."""

    __slots__ = ("__weakref__",)

    def on_registration(self, app: Litestar) -> None:
        super().on_registration(app)
        if isinstance(self._fn, AsyncCallable):
            self._fn = InTurn(self._fn.func)


def _told(handler: Handler) -> str:
    """What a handler's docstring says, in Markdown as the documentation has it: a line for each paragraph."""
    paragraphs = (getdoc(handler) or "").split("\n\n")
    return "\n\n".join(paragraph.replace("\n", " ") for paragraph in paragraphs)


@dataclass(frozen=True)
class _Method:
    name: Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

    def __call__(
        self,
        path: str = "",
        *,
        operation_id: str,
        summary: str,
        description: str = "",
        status: int | None = None,
        asked: Handler | None = None,
        max_body: int | None = None,
        **said: Unpack[Said],
    ) -> Callable[[Handler], HTTPRouteHandler]:
        """A route below its controller's path. ``description`` is what the handler's docstring says, where it is not put
        together of several things.

        ``asked`` works out, from query parameters of its own, what the handler takes under that name. ``max_body`` is in
        bytes, where it is not the application's.
        """
        found = {} if asked is None else {"asked": Provide(asked, sync_to_thread=False)}

        def routed(handler: Handler) -> HTTPRouteHandler:
            parameter = None if said.get("itself") else leading(handler)
            if parameter is not None:
                handler = following(handler, parameter)
                said["headers"] = (*said.get("headers", ()), HEADER)
            return _Route(
                path,
                http_method=_READING if self.name == "GET" else self.name,
                operation_id=operation_id,
                summary=summary,
                description=description or _told(handler),
                status_code=202 if said.get("large") else status,
                dependencies=found,
                request_max_body_size=Empty if max_body is None else max_body,
                sync_to_thread=None if iscoroutinefunction(handler) else True,
                opt={**said},
            )(handler)

        return routed


def page(path: str, *, wait: bool = True) -> Callable[[Handler], HTTPRouteHandler]:
    """A route outside of the documented API, which anybody may ask for. It runs in a thread unless it needs not ``wait``."""
    return HTTPRouteHandler(
        path, http_method=_READING, include_in_schema=False, opt={"public": True}, sync_to_thread=wait
    )


async def before(request: Request[Any, Any, Any]) -> Response[None] | None:
    """Before every handler: its query is checked, and ``OPTIONS`` is answered."""
    if request.scope["method"] == "OPTIONS":
        return _methods(request)
    check_query(request)
    return None


def _methods(request: Request[Any, Any, Any]) -> Response[None]:
    """All methods of the path, from whichever controllers. Litestar's own answer forgets those that were added
    to a path after its first.
    """
    here = (route for route in request.app.routes if isinstance(route, HTTPRoute))
    methods = {
        method for route in here if route.path_format == request.scope["path_template"] for method in route.methods
    }
    return Response(None, status_code=204, headers={"allow": ", ".join(sorted(methods))})


get: Final = _Method("GET")
post: Final = _Method("POST")
put: Final = _Method("PUT")
patch: Final = _Method("PATCH")
delete: Final = _Method("DELETE")
