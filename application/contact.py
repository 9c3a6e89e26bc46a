"""Contacts: what callers send, carried out over the contact and the tags it brings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from msgspec import UNSET, UnsetType

from application import tag as tags
from domain.contact import (
    CONTACT,
    DETAILS,
    Contact,
    CreateContact,
    TagContact,
    UntagContact,
    UpdateContact,
)
from domain.contact_fields import ContactChanges
from domain.kernel import Refused, invalid, not_found, renamed
from domain.kernel.changes import named
from domain.kernel.check import Check
from domain.kernel.fields import kept
from domain.kernel.values import CustomValue, custom_key, custom_value, text_or_none
from domain.kernel.values import email as normalised_email
from domain.tag import TagRef
from domain.workspace import WORKSPACE
from eventstore.ids import new_id
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact as contacts
from projections import contact_view
from projections import tag as tag_rows
from projections.table.asking.named import id_of
from schemas.contact import ContactPatch, ContactTags, ContactView, NewContact
from schemas.tag import TagView


def details(form: ContactChanges) -> dict[str, Any]:
    """The contact's own fields of a form; ``name`` stands in for first and last name where they are not given.

    Refuses, with whatever else is not acceptable, a ``name`` that is none.
    """
    fields = {name: value for name, value in named(form).items() if name in DETAILS}
    full: str | None | UnsetType = getattr(form, "name", UNSET)
    if isinstance(full, str):
        check = Check()
        parts = check.field("name", _parts, full)
        if parts is None:
            kept(form, check)
            check.done()
        elif "first_name" not in fields and "last_name" not in fields:
            fields |= parts
    return fields


def _parts(full: str) -> dict[str, str | None]:
    """A whole name as first and last name, split at its last space."""
    first, _, last = full.strip().rpartition(" ")
    return {"first_name": text_or_none(first or last), "last_name": text_or_none(last) if first else None}


def phone_region(unit: Work, fields: dict[str, Any]) -> str:
    """The country of a phone number written without one, as the workspace has set it."""
    phone = fields.get("phone")
    if not isinstance(phone, str) or phone.lstrip().startswith(("+", "00")):
        return "US"  # not looked at
    workspace = unit.load(WORKSPACE, [unit.origin.workspace_id]).get(unit.origin.workspace_id)
    return "US" if workspace is None else workspace.state.phone_region


def create(unit: Work, form: NewContact) -> Current[Contact]:
    """A new contact; refuses with ``conflict`` where the e-mail address is another's."""
    fields = details(form)
    _check_email(unit, fields)
    wanted = [*tags.named(unit, form.tags or []), *tags.existing(unit, form.tag_ids or [])]
    return unit.begin(
        CONTACT, new_id(), CreateContact(**fields, tags=tuple(wanted), phone_region=phone_region(unit, fields))
    )


def upsert(unit: Work, form: NewContact) -> tuple[Current[Contact], bool]:
    """Creates the contact, or updates the one with this e-mail address; and whether it is new."""
    unit.looked_first = True
    found = _by_email(unit, form.email)
    if found is None:
        return create(unit, form), True
    fields = details(form)
    _check_email(unit, fields)
    wanted = [*tags.named(unit, form.tags or []), *tags.existing(unit, form.tag_ids or [])]
    unit.execute(CONTACT, found.id, UpdateContact(**fields, phone_region=phone_region(unit, fields)))
    unit.execute(CONTACT, found.id, TagContact(tags=tuple(wanted)))
    return unit.get(CONTACT, found.id), False


def _by_email(unit: Work, email: str | UnsetType | None) -> Current[Contact] | None:
    if not isinstance(email, str) or not email.strip():
        return None
    try:
        address = normalised_email(email)
    except ValueError:
        return None  # creating it says what is wrong with the address
    found = contacts.by_emails(unit.conn, [address]).get(address)
    if found is not None and unit.locks_first:
        return unit.load(CONTACT, [found.id]).get(found.id)
    if found is not None:
        unit.know(CONTACT, [found])
    return found


def update(unit: Work, contact_id: UUID, form: ContactPatch, if_version: int | None = None) -> Current[Contact]:
    """Changes the given fields, and tags: replaced by ``tags`` or ``tagIds``, or one added and one removed."""
    contact = unit.get(CONTACT, contact_id)
    fields = details(form)
    _check_email(unit, fields)
    unit.execute(
        CONTACT, contact_id, UpdateContact(**fields, phone_region=phone_region(unit, fields)), if_version=if_version
    )
    if form.tags is not UNSET or form.tag_ids is not UNSET:
        _replace_tags(unit, contact, form)
    if form.remove_tag_id is not None:
        _take_off(unit, contact_id, form.remove_tag_id)
    if form.add_tag_id is not None:
        added = tags.existing(unit, [form.add_tag_id], "addTagId")
        unit.execute(CONTACT, contact_id, TagContact(tags=tuple(added)))
    return unit.get(CONTACT, contact_id)


