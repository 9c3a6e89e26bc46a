"""The tags of contacts over HTTP."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated
from urllib.parse import unquote
from uuid import UUID

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import FromPath, PathParameter, QueryParameter, RequestBody

from api.http.answers import Answer, Json
from api.http.ask import Ask, Change
from api.http.routes import delete, get, post
from application import contact as contacts
from domain.kernel import invalid
from eventstore.database import Db
from projections import contact as rows
from projections.contact_merge import lead_to
from projections.contact_view import views
from schemas.contact import ContactTags
from schemas.tag import TagView
from schemas.wire.page import One

MAX_IDS = 100

ContactIds = Annotated[
    list[str], QueryParameter(description="Contact ids: repeated, or with commas between; at most 100.")
]
TagWord = Annotated[str, PathParameter(description="The tag's id, name or slug.")]


class ContactTagController(Controller):
    path = "/contacts"
    tags = ["Contacts"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/tags",
        operation_id="getTagsOfContacts",
        summary="Get the tags of many contacts at once",
        scope="contacts:read",
        errors=("validation_failed",),
    )
    def tags_of_contacts(self, ask: NamedDependency[Ask], ids: ContactIds) -> Json[One[dict[str, list[TagView]]]]:
        """A map from contact id to its tags; an id that is no contact of yours is not in it. Under the id of a contact that was
        merged into another are the tags of that other.
        """
        wanted = _ids(ids)
        with ask.reading() as conn:
            tags = _tags(ask, conn, wanted)
            led = lead_to(conn, {*wanted} - tags.keys())
            tags |= _tags(ask, conn, [*led.values()]) if led else {}
        return ask.told({str(key): tags[led_to] for key in wanted if (led_to := led.get(key, key)) in tags})

    @get(
        "/{contact_id:uuid}/tags",
        operation_id="listContactTags",
        summary="List a contact's tags",
        scope="contacts:read",
    )
    def contact_tags(self, ask: NamedDependency[Ask], contact_id: FromPath[UUID]) -> Json[One[list[TagView]]]:
        with ask.reading() as conn:
            (view,) = views(conn, [ask.found(conn, rows.CONTACTS, contact_id)])
        return ask.told(view.tag_details)

    @post(
        "/{contact_id:uuid}/tags",
        operation_id="addContactTags",
        summary="Add tags to a contact",
        scope="contacts:write",
        example={"tags": ["VIP", "Spring fair"]},
        status=200,
    )
    def add_tags(
        self, change: NamedDependency[Change], contact_id: FromPath[UUID], data: RequestBody[ContactTags]
    ) -> Json[One[list[TagView]]]:
        """By name (made when missing) or id. Answers all tags that the contact then has."""
        return change.answer(lambda unit: Answer(contacts.tag(unit, contact_id, data, change.if_version)))

    @delete(
        "/{contact_id:uuid}/tags/{tag:path}",
        operation_id="removeContactTag",
        summary="Remove a tag from a contact",
        scope="contacts:write",
    )
    def remove_tag(
        self,
        change: NamedDependency[Change],
        contact_id: FromPath[UUID],
        tag: TagWord,  # noqa: ARG002 - for the documentation: its value has lost empty parts of the path
    ) -> Json[None]:
        """The tag by id, name or slug: of those that the contact has, by name before slug. A tag that it does not have is no
        error. The rest of the path is the tag, whatever slashes are in its name.
        """
        word = _rest(change, "/tags/")
        return change.done(lambda unit: contacts.untag(unit, contact_id, word, change.if_version))


def _tags(ask: Ask, conn: Db, ids: Sequence[UUID]) -> dict[UUID, list[TagView]]:
    """Of those of these contacts that the caller sees, by id."""
    return {view.id: view.tag_details for view in views(conn, ask.seen(conn, rows.CONTACTS, ids))}


def _rest(ask: Ask, after: str) -> str:
    """What follows in the path, as it was sent."""
    return unquote(ask.request.scope["raw_path"].partition(after.encode())[2])


def _ids(given: list[str]) -> list[UUID]:
    parts = [part for entry in given for part in entry.split(",") if part]
    if len(parts) > MAX_IDS:
        raise invalid("ids", f"must be at most {MAX_IDS} ids")
    try:
        return [UUID(part) for part in parts]
    except ValueError:
        raise invalid("ids", "must be contact ids (UUIDs)") from None
