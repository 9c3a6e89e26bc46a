"""Accounts and sessions over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller, Request, Response
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Json, plain
from api.http.ask import Ask
from api.http.limits import AttemptLimiter
from api.http.middleware import wanted_workspace
from api.http.routes import get, post
from application import identity
from application.calling.caller import Caller
from application.calling.services import Services
from eventstore.database import reading
from projections import identity as rows
from schemas.identity import Credentials, Me, Registration, Session

_Anyone = Request[None, None, State]

_CREDENTIALS: Final = {"email": "olga@example.com", "password": "correct horse battery staple"}


class AuthController(Controller):
    path = "/auth"
    tags = ["Authentication"]  # noqa: RUF012 - what Litestar reads

    @post(
        "/register",
        operation_id="register",
        summary="Create an account and its workspace",
        public=True,
        example={"name": "Olga Owner", **_CREDENTIALS, "workspaceName": "Acme Sales"},
    )
    def register(
        self,
        services: NamedDependency[Services],
        request: _Anyone,
        attempts: NamedDependency[AttemptLimiter],
        data: RequestBody[Registration],
    ) -> Json[Session]:
        """Answers a session, as logging in does."""
        attempts.take("register", _address(request))
        made = identity.register(services, data, request_id=request.scope["state"]["request_id"])
        credentials = Credentials(email=data.email, password=data.password)
        return self._session(services, request, credentials, made.workspace_id, 201)

    @post(
        "/login",
        operation_id="logIn",
        summary="Log in with e-mail address and password",
        status=200,
        public=True,
        errors=("unauthenticated", "permission_denied"),
        example=_CREDENTIALS,
    )
    def log_in(
        self,
        services: NamedDependency[Services],
        request: _Anyone,
        attempts: NamedDependency[AttemptLimiter],
        data: RequestBody[Credentials],
    ) -> Json[Session]:
        attempts.take("login", f"{_address(request)} {data.email.strip().lower()[:320]}")
        return self._session(services, request, data, wanted_workspace(request.headers), 200)

    def _session(
        self, services: Services, request: _Anyone, data: Credentials, wanted: UUID | None, status: int
    ) -> Json[Session]:
        request_id = request.scope["state"]["request_id"]
        caller, token, expires_at = identity.log_in(services, data, wanted, request_id)
        found = _me(services, caller)
        session = Session(token=token, expires_at=expires_at, user=found.user, workspace=found.workspace)
        return plain(session, status, {"cache-control": "no-store"})

    @post("/logout", operation_id="logOut", summary="End the session", status=204)
    def log_out(self, ask: NamedDependency[Ask]) -> Response[None]:
        identity.log_out(ask.services, ask.caller)
        return Response(None, status_code=204)

    @get("/me", operation_id="getMe", summary="The caller and the workspace it acts in")
    def me(self, ask: NamedDependency[Ask]) -> Json[Me]:
        return plain(_me(ask.services, ask.caller))


def _me(services: Services, caller: Caller) -> Me:
    with reading(services.pool, caller.workspace_id) as conn:
        return Me(
            user=rows.user(conn, caller.account_id, caller.role), workspace=rows.workspace(conn, caller.workspace_id)
        )


def _address(request: _Anyone) -> str:
    return request.client.host if request.client else "unknown"
