"""Membership rows: what each user may do."""

from __future__ import annotations

from domain.membership import MEMBERSHIP, Membership
from projections.table.column import BOOLEAN, ID, TEXT, Column
from projections.table.rows import RowTable

MEMBERSHIPS: RowTable[Membership] = RowTable(
    table="memberships",
    decider=MEMBERSHIP,
    version=3,
    columns=(
        Column("user_id", ID, unique="This user is a member already."),
        Column("role", TEXT),
        Column("assigned_only", BOOLEAN),
    ),
    key="user_id",
    called="member",
    times=(),
)
