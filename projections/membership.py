"""Membership rows: what each user may do."""

from __future__ import annotations

from uuid import UUID

from domain.membership import MEMBERSHIP, Membership
from eventstore.database import Db
from projections.table.column import BOOLEAN, ID, TEXT, Column
from projections.table.rows import RowTable

MEMBERSHIPS: RowTable[Membership] = RowTable(
    table="memberships",
    decider=MEMBERSHIP,
    version=2,
    columns=(
        Column("user_id", ID, unique="This user is a member already."),
        Column("role", TEXT),
        Column("assigned_only", BOOLEAN),
    ),
    key="user_id",
    times=(),
)


def is_member(conn: Db, user_id: UUID) -> bool:
    row = conn.execute(
        "SELECT true FROM memberships WHERE workspace_id = %s AND user_id = %s", (conn.workspace_id, user_id)
    ).fetchone()
    return row is not None
