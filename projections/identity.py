"""Who is who in a workspace: users with their roles, the workspace itself, and its API keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from domain.api_key import ApiKey
from domain.kernel import not_found
from domain.membership import Role
from domain.workspace import Plan, Workspace
from eventstore.database import Db
from eventstore.rows import Current
from projections.api_key import API_KEYS
from projections.membership import MEMBERSHIPS
from projections.user import USERS
from projections.workspace import WORKSPACES
from schemas.identity import ApiKeyView, UserView, WorkspaceView

_SCOPES: Final[LiteralString] = f"""
    SELECT scopes FROM {API_KEYS.table}
    WHERE workspace_id = %s AND id = %s AND is_active AND (expires_at IS NULL OR expires_at > now())
"""
_STANDING: Final[LiteralString] = f"""
    SELECT m.role, m.assigned_only, w.plan FROM {MEMBERSHIPS.table} m JOIN {WORKSPACES.table} w ON w.workspace_id = m.workspace_id
    WHERE m.workspace_id = %s AND m.user_id = %s AND NOT m.suspended
"""


@dataclass(frozen=True)
class Standing:
    """What a member may do in a workspace."""

    role: Role
    assigned_only: bool
    plan: Plan


def access(conn: Db, account_id: UUID, api_key_id: UUID | None) -> tuple[tuple[str, ...] | None, Standing | None]:
    """The scopes of a key, ``None`` where it is unknown, revoked or expired, and what its account may do here.

    Without a key all scopes. One round trip.
    """
    key = None if api_key_id is None else conn.execute(_SCOPES, (conn.workspace_id, api_key_id))
    member = conn.execute(_STANDING, (conn.workspace_id, account_id))
    found = (("*",),) if key is None else key.fetchone()
    standing = member.fetchone()
    return None if found is None else tuple(found[0]), None if standing is None else Standing(*standing)


def user(conn: Db, user_id: UUID, role: Role) -> UserView:
    """A user with their role in this workspace. A member of another workspace's making is known by their account."""
    found = USERS.load(conn, [user_id]).get(user_id)
    if found is None:
        raise not_found("user")
    return UserView(id=user_id, name=found.state.name, email=found.state.email, role=role)


def workspace(conn: Db, workspace_id: UUID) -> WorkspaceView:
    found = WORKSPACES.load(conn, [workspace_id]).get(workspace_id)
    if found is None:
        raise not_found("workspace")
    return workspace_view(conn, found)


def workspace_view(conn: Db, found: Current[Workspace]) -> WorkspaceView:
    members = conn.execute(
        f"SELECT count(*) FROM {MEMBERSHIPS.table} WHERE workspace_id = %s", (conn.workspace_id,)
    ).fetchone()
    return WorkspaceView(
        id=found.id,
        name=found.state.name,
        plan=found.state.plan,
        member_count=members[0] if members else 0,
        phone_region=found.state.phone_region,
        created_at=found.created_at,
        updated_at=found.updated_at,
        version=found.version,
    )


def api_keys(conn: Db, keys: Sequence[Current[ApiKey]], used: Mapping[UUID, datetime | None]) -> list[ApiKeyView]:
    """API keys with who made them and when each was last ``used``."""
    creators = USERS.load(conn, list({key.state.user_id for key in keys}))
    return [
        ApiKeyView(**api_key_fields(conn.workspace_id, key, creators.get(key.state.user_id), used.get(key.id)))
        for key in keys
    ]


def api_key_fields(
    workspace_id: UUID, key: Current[ApiKey], creator: Current[Any] | None, last_used_at: datetime | None
) -> dict[str, Any]:
    state = key.state
    return {
        "id": key.id,
        "name": state.name,
        "key_prefix": state.key_prefix,
        "user_id": state.user_id,
        "workspace_id": workspace_id,
        "scopes": state.scopes,
        "is_active": state.is_active and (state.expires_at is None or state.expires_at > datetime.now(UTC)),
        "expires_at": state.expires_at,
        "last_used_at": last_used_at,
        "created_at": key.created_at,
        "creator_name": creator.state.name if creator else None,
        "creator_email": creator.state.email if creator else None,
    }
