"""Merging contacts over HTTP, and undoing it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Change
from api.http.routes import post
from application import contact as contacts
from application import contact_merge as merges
from domain.contact import CONTACT
from eventstore.work import Work
from schemas.contact import ContactView
from schemas.contact_merge import MergeContacts, MergeView, UndoMerge
from schemas.wire.page import One

_MERGE: Final = {"loserId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002", "dryRun": True}
_UNDO: Final = {"loserId": "0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0002"}
_THE_LAST: Final = UndoMerge()


class ContactMergeController(Controller):
    path = "/contacts/{contact_id:uuid}/merge"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @post(
        operation_id="mergeContacts",
        summary="Merge another contact into a contact",
        scope="contacts:write",
        example=_MERGE,
        status=200,
    )
    def merge(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[MergeContacts]
    ) -> Json[One[MergeView]]:
        """What this contact lacks it has from the other: fields, custom fields by key, tags; of `dnc` and
        `globallyUnsubscribed`, true wins. All that refers to the other refers to this one: deals, tasks, notes, calls,
        interactions, and values of custom fields; more than 1,000 of them are refused (409). The other is gone, and its
        id goes on leading to this one, in paths (`Daybook-Merged-Into` says so) and in bodies. `dryRun` says what would come
        of it. Contacts that are one already stay so.
        """

        def answered(unit: Work) -> Answer:
            view = merges.merge(unit, contact_id, data, change.if_version)
            return Answer(view, unit.get(CONTACT, contact_id).version)

        return change.answer(answered)

    @post(
        "/undo",
        operation_id="undoContactMerge",
        summary="Undo a merge",
        scope="contacts:write",
        example=_UNDO,
        status=200,
        itself=True,
    )
    def undo(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[UndoMerge] = _THE_LAST
    ) -> Json[One[ContactView]]:
        """The other contact is back as it was, with what referred to it then and still refers to this one. What this one had
        from it goes, unless it was changed since; what was made or led elsewhere since stays where it is. What the other
        had and is no more (a tag, a company, a member) it is back without. Refused (409) where nothing is left to undo, or
        somebody else has its e-mail address by now.
        """
        return change(lambda unit: merges.undo(unit, contact_id, data, change.if_version), contacts.view)
