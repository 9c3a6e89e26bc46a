"""A contact: a person or organization that the workspace knows."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated, Any, Final, assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta

from domain import contact_legal_hold
from domain.contact_erasure import ContactErased, EraseContact, erased
from domain.contact_fields import ContactChanges, ContactDetails
from domain.contact_legal_hold import (
    ContactLegalHoldPlaced,
    ContactLegalHoldReleased,
    LegalHold,
    PlaceLegalHold,
    ReleaseLegalHold,
)
from domain.kernel import Command, Decider, Ended, Event, Refused, State, Value, invalid, not_found, values
from domain.kernel.changes import applied, begun, difference, named
from domain.kernel.check import Check
from domain.kernel.fields import Refers, kept, leading, letting_go
from domain.kernel.personal import OF_PERSON, PERSONAL
from domain.kernel.types import PhoneRegion
from domain.tag import TagRef

MAX_TAGS: Final = 100


class Contact(ContactDetails, State):
    tags: Annotated[tuple[Annotated[UUID, Refers("tag", counted=True)], ...], Meta(description="Its tags.")] = ()
    legal_hold: Annotated[LegalHold | None, Meta(description="Why it has to be kept; null where it need not.")] = None

    @property
    def name(self) -> str:
        """What to call the contact: the full name, else company, e-mail or phone."""
        if self.first_name and self.last_name:
            return f"{self.first_name} {self.last_name}"
        return self.first_name or self.last_name or self.company or self.email or self.phone or ""


DETAILS: Final = frozenset(ContactChanges.__struct_fields__)


class CreateContact(ContactChanges, Command):
    """At least one of first name, last name, e-mail, phone and company must say who it is.

    ``phone_region``: the country that a phone number without a country code is of.
    """

    tags: tuple[TagRef, ...] = ()
    phone_region: PhoneRegion = "US"


class UpdateContact(ContactChanges, Command):
    """Maps (custom fields, preferences) are merged by key; a key with null goes."""

    phone_region: PhoneRegion = "US"


class TagContact(Command):
    tags: tuple[TagRef, ...]


class UntagContact(Command):
    tags: tuple[TagRef, ...]


class MergeContact(Command):
    """Another contact ends, and this one has from it what it lacks."""

    loser_id: UUID
    loser_name: str
    changes: ContactChanges
    tags: tuple[TagRef, ...] = ()


class UnmergeContact(MergeContact):
    """The other contact is back: ``changes`` says what was before, and ``tags`` go back to it."""


class DeleteContact(Command):
    """For good: the row goes; what happened stays in the log."""


class ContactCreated(ContactChanges, Event, name="contact.created", action="created"):
    """Has what was given; a field it does not name is null."""

    tags: Annotated[tuple[TagRef, ...], Meta(description="Its tags.")] = ()


class ContactUpdated(Event, name="contact.updated", action="updated"):
    """Fields of the contact changed."""

    changed: ContactChanges
    previous: ContactChanges


class ContactUnsubscribed(
    Event, name="contact.unsubscribed", action="updated", changes={"globallyUnsubscribed": (False, True)}
):
    """From everything the workspace sends."""


class ContactResubscribed(
    Event, name="contact.resubscribed", action="updated", changes={"globallyUnsubscribed": (True, False)}
):
    """The contact may be written to again."""


class ContactTagged(Event, name="contact.tag_added", action="updated"):
    """A tag was put on the contact."""

    tag_id: Annotated[UUID, Meta(description="The tag's id.")]
    tag_name: Annotated[str, Meta(description="The tag's name at that moment.")]


class ContactUntagged(Event, name="contact.tag_removed", action="updated", takes_away=True):
    """A tag was taken off the contact."""

    tag_id: Annotated[UUID, Meta(description="The tag's id.")]
    tag_name: Annotated[str, Meta(description="The tag's name at that moment.")]


class Merging(Value):
    """What a contact has from another, or gives back to it."""

    loser_id: Annotated[UUID, OF_PERSON, Meta(description="The other contact's id.")]
    loser_name: Annotated[str, PERSONAL, Meta(description="What the other contact is called.")]
    changed: ContactChanges
    previous: ContactChanges
    tags: Annotated[tuple[TagRef, ...], Meta(description="Tags that came, or went back.")] = ()


class ContactMerged(Merging, Event, name="contact.merged", action="updated"):
    """Another contact was merged into this one, and is gone: what this one lacked it has from there."""


class ContactUnmerged(Merging, Event, name="contact.unmerged", action="updated"):
    """A contact that was merged into this one is back, with what this one had from it."""


class ContactDeleted(Event, name="contact.deleted", action="deleted"):
    """What it was is in the events before."""


ContactCommand = (
    CreateContact
    | UpdateContact
    | TagContact
    | UntagContact
    | MergeContact
    | UnmergeContact
    | PlaceLegalHold
    | ReleaseLegalHold
    | DeleteContact
    | EraseContact
)
ContactEvent = (
    ContactCreated
    | ContactUpdated
    | ContactUnsubscribed
    | ContactResubscribed
    | ContactTagged
    | ContactUntagged
    | ContactMerged
    | ContactUnmerged
    | ContactLegalHoldPlaced
    | ContactLegalHoldReleased
    | ContactDeleted
    | ContactErased
)


def _normalised(command: CreateContact | UpdateContact) -> dict[str, Any]:
    """The given fields as they are kept; refuses with every field that is not acceptable."""
    check = Check()
    fields = {name: value for name, value in kept(command, check).items() if name in DETAILS}
    extension = None
    if (written := fields.get("phone")) is not None:
        number = check.field("phone", lambda value: values.phone(value, command.phone_region), written)
        fields["phone"], extension = number or (None, None)
    if command.phone is not UNSET and command.phone_extension is UNSET:
        fields["phone_extension"] = extension
    check.done()
    return fields


def decide(command: ContactCommand, contact: Contact | None) -> list[ContactEvent]:  # noqa: C901, PLR0911 - a case for each
    match command, contact:
        case CreateContact(), None:
            return [_created(command)]
        case CreateContact(), _:
            raise Refused("conflict", "This contact exists already.")
        case EraseContact(), _:
            return [_erased(command, contact)]
        case _, None:
            raise not_found("contact")
        case UpdateContact(), Contact():
            return _updated(command, contact)
        case TagContact(tags=tags), Contact():
            return _tagged(tags, contact)
        case UntagContact(tags=tags), Contact():
            return _untagged(tags, contact)
        case MergeContact(), Contact():
            return [_merged(command, contact)]
        case ((PlaceLegalHold() | ReleaseLegalHold()), Contact()):
            return [*contact_legal_hold.decided(command, contact.legal_hold)]
        case DeleteContact(), Contact():
            return [_deleted(contact)]
        case never, _:
            assert_never(never)


def _created(command: CreateContact) -> ContactCreated:
    fields = begun(_normalised(command))
    given = {name: value for name, value in fields.items() if value is not None and value != {}}
    tags = tuple({tag.id: tag for tag in command.tags}.values())
    _limit(len(tags))
    created = ContactCreated(**{"type": "person", "status": "ACTIVE", **given}, tags=tags)
    _check(Contact(**{**given, "tags": ()}))
    return created


def _updated(details: UpdateContact, contact: Contact) -> list[ContactEvent]:
    changed, previous = difference(_normalised(details), contact)
    _check(applied(contact, ContactChanges(**changed)))
    events: list[ContactEvent] = []
    unsubscribed = changed.pop("globally_unsubscribed", None)
    previous.pop("globally_unsubscribed", None)
    if changed:
        events.append(ContactUpdated(changed=ContactChanges(**changed), previous=ContactChanges(**previous)))
    if unsubscribed is not None:
        events.append(ContactUnsubscribed() if unsubscribed else ContactResubscribed())
    return events


def _check(contact: Contact) -> None:
    """What holds of every contact, however it came to be as it is."""
    if not any((contact.first_name, contact.last_name, contact.email, contact.phone, contact.company)):
        message = "A contact needs at least one of firstName, lastName, email, phone and company."
        raise Refused("validation_failed", message)
    if len(contact.custom_fields) > values.MAX_CUSTOM_FIELDS:
        raise invalid("customFields", f"must have at most {values.MAX_CUSTOM_FIELDS} fields")
    if len(contact.communication_preferences) > values.MAX_PREFERENCES:
        raise invalid("communicationPreferences", f"must have at most {values.MAX_PREFERENCES} entries")


def _tagged(tags: tuple[TagRef, ...], contact: Contact) -> list[ContactEvent]:
    new = {tag.id: tag for tag in tags if tag.id not in contact.tags}
    _limit(len(contact.tags) + len(new))
    return [ContactTagged(tag_id=tag.id, tag_name=tag.name) for tag in new.values()]


def _untagged(tags: tuple[TagRef, ...], contact: Contact) -> list[ContactEvent]:
    gone = {tag.id: tag for tag in tags if tag.id in contact.tags}
    return [ContactUntagged(tag_id=tag.id, tag_name=tag.name) for tag in gone.values()]


def _merged(command: MergeContact, contact: Contact) -> ContactMerged | ContactUnmerged:
    changed, previous = (ContactChanges(**part) for part in difference(named(command.changes), contact))
    parts = isinstance(command, UnmergeContact)
    tags = tuple(tag for tag in command.tags if (tag.id in contact.tags) == parts)
    _limit(0 if parts else len(contact.tags) + len(tags))
    _check(applied(contact, changed))
    made, loser = (ContactUnmerged if parts else ContactMerged), command.loser_id
    return made(loser_id=loser, loser_name=command.loser_name, changed=changed, previous=previous, tags=tags)


def _deleted(contact: Contact) -> ContactDeleted:
    if contact.legal_hold is not None:
        raise contact.legal_hold.refusal("delete")
    return ContactDeleted()


def _erased(command: EraseContact, contact: Contact | None) -> ContactErased:
    """Also of one that was deleted before: it is still in the log."""
    if contact is not None and contact.legal_hold is not None:
        raise contact.legal_hold.refusal("erase")
    return erased(command)


def _limit(tags: int) -> None:
    if tags > MAX_TAGS:
        raise Refused("validation_failed", f"A contact has at most {MAX_TAGS} tags.")


def evolve(contact: Contact | None, event: ContactEvent) -> Contact | None:  # noqa: C901, PLR0911 - a case for each event
    match event, contact:
        case ContactCreated(tags=tags), _:
            return Contact(**named(event) | {"tags": tuple([tag.id for tag in tags])})
        case ((ContactDeleted() | ContactErased()), _):
            return None
        case _, None:
            return None
        case ContactUpdated(changed=changed), Contact():
            return applied(contact, changed)
        case ((ContactUnsubscribed() | ContactResubscribed()), Contact()):
            return msgspec.structs.replace(contact, globally_unsubscribed=isinstance(event, ContactUnsubscribed))
        case ((ContactMerged() | ContactUnmerged()), Contact()):
            return _after(event, applied(contact, event.changed))
        case ((ContactLegalHoldPlaced() | ContactLegalHoldReleased()), Contact()):
            return msgspec.structs.replace(contact, legal_hold=contact_legal_hold.after(event))
        case ContactTagged(tag_id=tag_id), Contact():
            return msgspec.structs.replace(contact, tags=(*contact.tags, tag_id))
        case ContactUntagged(tag_id=tag_id), Contact():
            return msgspec.structs.replace(contact, tags=_without(contact, {tag_id}))
        case never, _:
            assert_never(never)


def _after(event: ContactMerged | ContactUnmerged, contact: Contact) -> Contact:
    tags = tuple(tag.id for tag in event.tags)
    others = _without(contact, tags)
    return msgspec.structs.replace(contact, tags=others + (tags if isinstance(event, ContactMerged) else ()))


def _without(contact: Contact, gone: Container[UUID]) -> tuple[UUID, ...]:
    return tuple(tag_id for tag_id in contact.tags if tag_id not in gone)


def unset(field: str, ended: Ended) -> ContactCommand:
    """Lets go of what has ended: a tag comes off by its own event, any other reference is a change."""
    if field == "tags":
        return UntagContact(tags=(TagRef(id=ended.id, name=ended.name),))
    return UpdateContact(**letting_go(field))


CONTACT: Decider[ContactCommand, ContactEvent, Contact] = Decider(
    stream_type="contact",
    state=Contact,
    commands=(
        CreateContact,
        UpdateContact,
        TagContact,
        UntagContact,
        MergeContact,
        UnmergeContact,
        PlaceLegalHold,
        ReleaseLegalHold,
        DeleteContact,
        EraseContact,
    ),
    events=(
        ContactCreated,
        ContactUpdated,
        ContactUnsubscribed,
        ContactResubscribed,
        ContactTagged,
        ContactUntagged,
        ContactMerged,
        ContactUnmerged,
        ContactLegalHoldPlaced,
        ContactLegalHoldReleased,
        ContactDeleted,
        ContactErased,
    ),
    decide=decide,
    evolve=evolve,
    unset=unset,
    refer=lambda path, to: UpdateContact(**leading(path, to)),
    delete=DeleteContact,
    person=True,
)
