"""Contacts over HTTP."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from litestar import Controller, Response, delete, get, patch, post
from litestar.di import NamedDependency, Provide
from litestar.openapi.datastructures import ResponseSpec
from litestar.params import FromPath, QueryParameter, RawBody, RequestBody

from api.contact_query import ContactQuery, contact_query
from api.http.answers import Answer, Asked, Json, command, if_match, one, page
from api.http.operation import errors, needs
from api.http.paging import page_request
from application import contact as contacts
from application.calling.services import Services
from domain.kernel import not_found
from eventstore.database import reading
from eventstore.unit_of_work import Work
from projections import contact as rows
from schemas.contact import ContactPatch, ContactView, NewContact
from schemas.wire.page import One, Page, PageRequest, page_meta


class ContactController(Controller):
    path = "/contacts"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        "",
        operation_id="listContacts",
        summary="List and search contacts",
        description=(
            f"Newest first, unless sorted by {', '.join(rows.LISTING.sorts)}. All filters that are given must hold. Members"
            " limited to what is assigned to them see only that."
        ),
        opt=needs("contacts:read"),
        responses=errors("validation_failed"),
        dependencies={
            "wanted": Provide(page_request, sync_to_thread=False),
            "asked": Provide(contact_query, sync_to_thread=False),
        },
        sync_to_thread=True,
    )
    def list_contacts(
        self,
        services: NamedDependency[Services],
        request: Asked,
        wanted: NamedDependency[PageRequest],
        asked: NamedDependency[ContactQuery],
    ) -> Json[Page[ContactView]]:
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            found = rows.listed(conn, wanted, asked.filter, asked.search, caller.visible_to)
            views = rows.views(conn, found.rows)
        return page(Page(data=views, meta=page_meta(wanted, found.total, found.next_cursor)))

    @post(
        "",
        operation_id="createContact",
        summary="Create a contact",
        description=(
            "A known e-mail address is a conflict (409 with `existingId`), or with `onConflict=update` an update (200)."
            " Tags given by name are made when they are missing."
        ),
        opt=needs(
            "contacts:write",
            example={
                "firstName": "Sarah",
                "lastName": "Kim",
                "email": "sarah.kim@example.com",
                "phone": "(415) 555-2671",
                "company": "Acme Corp",
                "source": "referral",
                "tags": ["VIP"],
                "customFields": {"employees": 38},
            },
        ),
        responses={
            **errors("conflict", "validation_failed"),
            200: ResponseSpec(One[ContactView], description="Updated: there was a contact with this e-mail address."),
        },
        sync_to_thread=True,
    )
    def create_contact(
        self,
        services: NamedDependency[Services],
        request: Asked,
        body: RawBody,
        data: RequestBody[NewContact],
        on_conflict: Annotated[
            Literal["error", "update"],
            QueryParameter(name="onConflict", description="What a known e-mail address means."),
        ] = "error",
    ) -> Json[One[ContactView]]:
        def work(unit: Work) -> Answer:
            if on_conflict == "update":
                contact, new = contacts.upsert(unit, request.user, data)
            else:
                contact, new = contacts.create(unit, request.user, data), True
            location = f"/api/v1/contacts/{contact.id}"
            return Answer(contacts.view(unit, contact), contact.version, 201 if new else 200, location)

        return command(request, body, services, work)

    @get(
        "/{contact_id:uuid}",
        operation_id="getContact",
        summary="Get one contact",
        opt=needs("contacts:read", conditional=True),
        responses=errors("not_found"),
        sync_to_thread=True,
    )
    def get_contact(
        self, services: NamedDependency[Services], request: Asked, contact_id: FromPath[UUID]
    ) -> Json[One[ContactView]]:
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            contact = rows.CONTACTS.load(conn, [contact_id]).get(contact_id)
            if contact is None or caller.visible_to not in (None, contact.state.assigned_to):
                raise not_found("contact")
            return one(request, rows.views(conn, [contact])[0], contact.version, alone=not contact.state.tags)

    @patch(
        "/{contact_id:uuid}",
        operation_id="updateContact",
        summary="Change a contact",
        description=(
            "Only the fields given change; null takes a value away. Custom fields and preferences are merged by key."
            " `tags` and `tagIds` replace the tags; `addTagId` and `removeTagId` change one."
        ),
        opt=needs(
            "contacts:write",
            example={"company": "Acme Corp", "phone": None, "customFields": {"employees": 40}, "tags": ["VIP", "Lead"]},
        ),
        responses=errors("not_found", "conflict", "precondition_failed", "validation_failed"),
        sync_to_thread=True,
    )
    def update_contact(
        self,
        services: NamedDependency[Services],
        request: Asked,
        body: RawBody,
        contact_id: FromPath[UUID],
        data: RequestBody[ContactPatch],
    ) -> Json[One[ContactView]]:
        def work(unit: Work) -> Answer:
            contact = contacts.update(unit, request.user, contact_id, data, if_match(request))
            return Answer(contacts.view(unit, contact), contact.version)

        return command(request, body, services, work)

    @delete(
        "/{contact_id:uuid}",
        operation_id="deleteContact",
        summary="Delete a contact",
        description="For good. What happened to it stays in the log.",
        opt=needs("contacts:write"),
        responses=errors("not_found", "precondition_failed"),
        status_code=204,
        sync_to_thread=True,
    )
    def delete_contact(
        self, services: NamedDependency[Services], request: Asked, contact_id: FromPath[UUID]
    ) -> Response[None]:
        def work(unit: Work) -> Answer:
            contacts.delete(unit, request.user, contact_id, if_match(request))
            return Answer(status=204)

        return command(request, b"", services, work)
