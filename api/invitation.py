"""Invitations to the workspace over HTTP."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Act, Ask, Change
from api.http.paging import Search
from api.http.recall import Recall
from api.http.routes import delete, get, post
from application import invitation as invitations
from eventstore.work import Work
from projections import invitation as rows
from schemas.invitation import InvitationView, NewInvitation
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {"email": "mara@example.com", "role": "member", "name": "Mara Member", "assignedOnly": True}


class InvitationController(Controller):
    path = "/users"
    tags = ["Users"]  # noqa: RUF012 - what Litestar reads

    @post(
        "/invite",
        operation_id="inviteUser",
        summary="Invite a user to the workspace by e-mail",
        scope="users:write",
        errors=("conflict",),
        example=_NEW,
    )
    def invite_user(self, act: NamedDependency[Act], data: RequestBody[NewInvitation]) -> Json[One[InvitationView]]:
        """Sends a mail with a link by which they join, within 7 days; without a mail server it is kept in the outbox. Only
        owners invite owners (403). Who is a member or invited already is not invited again (409).
        """

        def work(unit: Work) -> Answer:
            invitation = invitations.invite(unit, act.services, act.caller, data)
            (view,) = rows.views(unit.conn, [invitation])
            return Answer(view, invitation.version, 201, f"/api/v1/users/invitations/{invitation.id}")

        return act.answer(work)

    @get("/invitations", operation_id="listInvitations", summary="List open invitations", scope="users:read")
    def list_invitations(
        self, ask: NamedDependency[Ask], wanted: NamedDependency[PageRequest], search: Search = None
    ) -> Json[Page[InvitationView]]:
        """Those that were neither accepted nor withdrawn. The search looks in e-mail addresses."""
        return ask.listed(wanted, lambda conn: rows.LISTING.search(conn, wanted, search), rows.views)

    @get(
        "/invitations/{invitation_id:uuid}",
        operation_id="getInvitation",
        summary="Get one invitation",
        scope="users:read",
    )
    def get_invitation(
        self, recall: NamedDependency[Recall], invitation_id: FromPath[UUID]
    ) -> Json[One[InvitationView]]:
        return recall.one(rows.INVITATIONS, invitation_id, rows.views)

    @post(
        "/invitations/{invitation_id:uuid}/resend",
        operation_id="resendInvitation",
        summary="Send an invitation again",
        scope="users:write",
        status=200,
    )
    def resend_invitation(self, act: NamedDependency[Act], invitation_id: FromPath[UUID]) -> Json[One[InvitationView]]:
        """With a new link and 7 days more: the link before does not lead anywhere any more."""

        def work(unit: Work) -> Answer:
            invitation = invitations.resend(unit, act.services, act.caller, invitation_id)
            (view,) = rows.views(unit.conn, [invitation])
            return Answer(view, invitation.version)

        return act.answer(work)

    @delete(
        "/invitations/{invitation_id:uuid}",
        operation_id="withdrawInvitation",
        summary="Withdraw an invitation",
        scope="users:write",
    )
    def withdraw_invitation(self, change: NamedDependency[Change], invitation_id: FromPath[UUID]) -> Json[None]:
        """From the answer on, its link does not lead anywhere."""
        return change.done(lambda unit: invitations.withdraw(unit, invitation_id, change.if_version))
