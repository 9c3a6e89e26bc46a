"""The members of a workspace over HTTP."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Ask, Change
from api.http.paging import Search
from api.http.recall import Recall
from api.http.routes import delete, get, patch
from application import user as users
from domain.membership import Role
from eventstore.work import Work
from projections import user as rows
from schemas.job import JobView
from schemas.user import MemberPatch, MemberView
from schemas.wire.page import One, Page, PageRequest

_CHANGED: Final = {"role": "member", "assignedOnly": True, "name": "Mara Member"}


class UserController(Controller):
    path = "/users"
    tags = ["Users"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listUsers", summary="List and search the workspace's users", scope="users:read")
    def list_users(
        self,
        ask: NamedDependency[Ask],
        wanted: NamedDependency[PageRequest],
        search: Search = None,
        role: Annotated[Role | None, QueryParameter(description="Only those with this role.")] = None,
    ) -> Json[Page[MemberView]]:
        """By name, unless asked otherwise. The search looks in names and e-mail addresses."""
        return ask.listed(
            wanted, lambda conn: rows.LISTING.search(conn, wanted, search, rows.members(role)), rows.views
        )

    @get("/{user_id:uuid}", operation_id="getUser", summary="Get one user", scope="users:read")
    def get_user(self, recall: NamedDependency[Recall], user_id: FromPath[UUID]) -> Json[One[MemberView]]:
        with recall.reading() as conn:
            found = rows.one(conn, user_id)
        return recall.told(found, headers={"etag": f'"{found.version}"'})

    @patch(
        "/{user_id:uuid}",
        operation_id="updateUser",
        summary="Change a user's role or name",
        scope="users:write",
        errors=("conflict",),
        example=_CHANGED,
    )
    def update_user(
        self, change: NamedDependency[Change], user_id: FromPath[UUID], data: RequestBody[MemberPatch]
    ) -> Json[One[MemberView]]:
        """What they may do changes from the answer on. Only owners make owners, or change what an owner may do (403). The last
        owner stays one (409).
        """

        def work(unit: Work) -> Answer:
            view = users.change(unit, change.caller, user_id, data, change.if_version)
            return Answer(view, view.version)

        return change.answer(work)

    @delete(
        "/{user_id:uuid}",
        operation_id="deleteUser",
        summary="Remove a user from the workspace",
        scope="users:write",
        errors=("conflict",),
        large=True,
    )
    def remove_user(self, change: NamedDependency[Change], user_id: FromPath[UUID]) -> Json[One[JobView]]:
        """From the answer on, they cannot enter the workspace: their sessions and API keys end. What is assigned to them is
        assigned to nobody; what they did stays theirs. Only owners remove owners (403), and the last one stays (409).
        """
        answer = change.ended(
            lambda unit: users.remove(unit, change.caller, user_id, change.if_version),
            lambda unit: users.begin_to_remove(unit, change.caller, user_id, change.if_version),
        )
        users.leave(change.services, change.caller, user_id)
        return answer
