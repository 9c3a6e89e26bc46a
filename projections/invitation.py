"""Invitation rows, and what their links are checked against."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.invitation import INVITATION, Invitation
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import LOWERED, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from projections.table.showing import shown
from schemas.invitation import InvitationView
from schemas.wire.page import Sort

INVITATIONS: RowTable[Invitation] = RowTable(
    name="invitations",
    decider=INVITATION,
    version=1,
    columns=(
        Column(
            "email",
            LOWERED,
            sort=True,
            searched=True,
            unique="This address is invited already: send the invitation again, or withdraw it.",
        ),
    ),
)

LISTING = Listing(INVITATIONS, default=Sort(field="createdAt", descending=True))

_KEEP: Final[LiteralString] = """
    INSERT INTO invitation_secrets (workspace_id, invitation_id, token_hash) VALUES (%s, %s, %s)
    ON CONFLICT (workspace_id, invitation_id) DO UPDATE SET token_hash = excluded.token_hash
"""
_FORGET: Final[LiteralString] = "DELETE FROM invitation_secrets WHERE workspace_id = %s AND invitation_id = %s"
_HASH: Final[LiteralString] = """
    SELECT token_hash FROM invitation_secrets WHERE workspace_id = %s AND invitation_id = %s
"""


def views(conn: Db, invitations: Sequence[Current[Invitation]]) -> list[InvitationView]:
    now = conn.now
    return [
        shown(InvitationView, invitation, status="expired" if invitation.state.expires_at <= now else "pending")
        for invitation in invitations
    ]


def keep_hash(conn: Db, invitation_id: UUID, token_hash: bytes) -> None:
    """Of the link that leads to the invitation from now on, instead of any before."""
    conn.execute(_KEEP, (conn.workspace_id, invitation_id, token_hash))


def forget_hash(conn: Db, invitation_id: UUID) -> None:
    conn.execute(_FORGET, (conn.workspace_id, invitation_id))


def hash_of(conn: Db, invitation_id: UUID) -> bytes | None:
    """``None`` where no link leads to such an invitation."""
    row = conn.execute(_HASH, (conn.workspace_id, invitation_id)).fetchone()
    return None if row is None else bytes(row[0])
