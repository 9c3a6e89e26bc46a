"""Accounts, sessions, workspaces and API keys on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar
from uuid import UUID

from msgspec import Meta

from domain.kernel import JSON, Command, Value
from domain.membership import Role
from domain.workspace import Plan
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version, WorkspaceId


class Registration(Command):
    """A new account and its workspace. The password has at least 8 characters."""

    name: Annotated[str, Meta(description="Your full name.")]
    email: Annotated[str, Meta(description="An e-mail address; kept in lower case.")]
    password: Annotated[str, Meta(description="8 to 1024 characters.")]
    workspace_name: Annotated[str, Meta(description="What the new workspace is called.")]


class Credentials(Command):
    """What a user logs in with."""

    email: Annotated[str, Meta(description="An e-mail address; kept in lower case.")]
    password: Annotated[str, Meta(description="8 to 1024 characters.")]


class UserView(Value):
    """A user, and their role in the workspace."""

    id: Id
    name: Annotated[str, Meta(description="Its name.")]
    email: Annotated[str, Meta(description="An e-mail address; kept in lower case.")]
    role: Annotated[Role, Meta(description="What the user may do in the workspace.")]

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "name": "Olga Owner",
        "email": "olga@example.com",
        "role": "owner",
    }


class WorkspaceView(Value):
    """A tenant: the boundary of data, members and limits."""

    id: Id
    name: Annotated[str, Meta(description="Its name.")]
    plan: Annotated[Plan, Meta(description="What its rate limits are by.")]
    member_count: Annotated[int, Meta(description="How many users may enter it.")]
    phone_region: Annotated[
        str, Meta(description="The country (ISO 3166-1) of phone numbers that are written without one.")
    ]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

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

    token: Annotated[str, Meta(description="Shown once; send it as `Authorization: Bearer`.")]
    expires_at: Annotated[datetime, Meta(description="When the session ends by itself.")]
    user: Annotated[UserView, Meta(description="Who asks.")]
    workspace: Annotated[WorkspaceView, Meta(description="The workspace that is acted in.")]

    example: ClassVar[JSON] = {
        "token": "dbs_h0wLong1sAPieceOf5tringTha7NobodyCanGuess_x",
        "expiresAt": "2026-04-14T10:30:00.123456Z",
        "user": UserView.example,
        "workspace": WorkspaceView.example,
    }


class Me(Value):
    """The caller, and the workspace it acts in."""

    user: Annotated[UserView, Meta(description="Who asks.")]
    workspace: Annotated[WorkspaceView, Meta(description="The workspace that is acted in.")]

    example: ClassVar[JSON] = {"user": UserView.example, "workspace": WorkspaceView.example}


class NewApiKey(Command):
    """An API key to create."""

    name: Annotated[str, Meta(description="Its name.")]
    scopes: Annotated[
        tuple[str, ...],
        Meta(description="What it may do: `contacts:read`, `tags:write` …; `*` is all that its user may."),
    ] = ("*",)
    expires_at: Annotated[datetime | None, Meta(description="From when on it is refused; null: never.")] = None


class ApiKeyView(Value):
    """An API key without the key: ``keyPrefix`` is how it begins."""

    id: Id
    name: Annotated[str, Meta(description="Its name.")]
    key_prefix: Annotated[str, Meta(description="How the key begins, for telling keys apart.")]
    user_id: Annotated[UUID, Meta(description="The user.")]
    workspace_id: WorkspaceId
    scopes: Annotated[
        tuple[str, ...],
        Meta(description="What it may do: `contacts:read`, `tags:write` …; `*` is all that its user may."),
    ]
    is_active: Annotated[bool, Meta(description="Whether it is accepted; false once revoked or expired.")]
    expires_at: Annotated[datetime | None, Meta(description="From when on it is refused; null: never.")]
    last_used_at: Annotated[datetime | None, Meta(description="When it was last used, to the minute.")]
    created_at: CreatedAt
    creator_name: Annotated[str | None, Meta(description="The name of who made it.")]
    creator_email: Annotated[str | None, Meta(description="The e-mail address of who made it.")]

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

    raw_key: Annotated[str, Meta(description="The key itself, shown this once.")]

    example: ClassVar[JSON] = {**ApiKeyView.example, "rawKey": "dbk_x7Tq2LmAn0therPieceOf5tringNobodyGuesses_y"}
