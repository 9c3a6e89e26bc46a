"""Interactions over HTTP: those of a contact, and each by its own id."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Act, Ask, Change
from api.http.filtering import asked_of
from api.http.recall import Recall
from api.http.routes import delete, get, post
from application import interaction as interactions
from domain.interaction import INTERACTION, DeleteInteraction, Interaction, InteractionType
from eventstore.database import Db
from eventstore.work import Work
from projections import interaction as rows
from projections.contact import CONTACTS
from projections.table.listing import Listed
from schemas.interaction import InteractionView, NewInteraction
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {
    "type": "meeting",
    "subject": "Kick-off",
    "body": "Met in person",
    "occurredAt": "2026-03-01T10:00:00Z",
    "metadata": {"room": "4"},
}


class InteractionController(Controller):
    path = "/"
    tags = ["Interactions"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/contacts/{contact_id:uuid}/interactions",
        operation_id="listInteractions",
        summary="List a contact's interactions",
        scope="interactions:read",
    )
    def list_interactions(
        self,
        ask: NamedDependency[Ask],
        contact_id: FromPath[UUID],
        wanted: NamedDependency[PageRequest],
        kind: Annotated[InteractionType | None, QueryParameter(name="type", description="Only of this type.")] = None,
    ) -> Json[Page[InteractionView]]:
        """The last that occurred first, unless sorted by createdAt."""
        where = asked_of(rows.INTERACTIONS, ("contactId", "eq", contact_id), ("type", "eq", kind))

        def fetch(conn: Db) -> Listed[Interaction]:
            ask.found(conn, CONTACTS, contact_id)
            return rows.LISTING.fetch(conn, wanted, where)

        return ask.listed(wanted, fetch, rows.views)

    @post(
        "/contacts/{contact_id:uuid}/interactions",
        operation_id="createInteraction",
        summary="Record an interaction with a contact",
        scope="interactions:write",
        example=_NEW,
    )
    def create_interaction(
        self, act: NamedDependency[Act], contact_id: FromPath[UUID], data: RequestBody[NewInteraction]
    ) -> Json[One[InteractionView]]:
        """It is never changed; it can be deleted, and recorded anew."""

        def answered(unit: Work) -> Answer:
            made = interactions.record(unit, contact_id, data)
            (view,) = rows.views(unit.conn, [made])
            return Answer(view, made.version, 201, f"/api/v1/interactions/{made.id}")

        return act.answer(answered)

    @get(
        "/interactions/{interaction_id:uuid}",
        operation_id="getInteraction",
        summary="Get one interaction",
        scope="interactions:read",
        conditional=True,
    )
    def get_interaction(
        self, recall: NamedDependency[Recall], interaction_id: FromPath[UUID]
    ) -> Json[One[InteractionView]]:
        return recall.one(rows.INTERACTIONS, interaction_id, rows.views, alone=lambda _: True)

    @delete(
        "/interactions/{interaction_id:uuid}",
        operation_id="deleteInteraction",
        summary="Delete an interaction",
        scope="interactions:write",
    )
    def delete_interaction(self, change: NamedDependency[Change], interaction_id: FromPath[UUID]) -> Json[None]:
        """For good. That it was recorded stays in the log."""
        return change.end(INTERACTION, interaction_id, DeleteInteraction())
