"""The members of a workspace on the wire."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, ClassVar, Literal

from msgspec import UNSET, Meta, UnsetType

from domain.kernel import JSON, Command, Value
from domain.membership import AssignedOnly, RoleOfUser
from domain.user import EmailAddress, FullName, Image
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version

MemberStatus = Literal["active", "suspended"]


class MemberView(Value):
    """A member of the workspace."""

    id: Id
    name: FullName
    email: EmailAddress
    image: Image | None
    role: RoleOfUser
    is_admin: Annotated[bool, Meta(description="Whether they are an owner or an admin.")]
    assigned_only: AssignedOnly
    status: Annotated[
        MemberStatus, Meta(description="`suspended`: they are being removed, and cannot enter the workspace any more.")
    ]
    last_active_at: Annotated[
        datetime | None, Meta(description="When they last logged in or changed something; null: never.")
    ]
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "name": "Olga Owner",
        "email": "olga@example.com",
        "image": None,
        "role": "owner",
        "isAdmin": True,
        "assignedOnly": False,
        "status": "active",
        "lastActiveAt": "2026-03-15T10:30:00.123456Z",
        "createdAt": "2026-01-07T08:00:00.000001Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 7,
    }


class MemberPatch(Command):
    """What to change of a member."""

    name: FullName | UnsetType = UNSET
    image: Image | UnsetType | None = UNSET
    role: RoleOfUser | UnsetType = UNSET
    assigned_only: AssignedOnly | UnsetType = UNSET
