"""A contact: a person or organization that the workspace knows."""

from __future__ import annotations

from collections.abc import Container
from typing import Annotated, Any, Final, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Decider, Ended, Event, Refused, State, Value, invalid, not_found, values
from domain.kernel.changes import applied, begun, difference, named
from domain.kernel.check import Check
from domain.kernel.fields import Kept, Refers, kept, leading, letting_go
from domain.kernel.types import CustomFields, Day, Email, Language, Line, Phone, PhoneRegion, Preferences, Text, Url
from domain.tag import TagRef

ContactType = Literal["person", "organization"]
ContactStatus = Literal["ACTIVE", "INACTIVE", "ARCHIVED"]
MAX_TAGS: Final = 100


Type = Annotated[ContactType, Meta(description="What kind it is.")]
Status = Annotated[ContactStatus, Meta(description="How it stands.")]
FirstName = Annotated[Line, Meta(description="First name.")]
LastName = Annotated[Line, Meta(description="Last name.")]
EmailAddress = Annotated[Email, Meta(description="An e-mail address; kept in lower case.")]
PhoneNumber = Annotated[Phone, Meta(description="Written any way, and kept in E.164: `+14155552671`.")]
Extension = Annotated[str, Kept(values.extension_or_none), Meta(description="What to dial after the phone number.")]
CompanyName = Annotated[Line, Meta(description="The company's name.")]
CompanyId = Annotated[UUID, Refers("company", counted=True), Meta(description="The company that it belongs to.")]
JobTitle = Annotated[Line, Meta(description="What they do at the company.")]
Website = Annotated[Url, Meta(description="An absolute URL.")]
Source = Annotated[Line, Meta(description="Where the contact came from, such as `website`.")]
AssignedTo = Annotated[
    UUID, Refers("membership"), Meta(description="The user whom the contact is assigned to: a member of the workspace.")
]
LanguageTag = Annotated[Language, Meta(description="A BCP 47 language tag, such as `en` or `pt-BR`.")]
Unsubscribed = Annotated[bool, Meta(description="Unsubscribed from everything that the workspace sends.")]
DoNotContact = Annotated[bool, Meta(description="Do not contact.")]
Notes = Annotated[Text, Meta(description="Free text, with line breaks.")]
Birthday = Annotated[Day, Meta(description="A date, `YYYY-MM-DD`.")]
Address = Annotated[Line, Meta(description="Street and number.")]
City = Annotated[Line, Meta(description="City.")]
Region = Annotated[Line, Meta(description="State or region.")]
Zipcode = Annotated[Line, Meta(description="Postal code.")]
Country = Annotated[Line, Meta(description="Country.")]
Map = Meta(description="A small map of your own, from text to text; in a PATCH, null takes a key away.")


class ContactDetails(Value):
    """What a contact is."""

    type: Type = "person"
    first_name: FirstName | None = None
    last_name: LastName | None = None
    email: EmailAddress | None = None
    phone: PhoneNumber | None = None
    phone_extension: Extension | None = None
    company: CompanyName | None = None
    company_id: CompanyId | None = None
    job_title: JobTitle | None = None
    website: Website | None = None
    source: Source | None = None
    status: Status = "ACTIVE"
    assigned_to: AssignedTo | None = None
    language: LanguageTag | None = None
    globally_unsubscribed: Unsubscribed = False
    dnc: DoNotContact = False
    communication_preferences: Annotated[dict[str, str], Map] = msgspec.field(default_factory=dict)
    notes: Notes | None = None
    birthday: Birthday | None = None
    address: Address | None = None
    city: City | None = None
    state: Region | None = None
    zipcode: Zipcode | None = None
    country: Country | None = None
    custom_fields: CustomFields = msgspec.field(default_factory=dict)


