"""Who asks: the account, the workspace it acts in, and what it may do there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final
from uuid import UUID

from application.calling.rights import Standing, allows, standing, untold
from domain.membership import Role
from domain.workspace import Plan
from eventstore.append import Origin
from schemas.log import Actor

_ADMINS: Final = frozenset({"owner", "admin"})


@dataclass(frozen=True)
class Caller:
    """``token_hash`` is that of the session or key, and ``home_id`` the workspace that it was made in."""

    workspace_id: UUID
    account_id: UUID
    role: Role
    plan: Plan
    scopes: tuple[str, ...] = ("*",)
    api_key_id: UUID | None = None
    assigned_only: bool = False
    request_id: str | None = None
    token_hash: bytes = field(default=b"", repr=False)
    home_id: UUID | None = None

    @property
    def workspaces(self) -> frozenset[UUID]:
        """Whose changes can change what this caller may."""
        return frozenset({self.workspace_id, self.home_id or self.workspace_id})

    @property
    def is_admin(self) -> bool:
        return self.role in _ADMINS

    @property
    def visible_to(self) -> UUID | None:
        """Whose records only may be seen: a member limited to what is assigned to them sees only theirs."""
        return self.account_id if self.assigned_only and not self.is_admin else None

    @property
    def standing(self) -> Standing:
        return standing(self.role, assigned_only=self.assigned_only)

    @property
    def untold(self) -> frozenset[str]:
        """The kinds of stream of which the audit trail tells this caller nothing."""
        return untold(self.standing)

    def may(self, scope: str) -> bool:
        """Whether the table of rights and the caller's scopes both allow ``resource:read`` or ``resource:write``."""
        if not allows(self.standing, scope):
            return False
        resource, _, _ = scope.partition(":")
        return any(held in ("*", "admin", scope) or held == f"{resource}:write" for held in self.scopes)

    def origin(self) -> Origin:
        """The metadata of what this caller makes happen."""
        actor = Actor(type="user", id=self.account_id)
        if self.api_key_id is not None:
            actor = Actor(type="api_key", id=self.api_key_id)
        return Origin(
            workspace_id=self.workspace_id, actor=actor, request_id=self.request_id, visible_to=self.visible_to
        )
