"""Accounts and sessions over HTTP."""

from __future__ import annotations

from datetime import datetime
from typing import Final
from uuid import UUID

from litestar import Controller, Request, Response
from litestar.datastructures import State
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Json, plain
from api.http.ask import Ask
from api.http.attempts import Guessing, client_of
from api.http.middleware import bearer, wanted_workspace
from api.http.passwords import Passwords
from api.http.routes import get, post
from api.http.turns import in_turn
from application import identity
from application import identity_joining as joining
from application.calling.caller import Caller
from application.calling.directory import Account
from application.calling.services import Services
from domain.kernel import Refused
from eventstore.database import reading
from projections import identity as rows
from schemas.identity import Credentials, Me, Registration, Session
from schemas.invitation import Acceptance

_Anyone = Request[None, None, State]

_TOKEN: Final = "dbi_" + "AZjG8n06fE6bHyptXo8AIAGYxvJ9OnxOmx8qbV6PAyA" * 2
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
    async def register(
        self,
        services: NamedDependency[Services],
        request: _Anyone,
        guessing: NamedDependency[Guessing],
        passwords: NamedDependency[Passwords],
        data: RequestBody[Registration],
    ) -> Json[Session]:
        """Answers a session, as logging in does. A client registers at most 10 times a minute (429 with `Retry-After`), and
        for an hour no more when 10 of the addresses had accounts.
        """
        client = _client(request)
        guessing.register(client)
        identity.checked(data)
        password_hash = await passwords.run(services.hasher.hash, data.password)
        try:
            return await in_turn(_registered, services, data, password_hash, _id(request))
        except identity.AddressTakenError:
            guessing.was_taken(client)
            raise

    @post(
        "/login",
        operation_id="logIn",
        summary="Log in with e-mail address and password",
        status=200,
        public=True,
        errors=("unauthenticated", "permission_denied"),
        example=_CREDENTIALS,
    )
    async def log_in(
        self,
        services: NamedDependency[Services],
        request: _Anyone,
        guessing: NamedDependency[Guessing],
        passwords: NamedDependency[Passwords],
        data: RequestBody[Credentials],
    ) -> Json[Session]:
        """A client tries at most 10 times a minute at one account and 30 times in all. More are answered 429 with
        `Retry-After`, as are those who come when too many log in at once.
        """
        email = identity.address(data.email)
        guessing.log_in(_client(request), email)
        wanted = wanted_workspace(request.headers, request.scope["query_string"])
        found = await in_turn(identity.account_of, services, email)
        right = await passwords.run(identity.is_password, services, found, data.password)
        return await in_turn(_entered, services, found if right else None, wanted, _id(request))

    @post(
        "/accept-invitation",
        operation_id="acceptInvitation",
        summary="Accept an invitation",
        public=True,
        errors=("unauthenticated", "permission_denied", "conflict"),
        example={"token": _TOKEN, "password": _CREDENTIALS["password"], "name": "Mara Member"},
    )
    async def accept_invitation(
        self,
        services: NamedDependency[Services],
        request: _Anyone,
        guessing: NamedDependency[Guessing],
        passwords: NamedDependency[Passwords],
        data: RequestBody[Acceptance],
    ) -> Json[Session]:
        """Answers a session in the workspace. Who has no account gets one, with this password; who has one joins with its
        password (401 when it is another), or by sending a session of theirs. Tries are counted as those of logging in.
        """
        session = bearer(request.headers) if "authorization" in request.headers else None
        guest = await in_turn(joining.guest, services, data, session)
        guessing.log_in(_client(request), guest.email)
        hashed = None
        if guest.account is None:
            hashed = await passwords.run(services.hasher.hash, data.password or "")
        elif not guest.entered and not await passwords.run(
            identity.is_password, services, guest.account, data.password or ""
        ):
            raise Refused("unauthenticated", "This address has an account; its password is another.")
        return await in_turn(_joined, services, guest, data, hashed, _id(request))

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


def _registered(services: Services, form: Registration, password_hash: str, request_id: str) -> Json[Session]:
    made = identity.register(services, form, request_id=request_id, password_hash=password_hash)
    return _told(services, identity.open_session(services, made.account_id, made.workspace_id, request_id), 201)


def _joined(
    services: Services, guest: joining.Guest, form: Acceptance, password_hash: str | None, request_id: str
) -> Json[Session]:
    account_id = joining.accept(services, guest, form, password_hash, request_id)
    return _told(services, identity.open_session(services, account_id, guest.workspace_id, request_id), 201)


def _entered(services: Services, found: Account | None, wanted: UUID | None, request_id: str) -> Json[Session]:
    return _told(services, identity.enter(services, found, wanted, request_id), 200)


def _told(services: Services, opened: tuple[Caller, str, datetime], status: int) -> Json[Session]:
    caller, token, expires_at = opened
    found = _me(services, caller)
    session = Session(token=token, expires_at=expires_at, user=found.user, workspace=found.workspace)
    return plain(session, status)


def _client(request: _Anyone) -> str:
    return client_of(request.client.host if request.client else None)


def _id(request: _Anyone) -> str:
    found: str = request.scope["state"]["request_id"]
    return found
