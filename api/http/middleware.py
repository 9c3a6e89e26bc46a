"""Around every request: its id, who asks, how often, and one line in the log."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Final
from urllib.parse import parse_qsl, quote
from uuid import UUID

from litestar import Litestar
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.http import metrics
from api.http.admission import Admission
from domain.kernel import Refused
from eventstore.ids import new_id

log = logging.getLogger("daybook.access")

MAX_HEADERS: Final = 32 * 1024
"""Bytes: names and values of all headers together."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_\-.:]{1,128}\Z")
_CHOOSING = ("x-workspace-id", "x-org-id")


class RequestContext:
    """Around the whole application: gives each request its id (``X-Request-Id`` or a new one), measures and logs it."""

    def __init__(self, app: Litestar, admission: Admission) -> None:
        self.litestar = app
        self.admission = admission

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != ScopeType.HTTP:
            await self.litestar(scope, receive, send)
            return
        given = Headers.from_scope(scope).get("x-request-id", "")
        request_id = given if _REQUEST_ID.match(given) else str(new_id())
        state = scope.setdefault("state", {})
        state["request_id"] = request_id
        started = time.perf_counter()
        status = 500

        async def answering(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                own = {"x-request-id": request_id, **state.get("headers", {})}
                encoded = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in own.items()]
                message["headers"] = [*_careful(message["headers"]), *encoded]
            await send(message)

        try:
            await self.litestar(scope, receive, answering)
        finally:
            taken = time.perf_counter() - started
            operation = str(getattr(scope.get("route_handler"), "operation_id", None) or "unknown")
            metrics.observe(operation, status, taken)
            if log.isEnabledFor(logging.INFO):
                extra = {"request_id": request_id, "operation": operation, "ms": round(taken * 1000, 1)}
                log.info("%s %s %s", scope["method"], quote(scope["path"]), status, extra=extra)


def _careful(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With what keeps browsers from guessing what it is, and all from keeping it, unless it says for how long."""
    said = [*headers, (b"x-content-type-options", b"nosniff")]
    return said if any(name == b"cache-control" for name, _ in said) else [*said, (b"cache-control", b"no-store")]


class Authentication(ASGIMiddleware):
    """Finds out who asks, whether they may, and whether they ask too often.

    A route says what it needs with ``opt={"scope": "contacts:read"}``; ``opt={"public": True}`` asks nothing.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, admission: Admission) -> None:
        self._admission = admission

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEADERS:
            raise Refused("headers_too_large", f"All headers together must have at most {MAX_HEADERS} bytes.")
        handler = scope["route_handler"]
        if not handler.opt.get("public") and getattr(handler, "operation_id", None) is not None:
            headers = Headers.from_scope(scope)
            wanted = wanted_workspace(headers, scope["query_string"])
            caller, limits = await self._admission.admit(bearer(headers), wanted)
            scope["state"]["headers"] = limits
            needed = handler.opt.get("scope")
            if needed is not None and not caller.may(needed):
                raise Refused("permission_denied", f"This takes the scope {needed} and a role that allows it.")
            scope["user"] = replace(caller, request_id=scope["state"]["request_id"])
        await next_app(scope, receive, send)


def bearer(headers: Headers) -> str:
    scheme, _, token = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise Refused("unauthenticated", "Send an API key or session token as Authorization: Bearer.")
    return token.strip()


def wanted_workspace(headers: Headers, query: bytes = b"") -> UUID | None:
    """The workspace that the request chooses: by header, or as some callers do by ``workspaceId`` in the query.

    Refuses (400) what is no id, and a request that chooses two.
    """
    given = [value for name in _CHOOSING for value in headers.getall(name, []) if value]
    if b"workspaceId=" in query or b"%" in query:
        asked = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
        given += [value for name, value in asked if name == "workspaceId"]
    if not given:
        return None
    try:
        wanted = {UUID(value) for value in given}
    except ValueError:
        raise ClientException("X-Workspace-Id must be the id of a workspace (UUID).") from None
    if len(wanted) > 1:
        raise ClientException("X-Workspace-Id, X-Org-Id and workspaceId must not choose different workspaces.")
    return wanted.pop()
