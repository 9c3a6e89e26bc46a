"""Membership rows: what each user may do."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, LiteralString
from uuid import UUID

from domain.membership import MEMBERSHIP, Membership
from eventstore.database import Db
from eventstore.rows import Current
from projections.table.column import BOOLEAN, ID, TEXT, Column
from projections.table.rows import RowTable

MEMBERSHIPS: RowTable[Membership] = RowTable(
    name="memberships",
    decider=MEMBERSHIP,
    version=4,
    columns=(
        Column("user_id", ID, unique="This user is a member already."),
        Column("role", TEXT),
        Column("assigned_only", BOOLEAN),
        Column("suspended", BOOLEAN),
    ),
    key="user_id",
    called="member",
    times=(),
)

_OF: Final[LiteralString] = f"""
    SELECT id, state::text, version, created_at, updated_at FROM {MEMBERSHIPS.table} WHERE workspace_id = %s AND user_id = ANY(%s)
"""
_OTHER_OWNERS: Final[LiteralString] = f"""
    SELECT count(*) FROM {MEMBERSHIPS.table} WHERE workspace_id = %s AND role = 'owner' AND NOT suspended AND user_id <> %s
"""


def of(conn: Db, users: Sequence[UUID]) -> dict[UUID, Current[Membership]]:
    """By user, the memberships of those who have one."""
    found = [MEMBERSHIPS.current(row) for row in conn.execute(_OF, (conn.workspace_id, list(users)))]
    return {membership.state.user_id: membership for membership in found}


def other_owners(conn: Db, user_id: UUID) -> int:
    """How many owners there would be without this user."""
    row = conn.execute(_OTHER_OWNERS, (conn.workspace_id, user_id)).fetchone()
    return 0 if row is None else int(row[0])
