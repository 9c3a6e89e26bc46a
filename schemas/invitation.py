"""Invitations on the wire."""

from __future__ import annotations

from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from domain.invitation import ExpiresAt, InvitationDetails, InvitedBy, InvitedByName
from domain.kernel import JSON, Command
from schemas.wire.words import CreatedAt, Id, UpdatedAt, Version

InvitationStatus = Literal["pending", "expired"]


class NewInvitation(InvitationDetails, Command):
    """Whom to invite."""


class InvitationView(InvitationDetails, kw_only=True):
    """An invitation that was neither accepted nor withdrawn."""

    id: Id
    status: Annotated[InvitationStatus, Meta(description="Whether it can be accepted, or has to be sent again before.")]
    invited_by: InvitedBy
    invited_by_name: InvitedByName
    expires_at: ExpiresAt
    created_at: CreatedAt
    updated_at: UpdatedAt
    version: Version

    example: ClassVar[JSON] = {
        "id": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0310",
        "email": "mara@example.com",
        "role": "member",
        "name": "Mara Member",
        "assignedOnly": True,
        "status": "pending",
        "invitedBy": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0020",
        "invitedByName": "Olga Owner",
        "expiresAt": "2026-03-22T10:30:00.123456Z",
        "createdAt": "2026-03-15T10:30:00.123456Z",
        "updatedAt": "2026-03-15T10:30:00.123456Z",
        "version": 1,
    }


class Acceptance(Command):
    """How an invitation is accepted."""

    token: Annotated[str, Meta(description="What stands behind the `#` of the link in the mail.")]
    password: Annotated[
        str | None,
        Meta(
            description="Of the account of that address; of a new one, 8 to 1024 characters. Not needed with a session."
        ),
    ] = None
    name: Annotated[str | None, Meta(description="Your full name, unless the invitation has it.")] = None
