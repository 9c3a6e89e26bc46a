"""User rows: who is known in a workspace."""

from __future__ import annotations

from domain.user import USER, User
from projections.table.column import TEXT, Column
from projections.table.rows import RowTable

USERS: RowTable[User] = RowTable(
    table="users",
    decider=USER,
    version=3,
    columns=(Column("email", TEXT, unique="A user with this e-mail address exists."), Column("name", TEXT)),
    times=(),
)
