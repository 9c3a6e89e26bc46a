"""Around every request: its id, who asks, how often, and one line in the log."""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import chain
from typing import Any, Final
from urllib.parse import parse_qsl, quote
from uuid import UUID

from litestar import Litestar, Request
from litestar.datastructures import Headers
from litestar.enums import ScopeType
from litestar.exceptions import ClientException
from litestar.middleware import ASGIMiddleware
from litestar.types import ASGIApp, Message, Receive, Scope, Send

from api.http import errors, metrics
from api.http.access import Accesses
from api.http.admission import Admission
from api.http.growth import Growth
from api.http.turns import VISIT, Busy, Turns, Visit
from domain.kernel import Refused
from eventstore.ids import new_id

log = logging.getLogger("daybook.access")

MAX_HEADERS: Final = 32 * 1024
"""Bytes: names and values of all headers together."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9_\-.:]{1,128}\Z")
_VISIT: Final = "visit"
_CHOOSING = ("x-workspace-id", "x-org-id")


MOST: Final = 4_000
"""Requests in hand at a time, those that wait among them; one more is refused before anything of it is looked at."""
GRACE_SECONDS: Final = 1.5
"""For requests in hand when the process is to end."""
_LAST_SECONDS: Final = 0.5


class RequestContext:
    """Around the whole application: gives each request its id (``X-Request-Id`` or a new one), measures and logs it.

    Of ``turns`` the first are those of requests. ``give_up`` has the database give up, within so many seconds, what is being done.
    """

    def __init__(
        self,
        app: Litestar,
        admission: Admission,
        turns: Sequence[Turns],
        growth: Growth,
        give_up: Callable[[float], None],
    ) -> None:
        self.litestar = app
        self.admission = admission
        self.growth = growth
        self._turns = turns
        self._give_up = give_up
        self._in_hand: set[asyncio.Task[Any]] = set()
        self._ending = asyncio.Event()

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
            await self._answer(scope, receive, answering)
        finally:
            taken = time.perf_counter() - started
            operation = str(getattr(scope.get("route_handler"), "operation_id", None) or "unknown")
            metrics.observe(operation, status, taken)
            if log.isEnabledFor(logging.INFO):
                extra = {"request_id": request_id, "operation": operation, "ms": round(taken * 1000, 1)}
                log.info("%s %s %s", scope["method"], quote(scope["path"]), status, extra=extra)

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        """As the application does; where there are too many in hand, or it takes until the process must end, 503."""
        if self._ending.is_set() or len(self._in_hand) >= MOST:
            await _refuse(scope, receive, send)
            return
        task = asyncio.current_task()
        assert task is not None
        self._in_hand.add(task)
        visit = scope["state"][_VISIT] = Visit(self._turns[0], receive)
        VISIT.set(visit)
        try:
            await self.litestar(scope, visit.receive, send)
        except asyncio.CancelledError:
            if not self._ending.is_set():
                raise
            await _refuse(scope, receive, send)
        finally:
            self._in_hand.discard(task)
            # What is said of the request leads back to it, and to all that was shown: a circle for the collector, which takes
            # longer over it than the answer did.
            scope["state"].clear()

    async def end(self) -> None:
        """Answers what is in hand, within two seconds; what could not be finished, with 503. Nothing begins any more."""
        self._ending.set()
        for turns in self._turns:
            turns.end()
        self.growth.end()
        await self._finished(GRACE_SECONDS)
        if self._in_hand:
            await asyncio.to_thread(self._give_up, _LAST_SECONDS)
            await self._finished(_LAST_SECONDS)
        for task in self._in_hand:
            task.cancel()

    async def _finished(self, seconds: float) -> None:
        if self._in_hand:
            await asyncio.wait(self._in_hand, timeout=seconds)


async def _refuse(scope: Scope, receive: Receive, send: Send) -> None:
    response: Any = errors.refused(Request(scope), Busy())
    await response.to_asgi_response(app=None, request=Request(scope))(scope, receive, send)


def _careful(headers: Iterable[tuple[bytes, bytes]]) -> list[tuple[bytes, bytes]]:
    """With what keeps browsers from guessing what it is, and all from keeping it, unless it says for how long."""
    said = [*headers, (b"x-content-type-options", b"nosniff")]
    return said if b"cache-control" in dict(said) else [*said, (b"cache-control", b"no-store")]


class Authentication(ASGIMiddleware):
    """Finds out who asks, whether they may, and whether they ask too often.

    A route says what it needs with ``opt={"scope": "contacts:read"}``; ``opt={"public": True}`` asks nothing.
    """

    scopes = (ScopeType.HTTP,)

    def __init__(self, admission: Admission, accesses: Accesses) -> None:
        self._admission = admission
        self._accesses = accesses

    async def handle(self, scope: Scope, receive: Receive, send: Send, next_app: ASGIApp) -> None:
        if sum(map(len, chain.from_iterable(scope["headers"]))) > MAX_HEADERS:
            raise Refused("headers_too_large", f"All headers together must have at most {MAX_HEADERS} bytes.")
        handler = scope["route_handler"]
        if not handler.opt.get("public") and getattr(handler, "operation_id", None) is not None:
            headers = Headers.from_scope(scope)
            wanted = wanted_workspace(headers, scope["query_string"])
            caller, limits = await self._admission.admit(bearer(headers), wanted)
            scope["state"]["headers"] = limits
            scope["state"][_VISIT].lane = caller.workspace_id
            needed = handler.opt.get("scope")
            if needed is not None and not caller.may(needed):
                raise Refused("permission_denied", f"This takes the scope {needed} and a role that allows it.")
            scope["user"] = replace(caller, request_id=scope["state"]["request_id"])
            if self._accesses.heeds(scope, caller):
                send = self._accesses.noting(scope, caller, send)
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
