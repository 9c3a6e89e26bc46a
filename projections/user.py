"""User rows: who is known in a workspace, and who of them are its members."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Final, LiteralString
from uuid import UUID

from domain.kernel import not_found
from domain.membership import Membership, Role
from domain.user import USER, User
from eventstore.database import Db
from eventstore.rows import Current
from projections import membership as memberships
from projections.membership import MEMBERSHIPS
from projections.table.asking.compiled import HERE, Compiled, every
from projections.table.column import FOLDED, LOWERED, TEXT, Column
from projections.table.listing import Listing
from projections.table.rows import RowTable
from schemas.user import MemberView
from schemas.wire.page import Sort

USERS: RowTable[User] = RowTable(
    name="users",
    decider=USER,
    version=4,
    columns=(
        Column("email", LOWERED, sort=True, searched=True, unique="A user with this e-mail address exists."),
        Column("name", TEXT),
        Column("sort_name", FOLDED, of=attrgetter("name"), wire="name", sort=True, searched=True),
    ),
)

LISTING = Listing(USERS, default=Sort(field="name"))

_MEMBERS: Final = f"id IN (SELECT user_id FROM {MEMBERSHIPS.table} WHERE workspace_id = %s)"
_WITH_ROLE: Final = f"id IN (SELECT user_id FROM {MEMBERSHIPS.table} WHERE workspace_id = %s AND role = %s)"
_MEMBER_WITH: Final[LiteralString] = f"""
    SELECT u.id FROM {USERS.table} u JOIN {MEMBERSHIPS.table} m ON m.workspace_id = u.workspace_id AND m.user_id = u.id
    WHERE u.workspace_id = %s AND u.email = %s
"""
_LAST_ACTIVE: Final[LiteralString] = f"""
    SELECT u.id, (
        SELECT e.recorded_at FROM events e WHERE e.workspace_id = u.workspace_id AND e.actor_id = u.id
        ORDER BY e.seq DESC LIMIT 1)
    FROM {USERS.table} u WHERE u.workspace_id = %s AND u.id = ANY(%s)
"""


def members(role: Role | None) -> Compiled:
    """Users who are members, with this role if any: who was removed stays known for what they did."""
    found = Compiled(_MEMBERS, (HERE,))
    return found if role is None else every(found, Compiled(_WITH_ROLE, (HERE, role)))


def version(user: Current[User], membership: Current[Membership]) -> int:
    """Of a member: it goes up with whatever changes of either."""
    return user.version + membership.version


def views(conn: Db, users: Sequence[Current[User]]) -> list[MemberView]:
    """Those of these users who are members."""
    return list(_views(conn, users))


def _views(conn: Db, users: Sequence[Current[User]]) -> Iterator[MemberView]:
    ids = [user.id for user in users]
    active: dict[UUID, datetime | None] = dict(conn.execute(_LAST_ACTIVE, (conn.workspace_id, ids)).fetchall())
    found = memberships.of(conn, ids)
    for user in users:
        if user.id in found:
            yield _view(user, found[user.id], active.get(user.id))


def _view(user: Current[User], membership: Current[Membership], active: datetime | None) -> MemberView:
    role = membership.state.role
    return MemberView(
        id=user.id,
        name=user.state.name,
        email=user.state.email,
        image=user.state.image,
        role=role,
        is_admin=role in ("owner", "admin"),
        assigned_only=membership.state.assigned_only,
        status="suspended" if membership.state.suspended else "active",
        last_active_at=active,
        created_at=user.created_at,
        updated_at=max(user.updated_at, membership.updated_at),
        version=version(user, membership),
    )


def one(conn: Db, user_id: UUID) -> MemberView:
    """A member; refuses with ``not_found`` who is none."""
    for view in views(conn, list(USERS.load(conn, [user_id]).values())):
        return view
    raise not_found("user")


def member_with(conn: Db, email: str) -> UUID | None:
    """The member who has this e-mail address."""
    row = conn.execute(_MEMBER_WITH, (conn.workspace_id, email)).fetchone()
    return None if row is None else UUID(str(row[0]))
