"""What is done to many contacts, over HTTP: by jobs, to each by itself."""

from __future__ import annotations

from typing import Any, Final

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import RequestBody

from api.http.answers import Json
from api.http.ask import Act
from api.http.routes import post
from api.job import begun
from application import contact_bulk as contacts
from schemas.contact_bulk import ContactDeletions, ContactTaggings, ContactUpdates
from schemas.job import BulkAnswer

_IDS: Final = ["0198c6f2-7d3a-7c4e-9b1f-2a6d5e8f0001"]
_JOB: Final[dict[str, Any]] = {"status": 202, "headers": ("Location",)}


class ContactBulkController(Controller):
    path = "/bulk/contacts"
    tags = ["Bulk"]  # noqa: RUF012 - what Litestar reads

    @post(
        "/update",
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
        return begun(act, lambda unit: contacts.update(unit, act.caller, data))

    @post(
        "/delete",
        operation_id="deleteContacts",
        summary="Delete many contacts",
        scope="contacts:write",
        example={"ids": _IDS},
        **_JOB,
    )
    def delete_contacts(self, act: NamedDependency[Act], data: RequestBody[ContactDeletions]) -> Json[BulkAnswer]:
        """For good, with their notes and tasks; what happened to them stays in the log."""
        return begun(act, lambda unit: contacts.delete(unit, act.caller, data))

    @post(
        "/tag",
        operation_id="tagContacts",
        summary="Tag many contacts",
        scope="contacts:write",
        example={"ids": _IDS, "tags": ["VIP"]},
        **_JOB,
    )
    def tag_contacts(self, act: NamedDependency[Act], data: RequestBody[ContactTaggings]) -> Json[BulkAnswer]:
        """All of the tags for each; those that a contact bears already change nothing."""
        return begun(act, lambda unit: contacts.tag(unit, act.caller, data))
