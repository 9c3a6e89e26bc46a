"""Accounts, sessions, workspaces and API keys on the wire."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.kernel import Command, Value
from domain.membership import Role
from domain.workspace import Plan


class Registration(Command):
    """A new account and its workspace. The password has at least 8 characters."""

    name: str
    email: str
    password: str
    workspace_name: str


class Credentials(Command):
    email: str
    password: str


class UserView(Value):
    id: UUID
    name: str
    email: str
    role: Role


class WorkspaceView(Value):
    id: UUID
    name: str
    plan: Plan
    member_count: int
    phone_region: str
    created_at: datetime
    updated_at: datetime
    version: int


class Session(Value):
    """``token`` is shown once; send it as ``Authorization: Bearer``."""

    token: str
    expires_at: datetime
    user: UserView
    workspace: WorkspaceView


class Me(Value):
    user: UserView
    workspace: WorkspaceView


class NewApiKey(Command):
    name: str
    scopes: tuple[str, ...] = ("*",)
    expires_at: datetime | None = None


class ApiKeyView(Value):
    """An API key without the key: ``keyPrefix`` is how it begins."""

    id: UUID
    name: str
    key_prefix: str
    user_id: UUID
    workspace_id: UUID
    scopes: tuple[str, ...]
    is_active: bool
    expires_at: datetime | None
    last_used_at: datetime | None
    created_at: datetime
    creator_name: str | None
    creator_email: str | None


class ApiKeyCreated(ApiKeyView):
    """``rawKey`` is shown this once and never again."""

    raw_key: str