def put_custom(
    unit: Work, contact_id: UUID, key: str, value: CustomValue, if_version: int | None = None
) -> Current[Contact]:
    """Gives one custom field a value; ``None`` takes it away. Refuses by the names ``key`` and ``value``."""
    check = Check()
    check.field("key", custom_key, key)
    check.field("value", custom_value, value)
    check.done()
    try:
        return update(unit, contact_id, ContactPatch(custom_fields={key: value}), if_version)
    except Refused as refusal:
        raise renamed(refusal, "customFields", "value") from None


def _replace_tags(unit: Work, contact: Current[Contact], form: ContactPatch) -> None:
    wanted = tags.named(unit, form.tags or []) if form.tags is not UNSET else []
    wanted += tags.existing(unit, form.tag_ids or []) if form.tag_ids is not UNSET else []
    staying = {ref.id for ref in wanted}
    gone = [tag_id for tag_id in contact.state.tags if tag_id not in staying]
    unit.execute(CONTACT, contact.id, UntagContact(tags=tuple(_refs(unit, gone))))
    unit.execute(CONTACT, contact.id, TagContact(tags=tuple(wanted)))


def _refs(unit: Work, ids: list[UUID]) -> list[TagRef]:
    """Tags by id for taking them off; a deleted tag's name is not known any more."""
    names = {tag.id: tag.name for tag in tags.shown(unit, ids)}
    return [TagRef(id=tag_id, name=names.get(tag_id, "")) for tag_id in ids]


def tag(unit: Work, contact_id: UUID, form: ContactTags, if_version: int | None = None) -> list[TagView]:
    """Adds tags and answers all that the contact then bears."""
    unit.get(CONTACT, contact_id)
    names = [form.tags] if isinstance(form.tags, str) else form.tags or []
    ids, single = form.tag_ids or [], [form.tag_id] if form.tag_id else []
    if not names and not ids and not single:
        raise invalid("tags", "must name at least one tag, by name (tags) or id (tagId, tagIds)")
    wanted = [*tags.named(unit, names), *tags.existing(unit, ids), *tags.existing(unit, single, "tagId")]
    unit.execute(CONTACT, contact_id, TagContact(tags=tuple(wanted)), if_version=if_version)
    return tags.shown(unit, unit.get(CONTACT, contact_id).state.tags)


def _take_off(unit: Work, contact_id: UUID, tag_id: UUID) -> None:
    """One tag by its id, which must be a tag's."""
    try:
        untag(unit, contact_id, str(tag_id))
    except Refused as refusal:
        if refusal.code != "not_found":
            raise
        raise invalid("removeTagId", f"no such tag: {tag_id}") from None


def untag(unit: Work, contact_id: UUID, given: str, if_version: int | None = None) -> None:
    """Takes off one tag, given by id, name or slug; a tag that the contact does not bear is no error, an unknown one is."""
    contact = unit.get(CONTACT, contact_id)
    found = _meant(unit, given, contact.state.tags)
    unit.execute(CONTACT, contact_id, UntagContact(tags=tuple(found)), if_version=if_version)


def _meant(unit: Work, given: str, borne: Sequence[UUID]) -> list[TagRef]:
    """The tag of this id, name or slug; none of an id that is borne though its tag is gone already."""
    tag_id = id_of(given)
    found = [] if tag_id is None else [TagRef(id=tag.id, name=tag.name) for tag in tags.shown(unit, [tag_id])]
    if not found and tag_id not in borne:
        ref = tag_rows.meant(unit.conn, given, borne)
        found = [] if ref is None else [ref]
    if not found and tag_id not in borne:
        raise not_found("tag")
    return found


def _check_email(unit: Work, fields: dict[str, Any]) -> None:
    """Who sees only what is theirs is told that an e-mail address is taken, but not by which contact."""
    if unit.origin.visible_to is not None:
        found = _by_email(unit, fields.get("email"))
        if found is not None and not contacts.CONTACTS.visible(unit.conn, found, unit.origin.visible_to):
            raise Refused("conflict", "A contact with this e-mail address exists already.")


def view(unit: Work, contact: Current[Contact]) -> ContactView:
    return contact_view.view(contact, tags.shown(unit, contact.state.tags))
