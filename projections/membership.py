"""Membership rows: what each user may do."""

from __future__ import annotations

from uuid import UUID

from domain.membership import MEMBERSHIP, Membership
from eventstore.database import Db
from projections.table.rows import RowTable, Unique

MEMBERSHIPS: RowTable[Membership] = RowTable(
    table="memberships",
    decider=MEMBERSHIP,
    version=1,
    columns={"user_id": "uuid NOT NULL", "role": "text NOT NULL", "assigned_only": "boolean NOT NULL"},
    project=lambda member: (member.state.user_id, member.state.role, member.state.assigned_only),
    indexes={},
    unique={"memberships_user": Unique(columns=("user_id",), where="", message="This user is a member already.")},
)


def is_member(conn: Db, user_id: UUID) -> bool:
    row = conn.execute(
        "SELECT true FROM memberships WHERE workspace_id = current_workspace() AND user_id = %s", (user_id,)
    ).fetchone()
    return row is not None
