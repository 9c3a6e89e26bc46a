"""Contacts that may be the same person, over HTTP: finding them, and saying that they are not."""

from __future__ import annotations

from typing import Annotated, Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, QueryParameter, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Act, Ask, Change
from api.http.recall import Recall
from api.http.routes import delete, get, post
from application import contact_duplicate as duplicates
from domain.contact_duplicate import CONTACT_DUPLICATE, RestoreDuplicate
from eventstore.work import Work
from projections import contact_alike as groups
from projections import contact_duplicate as rows
from schemas.contact_duplicate import DismissalView, DismissDuplicates, DismissedView, DuplicateGroup
from schemas.wire.page import One, Page, PageRequest

_TWO: Final = {"contactIds": ["0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001", "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002"]}


class ContactDuplicateController(Controller):
    path = "/contacts/duplicates"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(operation_id="listDuplicates", summary="Find duplicates among contacts", scope="contacts:read")
    def list_duplicates(
        self, ask: NamedDependency[Ask], paged: NamedDependency[PageRequest]
    ) -> Json[Page[DuplicateGroup]]:
        """Groups of contacts that have something in common which hardly two people have, those most alike first: each with
        what it is, and how likely they are the same. `POST /contacts/{id}/merge` makes one of two;
        `POST /contacts/duplicates/dismiss` says that they are not the same. A group of which that is said of each two is not
        shown.
        """
        with ask.reading() as conn:
            found = groups.listed(conn, paged)
        return ask.page(paged, *found)

    @post(
        "/dismiss",
        operation_id="dismissDuplicates",
        summary="Say that contacts are no duplicates",
        scope="contacts:write",
        example=_TWO,
        status=200,
    )
    def dismiss_duplicates(
        self, act: NamedDependency[Act], data: RequestBody[DismissDuplicates]
    ) -> Json[One[DismissedView]]:
        """Of each two of them, for good: whatever changes in them, the two are not suggested by themselves again, until that
        is taken back. A group with somebody else in it, of whom nothing is said, is. What was said already stays as it is.
        """

        def answered(unit: Work) -> Answer:
            said = duplicates.dismiss(unit, data)
            return Answer(DismissedView(dismissals=rows.views(unit.conn, said)))

        return act.answer(answered)

    @get(
        "/dismissals",
        operation_id="listDismissals",
        summary="List what was said to be no duplicates",
        scope="contacts:read",
    )
    def list_dismissals(
        self,
        ask: NamedDependency[Ask],
        wanted: NamedDependency[PageRequest],
        contact_id: Annotated[
            UUID | None, QueryParameter(name="contactId", description="Of the contact of this id and another.")
        ] = None,
    ) -> Json[Page[DismissalView]]:
        """What was said last first. Members limited to what is assigned to them see what is about a contact of theirs."""
        return ask.many(rows.LISTING, wanted, rows.views, rows.where(contact_id))

    @get(
        "/dismissals/{dismissal_id:uuid}",
        operation_id="getDismissal",
        summary="Get what was said of two contacts",
        scope="contacts:read",
    )
    def get_dismissal(self, recall: NamedDependency[Recall], dismissal_id: FromPath[UUID]) -> Json[One[DismissalView]]:
        return recall.one(rows.CONTACT_DUPLICATES, dismissal_id, rows.views)

    @delete(
        "/dismissals/{dismissal_id:uuid}",
        operation_id="deleteDismissal",
        summary="Take back that two contacts are no duplicates",
        scope="contacts:write",
    )
    def delete_dismissal(self, change: NamedDependency[Change], dismissal_id: FromPath[UUID]) -> Json[None]:
        """They are suggested again, if they are still alike."""
        return change.end(CONTACT_DUPLICATE, dismissal_id, RestoreDuplicate())
