"""The members of a workspace: what they may do, and how they go."""

from __future__ import annotations

from uuid import UUID

from msgspec import UNSET

from application.calling import directory
from application.calling.caller import Caller
from application.calling.services import Services
from application.working import deletion
from domain.api_key import API_KEY, RevokeApiKey
from domain.kernel import Refused, not_found
from domain.membership import (
    MEMBERSHIP,
    ChangeMembership,
    Membership,
    RevokeMembership,
    SuspendMembership,
)
from domain.user import USER, UpdateUser
from eventstore.database import reading, wait_for_turn
from eventstore.rows import Current
from eventstore.work import Work
from projections import api_key as api_keys
from projections import membership as memberships
from projections import user as users
from projections.identity import access
from schemas.job import JobView
from schemas.user import MemberPatch, MemberView


def check_may_make(caller: Caller, *roles: object) -> None:
    """Refuses (``permission_denied``) who is no owner, where one of the roles is that of owners."""
    if caller.role != "owner" and "owner" in roles:
        raise Refused("permission_denied", "Only owners make owners, change what they may, and remove them.")


def change(unit: Work, caller: Caller, user_id: UUID, form: MemberPatch, if_version: int | None) -> MemberView:
    """Changes the given fields. Refuses (``conflict``) to leave a workspace without an owner."""
    membership = _member(unit, user_id, if_version)
    unit.execute(USER, user_id, UpdateUser(name=form.name, image=form.image))
    if form.role is not UNSET or form.assigned_only is not UNSET:
        check_may_make(caller, membership.state.role, form.role)
        if form.role not in (UNSET, "owner"):
            _leave_an_owner(unit, membership)
        command = ChangeMembership(role=form.role, assigned_only=form.assigned_only)
        unit.execute(MEMBERSHIP, membership.id, command)
    unit.write_rows()
    return users.one(unit.conn, user_id)


def remove(unit: Work, caller: Caller, user_id: UUID, if_version: int | None) -> None:
    """Ends a membership and the keys of its user; what is assigned to them is assigned to nobody then."""
    unit.execute(MEMBERSHIP, _going(unit, caller, user_id, if_version).id, RevokeMembership())


def begin_to_remove(unit: Work, caller: Caller, user_id: UUID, if_version: int | None) -> JobView:
    """The same where very much is assigned to them: a job sees to it, and they are locked out at once."""
    membership = _going(unit, caller, user_id, if_version)
    unit.execute(MEMBERSHIP, membership.id, SuspendMembership())
    unit.write_rows()
    return deletion.begin(unit, caller, MEMBERSHIP.stream_type, membership.id, None)


def leave(services: Services, caller: Caller, user_id: UUID) -> None:
    """Behind the workspace, which has the last word, the directory: where they can log in, and their sessions."""
    with reading(services.pool, caller.workspace_id) as conn:
        _, standing = access(conn, user_id, None)
    if standing is None:
        directory.leave(services.directory, user_id, caller.workspace_id)


def _going(unit: Work, caller: Caller, user_id: UUID, if_version: int | None) -> Current[Membership]:
    """A member who is to go, without keys; refuses as is said above."""
    membership = _member(unit, user_id, if_version)
    check_may_make(caller, membership.state.role)
    _leave_an_owner(unit, membership)
    keys = api_keys.active_of(unit.conn, user_id)
    unit.load(API_KEY, keys)
    for key_id in keys:
        unit.execute(API_KEY, key_id, RevokeApiKey())
    return membership


def _member(unit: Work, user_id: UUID, if_version: int | None) -> Current[Membership]:
    found = memberships.of(unit.conn, [user_id]).get(user_id)
    if found is None:
        raise not_found("user")
    user, membership = unit.get(USER, user_id), unit.get(MEMBERSHIP, found.id)
    version = users.version(user, membership)
    if if_version not in (None, version):
        raise Refused("precondition_failed", f"This user has changed since: its version is {version}.")
    return membership


def _leave_an_owner(unit: Work, membership: Current[Membership]) -> None:
    """Two owners who go at the same moment do so one after the other."""
    if membership.state.role != "owner" or membership.state.suspended:
        return
    wait_for_turn(unit.conn, "owners")
    if not memberships.other_owners(unit.conn, membership.state.user_id):
        raise Refused("conflict", "This is the last owner: make somebody else an owner before.")
