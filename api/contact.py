"""Contacts over HTTP."""

from __future__ import annotations

from functools import partial
from typing import Annotated, Final, Literal
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter, QueryParameter, RequestBody

from api.contact_query import ContactQuery, contact_query
from api.http.answers import Json
from api.http.ask import Act, Change
from api.http.recall import Recall
from api.http.routes import delete, get, patch, post, put
from application import contact as contacts
from domain.contact import CONTACT, DeleteContact
from projections import contact as rows
from projections.contact_view import views
from schemas.contact import ContactPatch, ContactView, NewContact
from schemas.custom_field import ValueOfField
from schemas.job import JobView
from schemas.wire.page import One, Page, PageRequest

_NEW: Final = {
    "firstName": "Sarah",
    "lastName": "Kim",
    "email": "sarah.kim@example.com",
    "phone": "(415) 555-2671",
    "company": "Acme Corp",
    "source": "referral",
    "tags": ["VIP"],
    "customFields": {"employees": 38},
}
_CHANGED: Final = {"company": "Acme Corp", "phone": None, "customFields": {"employees": 40}, "tags": ["VIP", "Lead"]}

Key = Annotated[str, PathParameter(description="The custom field's key.")]
OnConflict = Annotated[
    Literal["error", "update"], QueryParameter(name="onConflict", description="What a known e-mail address means.")
]


class ContactController(Controller):
    path = "/contacts"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        operation_id="listContacts",
        summary="List and search contacts",
        description=(
            f"Newest first, unless sorted by {', '.join(rows.LISTING.sorts)}, any other field with one value or"
            " `custom.<key>`. All filters that are given must hold. Members limited to what is assigned to them see only that."
        ),
        scope="contacts:read",
        asked=contact_query,
    )
    def list_contacts(
        self,
        recall: NamedDependency[Recall],
        wanted: NamedDependency[PageRequest],
        asked: NamedDependency[ContactQuery],
    ) -> Json[Page[ContactView]]:
        found = partial(rows.listed, request=wanted, wanted=asked.filter, search=asked.search)
        return recall.listed(wanted, found, views, single=True)

    @post(
        operation_id="createContact",
        summary="Create a contact",
        scope="contacts:write",
        example=_NEW,
        also={200: "Updated: there was a contact with this e-mail address."},
    )
    def create_contact(
        self, act: NamedDependency[Act], data: RequestBody[NewContact], on_conflict: OnConflict = "error"
    ) -> Json[One[ContactView]]:
        """A known e-mail address is a conflict (409 with `existingId`), or with `onConflict=update` an update (200).
        Tags given by name are made when they are missing.
        """
        if on_conflict == "update":
            return act.create_or_change(lambda unit: contacts.upsert(unit, data), contacts.view)
        return act.create(lambda unit: contacts.create(unit, data), contacts.view)

    @get(
        "/{contact_id:uuid}",
        operation_id="getContact",
        summary="Get one contact",
        scope="contacts:read",
        conditional=True,
    )
    def get_contact(self, recall: NamedDependency[Recall], contact_id: FromPath[UUID]) -> Json[One[ContactView]]:
        """One that was merged into another is answered by that, whose id `Daybook-Merged-Into` says."""
        return recall.one(rows.CONTACTS, contact_id, views, alone=lambda contact: not contact.tags)

    @patch(
        "/{contact_id:uuid}",
        operation_id="updateContact",
        summary="Change a contact",
        scope="contacts:write",
        example=_CHANGED,
    )
    def update_contact(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[ContactPatch]
    ) -> Json[One[ContactView]]:
        """Only the fields given change; null takes a value away. Custom fields and preferences are merged by key.
        `tags` and `tagIds` replace the tags; `addTagId` and `removeTagId` change one.
        """
        return change(lambda unit: contacts.update(unit, contact_id, data, change.if_version), contacts.view)

    @put(
        "/{contact_id:uuid}/custom/{key:str}",
        operation_id="putCustomFieldOfContact",
        summary="Set one custom field of a contact",
        scope="contacts:write",
        example={"value": 40},
    )
    def put_custom_field(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], key: Key, data: RequestBody[ValueOfField]
    ) -> Json[One[ContactView]]:
        """As a PATCH of `customFields` with this one key; null takes the value away."""
        return change(
            lambda unit: contacts.put_custom(unit, contact_id, key, data.value, change.if_version), contacts.view
        )

    @delete(
        "/{contact_id:uuid}",
        operation_id="deleteContact",
        summary="Delete a contact",
        scope="contacts:write",
        large=True,
        itself=True,
    )
    def delete_contact(self, change: NamedDependency[Change], contact_id: FromPath[UUID]) -> Json[One[JobView]]:
        """For good, and its tasks, notes, calls and interactions with it; its deals stay, without a contact. What happened
        stays in the log. One that was merged into another is gone already (404): that other is deleted under its own id.
        """
        return change.end(CONTACT, contact_id, DeleteContact())
