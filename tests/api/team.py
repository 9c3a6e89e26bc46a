"""Who asks in the API's tests: the members of a workspace, each with every way of asking."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from uuid import UUID

import httpx

from application import api_key as api_keys
from application import identity
from application.calling.caller import Caller
from application.calling.services import Services
from domain.membership import MEMBERSHIP, GrantMembership, Role
from domain.user import USER, RegisterUser
from domain.workspace import Plan
from eventstore.append import Origin
from eventstore.ids import new_id
from eventstore.work import Work
from schemas.identity import Credentials, Registration
from schemas.log import Actor

PASSWORD = "correct horse"
API = "/api/v1"

_number = itertools.count(1)


@dataclass(frozen=True)
class Member:
    """Somebody with a token, or nobody without one. Paths are below ``/api/v1``."""

    http: httpx.Client
    workspace_id: UUID
    account_id: UUID
    token: str | None
    email: str = ""

    def ask(
        self, method: str, path: str, *, headers: Mapping[str, str | bytes] | None = None, **more: Any
    ) -> httpx.Response:
        mine: dict[str, Any] = {} if self.token is None else {"authorization": f"Bearer {self.token}"}
        return self.http.request(method, f"{API}{path}", headers={**mine, **(headers or {})}, **more)

    def get(self, path: str, **more: Any) -> httpx.Response:
        """``params`` and ``headers`` as httpx has them."""
        return self.ask("GET", path, **more)

    def post(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return self.ask("POST", path, json=json, **more)

    def patch(self, path: str, json: Any = None, **more: Any) -> httpx.Response:
        return self.ask("PATCH", path, json=json, **more)

    def delete(self, path: str, **more: Any) -> httpx.Response:
        return self.ask("DELETE", path, **more)

    # What most tests begin with, and what must go well for them to mean anything.

    def contact(self, **fields: Any) -> dict[str, Any]:
        """A new contact, with an e-mail address of its own unless something else says who it is."""
        if not fields.keys() & {"email", "firstName", "lastName", "name", "phone", "company"}:
            fields["email"] = f"contact{next(_number)}@example.com"
        return created(self.post("/contacts", fields))

    def tag(self, name: str | None = None, **fields: Any) -> dict[str, Any]:
        return created(self.post("/tags", {"name": name or f"Tag {next(_number)}", **fields}))

    def company(self, name: str = "Acme", **fields: Any) -> dict[str, Any]:
        return created(self.post("/companies", {"name": name, **fields}))

    def deal(self, name: str = "Northwind", **fields: Any) -> dict[str, Any]:
        """In the first stage of a pipeline of its own."""
        pipeline = created(self.post("/pipelines", {"name": f"Pipeline {next(_number)}", "stages": [{"name": "Lead"}]}))
        place = {"pipelineId": pipeline["id"], "stageId": pipeline["stages"][0]["id"]}
        return created(self.post("/deals", {"name": name, "value": 1, **place, **fields}))

    def listed(self, path: str, **params: Any) -> list[dict[str, Any]]:
        """The things on one page of a list."""
        answer = self.get(path, params=params)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def shown(self, path: str) -> dict[str, Any]:
        answer = self.get(path)
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()["data"]
        return found


def created(answer: httpx.Response) -> dict[str, Any]:
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()["data"]
    return found


class Team:
    """A workspace of its own with its owner, and others who may enter it, each made when first asked for."""

    def __init__(self, services: Services, http: httpx.Client, *, plan: Plan = "enterprise") -> None:
        self.services = services
        self.http = http
        self.email = f"owner{next(_number)}@example.com"
        form = Registration(name="Olga Owner", email=self.email, password=PASSWORD, workspace_name="The team")
        self._owner = identity.register(services, form, plan=plan)
        self.workspace_id = self._owner.workspace_id
        self.owner = self._with_session(self.email)

    @cached_property
    def admin(self) -> Member:
        return self.join("admin")

    @cached_property
    def member(self) -> Member:
        return self.join("member")

    @cached_property
    def limited(self) -> Member:
        """A member who sees only what is assigned to them."""
        return self.join("member", assigned_only=True)

    @cached_property
    def viewer(self) -> Member:
        return self.join("viewer")

    @property
    def anonymous(self) -> Member:
        return replace(self.owner, token=None)

    def join(self, role: Role, *, assigned_only: bool = False) -> Member:
        """Somebody new, with a session. Inviting is not in the API yet, so it is done as it will be."""
        account_id = new_id()
        email = f"{role}{next(_number)}@example.com"
        name = f"{role.title()} {next(_number)}"

        def work(unit: Work) -> None:
            unit.conn.execute(
                "INSERT INTO accounts (id, email, password_hash) VALUES (%s, %s, %s)",
                (account_id, email, self.services.hasher.hash(PASSWORD)),
            )
            self._enter(unit, account_id, RegisterUser(name=name, email=email), role, assigned_only=assigned_only)

        self.services.store.run(self._origin(), work)
        return self._with_session(email)

    def let_in(self, stranger: Member, role: Role) -> Member:
        """A member of another workspace as a member of this one too."""
        form = RegisterUser(name="Guest", email=stranger.email)
        self.services.store.run(self._origin(), lambda unit: self._enter(unit, stranger.account_id, form, role))
        return replace(stranger, workspace_id=self.workspace_id)

    def key(self, *scopes: str, of: Member | None = None) -> Member:
        """Somebody with an API key: the owner's, unless it is somebody else's, with these scopes."""
        account_id = self._owner.account_id if of is None else of.account_id
        caller = Caller(workspace_id=self.workspace_id, account_id=account_id, role="owner", plan="enterprise")
        done = api_keys.create_api_key(self.services, caller, "key", scopes or ("*",))
        return Member(self.http, self.workspace_id, account_id, done.value.raw)

    def _origin(self) -> Origin:
        return Origin(self.workspace_id, Actor(type="user", id=self._owner.account_id))

    def _enter(
        self, unit: Work, account_id: UUID, form: RegisterUser, role: Role, *, assigned_only: bool = False
    ) -> None:
        unit.conn.execute(
            "INSERT INTO account_workspaces (account_id, workspace_id) VALUES (%s, %s)",
            (account_id, self.workspace_id),
        )
        unit.begin(USER, account_id, form)
        membership = GrantMembership(user_id=account_id, role=role, assigned_only=assigned_only)
        unit.begin(MEMBERSHIP, new_id(), membership)

    def _with_session(self, email: str) -> Member:
        caller, token, _ = identity.log_in(self.services, Credentials(email=email, password=PASSWORD), None, None)
        return Member(self.http, self.workspace_id, caller.account_id, token, email)
