"""What is done to many contacts: changed, deleted or tagged, by a job."""

from __future__ import annotations

from typing import Any, Final
from uuid import UUID

from application import contact as contacts
from application import tag as tags
from application.calling.caller import Caller
from application.working.bulk import Action, Ids, check_changes, meant
from domain.contact import CONTACT, DeleteContact, TagContact
from domain.kernel import Value
from domain.kernel.check import Check
from domain.tag import TAG, TagRef
from eventstore.work import Work
from projections.contact import CONTACTS
from projections.contact_asked import fields
from projections.custom_field_asked import defined
from projections.table.asking.asked import asked
from schemas.contact import ContactPatch
from schemas.contact_bulk import ContactDeletions, ContactTaggings, ContactUpdates
from schemas.job import BulkAnswer, Many


class Tags(Value):
    """Tags to put on each."""

    tags: tuple[TagRef, ...]


class Nothing(Value):
    """There is nothing more to say."""


def _tag(unit: Work, contact_id: UUID, form: Tags) -> None:
    unit.standing.hold(TAG.stream_type, [tag.id for tag in form.tags], "tags")
    unit.get(CONTACT, contact_id)
    unit.execute(CONTACT, contact_id, TagContact(tags=form.tags))


def _delete(unit: Work, contact_id: UUID, _: Nothing) -> None:
    unit.get(CONTACT, contact_id)
    unit.execute(CONTACT, contact_id, DeleteContact())


UPDATE: Final[Action[ContactPatch]] = Action("contact_update", CONTACTS, ContactPatch, contacts.update, "updated")
DELETE: Final[Action[Nothing]] = Action("contact_deletion", CONTACTS, Nothing, _delete, "deleted", itself=True)
TAGGING: Final[Action[Tags]] = Action("contact_tagging", CONTACTS, Tags, _tag, "updated")


def update(unit: Work, caller: Caller, form: ContactUpdates) -> BulkAnswer:
    """Refuses what is acceptable for no contact at all; what is not for one is told by the job."""
    check = Check()
    check.field("updates", lambda updates: _check(unit, updates), form.updates)
    check.done()
    return UPDATE.begin(unit, caller, _meant(unit, caller, UPDATE, form), form.updates)


def delete(unit: Work, caller: Caller, form: ContactDeletions) -> BulkAnswer:
    return DELETE.begin(unit, caller, _meant(unit, caller, DELETE, form), Nothing())


def tag(unit: Work, caller: Caller, form: ContactTaggings) -> BulkAnswer:
    wanted = Tags(tags=tuple(tags.named(unit, form.tags)))
    return TAGGING.begin(unit, caller, _meant(unit, caller, TAGGING, form), wanted)


def _check(unit: Work, updates: ContactPatch) -> None:
    contacts.details(updates)
    check_changes(unit, CONTACTS, updates)
    tags.named(unit, updates.tags or [])
    tags.existing(unit, updates.tag_ids or [])
    for field, tag_id in (("addTagId", updates.add_tag_id), ("removeTagId", updates.remove_tag_id)):
        tags.existing(unit, [] if tag_id is None else [tag_id], field)


def _meant(unit: Work, caller: Caller, action: Action[Any], form: Many) -> Ids:
    known = defined(unit.conn, CONTACTS, fields(caller.visible_to, caller.may))
    return meant(form, lambda wanted: action.found(unit, asked(wanted, known, "filter").where()))
