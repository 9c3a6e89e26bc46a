"""Membership rows: what each user may do."""

from __future__ import annotations

from domain.membership import MEMBERSHIP, Membership
from projections.rows import RowTable, Unique

MEMBERSHIPS: RowTable[Membership] = RowTable(
    table="memberships",
    decider=MEMBERSHIP,
    version=1,
    columns={"user_id": "uuid NOT NULL", "role": "text NOT NULL", "assigned_only": "boolean NOT NULL"},
    project=lambda member: (member.state.user_id, member.state.role, member.state.assigned_only),
    indexes={},
    unique={"memberships_user": Unique(columns=("user_id",), where="", message="This user is a member already.")},
)
