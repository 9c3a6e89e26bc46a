"""Merging contacts over HTTP, and undoing it."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Change, by_job
from api.http.routes import post
from application import contact as contacts
from application import contact_merge as merges
from application import contact_merge_job as merge_jobs
from application import contact_merge_undo as undoings
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
        later="More than 1,000 things refer to the other: a job merges the two.",
    )
    def merge(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[MergeContacts]
    ) -> Json[One[MergeView]]:
        """What this contact lacks it has from the other: fields, custom fields by key, tags; of `dnc` and
        `globallyUnsubscribed`, true wins. All that refers to the other refers to this one: deals, tasks, notes, calls,
        interactions, and values of custom fields. The other is gone, and its id goes on leading to this one, in paths
        (`Daybook-Merged-Into` says so) and in bodies. `dryRun` says what would come of it. Contacts that are one already
        stay so.

        More than 1,000 things go over by a job (202), and until all have, both contacts are shown as before.
        What is to refer to the other from then on refers to this one. That either is deleted, erased or merged into a third is
        refused (409), naming the job, and so is a legal hold on the other. Asked again, the same job is answered. Cancelled,
        or where it cannot be done after all, a job of its own has what went over go back.
        """

        def merged(unit: Work) -> Answer:
            view = merges.merge(unit, contact_id, data, change.if_version)
            return Answer(view, unit.get(CONTACT, contact_id).version)

        return change.now_or_later(
            merged, by_job(lambda unit: merge_jobs.begin(unit, change.caller, contact_id, data, change.if_version))
        )

    @post(
        "/undo",
        operation_id="undoContactMerge",
        summary="Undo a merge",
        scope="contacts:write",
        example=_UNDO,
        status=200,
        itself=True,
        later="A job had merged the two: they are two again, and a job leads back what went over.",
    )
    def undo(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[UndoMerge] = _THE_LAST
    ) -> Json[One[ContactView]]:
        """The other contact is back as it was, with what referred to it then and still refers to this one. What this one had
        from it goes, unless it was changed since; what was made or led elsewhere since stays where it is. What the other
        had and is no more (a tag, a company, a member) it is back without. Refused (409) where nothing is left to undo, or
        somebody else has its e-mail address by now.

        Where a job merged the two, they are two at once and a job leads the rest back (202): until it is done neither is
        deleted, erased or merged into another (409). Asked again, the same job is answered, or one that goes on where it was
        cancelled.
        """

        def parted(unit: Work) -> Answer:
            winner = undoings.undo(unit, contact_id, data, change.if_version)
            return Answer(contacts.view(unit, winner), winner.version)

        return change.now_or_later(
            parted, by_job(lambda unit: undoings.begin(unit, change.caller, contact_id, data, change.if_version))
        )
