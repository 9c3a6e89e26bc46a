"""The tags of contacts over HTTP."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from litestar import Controller, Response, delete, get, post
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter, QueryParameter, RawBody, RequestBody

from api.http.answers import Answer, Asked, Json, command, if_match, plain
from api.http.operation import errors, needs
from application import contact as contacts
from application.calling.services import Services
from domain.kernel import invalid, not_found
from eventstore.database import reading
from eventstore.unit_of_work import Work
from projections import contact as rows
from schemas.contact import ContactTags
from schemas.tag import TagView
from schemas.wire.page import One

MAX_IDS = 100


class ContactTagController(Controller):
    path = "/contacts"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/tags",
        operation_id="getTagsOfContacts",
        summary="Get the tags of many contacts at once",
        description="A map from contact id to its tags; an id that is no contact of yours is not in it.",
        opt=needs("contacts:read"),
        responses=errors("validation_failed"),
        sync_to_thread=True,
    )
    def tags_of_contacts(
        self,
        services: NamedDependency[Services],
        request: Asked,
        ids: Annotated[
            list[str], QueryParameter(description="Contact ids: repeated, or with commas between; at most 100.")
        ],
    ) -> Json[One[dict[str, list[TagView]]]]:
        wanted = _ids(ids)
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            found = rows.CONTACTS.load(conn, wanted)
            seen = [c for c in found.values() if caller.visible_to in (None, c.state.assigned_to)]
            views = rows.views(conn, seen)
        return plain({"data": {str(view.id): view.tag_details for view in views}})

    @get(
        "/{contact_id:uuid}/tags",
        operation_id="listContactTags",
        summary="List a contact's tags",
        opt=needs("contacts:read"),
        responses=errors("not_found"),
        sync_to_thread=True,
    )
    def contact_tags(
        self, services: NamedDependency[Services], request: Asked, contact_id: FromPath[UUID]
    ) -> Json[One[list[TagView]]]:
        caller = request.user
        with reading(services.pool, caller.workspace_id) as conn:
            contact = rows.CONTACTS.load(conn, [contact_id]).get(contact_id)
            if contact is None or caller.visible_to not in (None, contact.state.assigned_to):
                raise not_found("contact")
            return plain({"data": rows.views(conn, [contact])[0].tag_details})

    @post(
        "/{contact_id:uuid}/tags",
        operation_id="addContactTags",
        summary="Add tags to a contact",
        description="By name (made when missing) or id. Answers all tags that the contact then has.",
        status_code=200,
        opt=needs("contacts:write", example={"tags": ["VIP", "Spring fair"]}),
        responses=errors("not_found", "precondition_failed", "validation_failed"),
        sync_to_thread=True,
    )
    def add_tags(
        self,
        services: NamedDependency[Services],
        request: Asked,
        body: RawBody,
        contact_id: FromPath[UUID],
        data: RequestBody[ContactTags],
    ) -> Json[One[list[TagView]]]:
        def work(unit: Work) -> Answer:
            return Answer(contacts.tag(unit, request.user, contact_id, data, if_match(request)))

        return command(request, body, services, work)

    @delete(
        "/{contact_id:uuid}/tags/{tag:str}",
        operation_id="removeContactTag",
        summary="Remove a tag from a contact",
        description="The tag by id, name or slug. A tag that the contact does not have is no error.",
        opt=needs("contacts:write"),
        responses=errors("not_found", "precondition_failed"),
        status_code=204,
        sync_to_thread=True,
    )
    def remove_tag(
        self,
        services: NamedDependency[Services],
        request: Asked,
        contact_id: FromPath[UUID],
        tag: Annotated[str, PathParameter(description="The tag's id, name or slug.")],
    ) -> Response[None]:
        def work(unit: Work) -> Answer:
            contacts.untag(unit, request.user, contact_id, tag, if_match(request))
            return Answer(status=204)

        return command(request, b"", services, work)


def _ids(given: list[str]) -> list[UUID]:
    parts = [part for entry in given for part in entry.split(",") if part]
    if len(parts) > MAX_IDS:
        raise invalid("ids", f"must be at most {MAX_IDS} ids")
    try:
        return [UUID(part) for part in parts]
    except ValueError:
        raise invalid("ids", "must be contact ids (UUIDs)") from None
