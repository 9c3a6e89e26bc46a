"""The audit trail over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, get
from litestar.di import NamedDependency, Provide
from litestar.params import QueryParameter

from api.http.answers import Asked, Json, page
from api.http.operation import errors, needs
from api.http.paging import page_request
from application.calling.services import Services
from domain.kernel import Action
from eventstore.database import reading
from projections import activity as rows
from schemas.activity import ActivityView
from schemas.wire.page import Page, PageRequest, page_meta


class ActivityController(Controller):
    path = "/activities"
    tags = ["Activities"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="listActivities",
        summary="The audit trail, newest first",
        description=(
            "Every creation, change, deletion and login, with what changed from what to what and by whom. A member limited"
            " to what is assigned to them sees what concerns those contacts, and what they did themselves."
        ),
        opt=needs("activities:read"),
        responses=errors(),
        dependencies={"wanted": Provide(page_request, sync_to_thread=False)},
        sync_to_thread=True,
    )
    def list_activities(
        self,
        services: NamedDependency[Services],
        request: Asked,
        wanted: NamedDependency[PageRequest],
        entity_type: Annotated[
            str | None,
            QueryParameter(
                name="entityType", max_length=40, description="Only things of this kind: contact, tag, user …"
            ),
        ] = None,
        entity_id: Annotated[UUID | None, QueryParameter(name="entityId", description="Only this one thing.")] = None,
        action: Annotated[Action | None, QueryParameter(description="Only what amounts to this.")] = None,
        user_id: Annotated[
            UUID | None, QueryParameter(name="userId", description="Only what this user did, or a key of theirs.")
        ] = None,
    ) -> Json[Page[ActivityView]]:
        caller = request.user
        asked = rows.ActivityQuery(
            entity_type=entity_type,
            entity_id=entity_id,
            action=action,
            user_id=user_id,
            visible_to=caller.visible_to,
        )
        with reading(services.pool, caller.workspace_id) as conn:
            views, total, cursor = rows.listed(conn, wanted, asked)
        return page(Page(data=views, meta=page_meta(wanted, total, cursor)))