class ContactChanges(Value):
    """The fields that a caller may set; a field not given stays as it is."""

    type: Type | UnsetType = UNSET
    first_name: FirstName | UnsetType | None = UNSET
    last_name: LastName | UnsetType | None = UNSET
    email: EmailAddress | UnsetType | None = UNSET
    phone: PhoneNumber | UnsetType | None = UNSET
    phone_extension: Extension | UnsetType | None = UNSET
    company: CompanyName | UnsetType | None = UNSET
    company_id: CompanyId | UnsetType | None = UNSET
    job_title: JobTitle | UnsetType | None = UNSET
    website: Website | UnsetType | None = UNSET
    source: Source | UnsetType | None = UNSET
    status: Status | UnsetType = UNSET
    assigned_to: AssignedTo | UnsetType | None = UNSET
    language: LanguageTag | UnsetType | None = UNSET
    globally_unsubscribed: Unsubscribed | UnsetType = UNSET
    dnc: DoNotContact | UnsetType = UNSET
    communication_preferences: Annotated[Preferences, Map] | UnsetType = UNSET
    notes: Notes | UnsetType | None = UNSET
    birthday: Birthday | UnsetType | None = UNSET
    address: Address | UnsetType | None = UNSET
    city: City | UnsetType | None = UNSET
    state: Region | UnsetType | None = UNSET
    zipcode: Zipcode | UnsetType | None = UNSET
    country: Country | UnsetType | None = UNSET
    custom_fields: CustomFields | UnsetType = UNSET


class Contact(ContactDetails, State):
    tags: Annotated[tuple[Annotated[UUID, Refers("tag", counted=True)], ...], Meta(description="Its tags.")] = ()

    @property
    def name(self) -> str:
        """What to call the contact: the full name, else company, e-mail or phone."""
        full = " ".join(part for part in (self.first_name, self.last_name) if part)
        return full or self.company or self.email or self.phone or ""


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

    loser_id: Annotated[UUID, Meta(description="The other contact's id.")]
    loser_name: Annotated[str, Meta(description="What the other contact is called.")]
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
    CreateContact | UpdateContact | TagContact | UntagContact | MergeContact | UnmergeContact | DeleteContact
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
    | ContactDeleted
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


def decide(command: ContactCommand, contact: Contact | None) -> list[ContactEvent]:
    match command, contact:
        case CreateContact(), None:
            return [_created(command)]
        case CreateContact(), _:
            raise Refused("conflict", "This contact exists already.")
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
        case DeleteContact(), Contact():
            return [ContactDeleted()]
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


def _limit(tags: int) -> None:
    if tags > MAX_TAGS:
        raise Refused("validation_failed", f"A contact has at most {MAX_TAGS} tags.")


def evolve(contact: Contact | None, event: ContactEvent) -> Contact | None:  # noqa: PLR0911 - one for each event
    match event, contact:
        case ContactCreated(tags=tags), _:
            return Contact(**{**named(event), "tags": tuple(tag.id for tag in tags)})
        case ContactDeleted(), _:
            return None
        case _, None:
            return None
        case ContactUpdated(changed=changed), Contact():
            return applied(contact, changed)
        case ((ContactUnsubscribed() | ContactResubscribed()), Contact()):
            return msgspec.structs.replace(contact, globally_unsubscribed=isinstance(event, ContactUnsubscribed))
        case ((ContactMerged() | ContactUnmerged()), Contact()):
            return _after(event, applied(contact, event.changed))
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
    commands=(CreateContact, UpdateContact, TagContact, UntagContact, MergeContact, UnmergeContact, DeleteContact),
    events=(
        ContactCreated,
        ContactUpdated,
        ContactUnsubscribed,
        ContactResubscribed,
        ContactTagged,
        ContactUntagged,
        ContactMerged,
        ContactUnmerged,
        ContactDeleted,
    ),
    decide=decide,
    evolve=evolve,
    unset=unset,
    refer=lambda path, to: UpdateContact(**leading(path, to)),
    delete=DeleteContact,
)
