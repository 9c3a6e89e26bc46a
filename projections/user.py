"""User rows: who is known in a workspace."""

from __future__ import annotations

from domain.user import USER, User
from projections.table.rows import RowTable, Unique

USERS: RowTable[User] = RowTable(
    table="users",
    decider=USER,
    version=1,
    columns={"email": "text NOT NULL", "name": "text NOT NULL"},
    project=lambda user: (user.state.email, user.state.name),
    indexes={},
    unique={"users_email": Unique(columns=("email",), where="", message="A user with this e-mail address exists.")},
)
