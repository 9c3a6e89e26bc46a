"""The audit trail over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.answers import Json
from api.http.ask import Ask
from api.http.routes import get
from domain.kernel import Action
from projections import activity as rows
from projections.catalogue import TABLES
from schemas.activity import ActivityView
from schemas.wire.page import Page, PageRequest


class ActivityController(Controller):
    path = "/activities"
    tags = ["Activities"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listActivities", summary="The audit trail, newest first", scope="activities:read")
    def list_activities(
        self,
        ask: NamedDependency[Ask],
        paged: NamedDependency[PageRequest],
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
        """Every creation, change, deletion and login, with what changed from what to what and by whom. A member limited
        to what is assigned to them sees what concerns those contacts, and what they did themselves; of webhooks it tells
        those who may read them. What a user may do here is told of as the user.
        """
        asked = rows.ActivityQuery(
            entity_type=entity_type,
            entity_id=entity_id,
            action=action,
            user_id=user_id,
            visible_to=ask.visible_to,
            untold=ask.caller.untold,
        )
        with ask.reading() as conn:
            return ask.page(paged, *rows.listed(conn, TABLES, paged, asked))
