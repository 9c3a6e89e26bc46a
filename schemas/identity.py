"""Accounts, sessions, workspaces and API keys on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import ClassVar
from uuid import UUID

from domain.kernel import JSON, Command, Value
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

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "name": "Olga Owner",
        "email": "olga@example.com",
        "role": "owner",
    }


class WorkspaceView(Value):
    id: UUID
    name: str
    plan: Plan
    member_count: int
    phone_region: str
    created_at: datetime
    updated_at: datetime
    version: int

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "name": "Acme Sales",
        "plan": "standard",
        "memberCount": 4,
        "phoneRegion": "US",
        "createdAt": "2026-01-07T08:00:00.000001Z",
        "updatedAt": "2026-02-01T09:30:00.000001Z",
        "version": 2,
    }


class Session(Value):
    """``token`` is shown once; send it as ``Authorization: Bearer``."""

    token: str
    expires_at: datetime
    user: UserView
    workspace: WorkspaceView

    example: ClassVar[JSON] = {
        "token": "dbs_h0wLong1sAPieceOf5tringTha7NobodyCanGuess_x",
        "expiresAt": "2026-04-14T10:30:00.123456Z",
        "user": UserView.example,
        "workspace": WorkspaceView.example,
    }


class Me(Value):
    user: UserView
    workspace: WorkspaceView

    example: ClassVar[JSON] = {"user": UserView.example, "workspace": WorkspaceView.example}


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

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0040",
        "name": "Web shop",
        "keyPrefix": "dbk_x7Tq2LmA",
        "userId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "workspaceId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0010",
        "scopes": ["contacts:write", "tags:read"],
        "isActive": True,
        "expiresAt": "2027-03-15T00:00:00Z",
        "lastUsedAt": None,
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "creatorName": "Olga Owner",
        "creatorEmail": "olga@example.com",
    }


class ApiKeyCreated(ApiKeyView):
    """``rawKey`` is shown this once and never again."""

    raw_key: str

    example: ClassVar[JSON] = {**ApiKeyView.example, "rawKey": "dbk_x7Tq2LmAn0therPieceOf5tringNobodyGuesses_y"}
