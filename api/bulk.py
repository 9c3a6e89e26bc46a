"""Bulk operations over HTTP: done by jobs, to each thing by itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Act
from api.http.routes import post
from application import contact_bulk as contacts
from application import deal_bulk as deals
from eventstore.work import Work
from schemas.bulk import BulkAnswer, ContactDeletions, ContactTaggings, ContactUpdates, DealUpdates

_IDS: Final = ["0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001"]
_JOB: Final[dict[str, Any]] = {"status": 202, "headers": ("Location",)}


class BulkController(Controller):
    path = "/bulk"
    tags = ["Bulk"]  # noqa: RUF012 - what Litestar reads

    @post(
        "/contacts/update",
        operation_id="updateContacts",
        summary="Change many contacts",
        scope="contacts:write",
        example={"ids": _IDS, "updates": {"source": "trade-show-2026"}},
        **_JOB,
    )
    def update_contacts(self, act: NamedDependency[Act], data: RequestBody[ContactUpdates]) -> Json[BulkAnswer]:
        """The same changes for each, by id or by filter. A contact that cannot be changed so keeps no other from it: the job
        tells of each.
        """
        return _begun(act, lambda unit: contacts.update(unit, act.caller, data))

    @post(
        "/contacts/delete",
        operation_id="deleteContacts",
        summary="Delete many contacts",
        scope="contacts:write",
        example={"ids": _IDS},
        **_JOB,
    )
    def delete_contacts(self, act: NamedDependency[Act], data: RequestBody[ContactDeletions]) -> Json[BulkAnswer]:
        """For good, with their notes and tasks; what happened to them stays in the log."""
        return _begun(act, lambda unit: contacts.delete(unit, act.caller, data))

    @post(
        "/contacts/tag",
        operation_id="tagContacts",
        summary="Tag many contacts",
        scope="contacts:write",
        example={"ids": _IDS, "tags": ["VIP"]},
        **_JOB,
    )
    def tag_contacts(self, act: NamedDependency[Act], data: RequestBody[ContactTaggings]) -> Json[BulkAnswer]:
        """All of the tags for each; those that a contact bears already change nothing."""
        return _begun(act, lambda unit: contacts.tag(unit, act.caller, data))

    @post(
        "/deals/update",
        operation_id="updateDeals",
        summary="Change many deals",
        scope="deals:write",
        example={"ids": ["0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f00a0"], "updates": {"value": 5000}},
        **_JOB,
    )
    def update_deals(self, act: NamedDependency[Act], data: RequestBody[DealUpdates]) -> Json[BulkAnswer]:
        """The same changes for each; with a stage they go through it as one deal does, with its events."""
        return _begun(act, lambda unit: deals.update(unit, act.caller, data))


def _begun(act: Act, work: Callable[[Work], BulkAnswer]) -> Json[Any]:
    """202 with the job, as the documents show it: without an envelope."""

    def answered(unit: Work) -> Answer:
        answer = work(unit)
        return Answer(answer, status=202, location=f"/api/v1/jobs/{answer.job_id}", bare=True)

    return act.answer(answered)
