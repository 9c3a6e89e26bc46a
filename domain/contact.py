"""A contact: a person or organization that the workspace knows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, Literal, assert_never
from uuid import UUID

import msgspec
from msgspec import UNSET, UnsetType

from domain.kernel import Command, Decider, Event, Refused, State, Value, invalid, not_found, values
from domain.kernel.changes import applied, difference, named
from domain.kernel.check import Check
from domain.kernel.values import CustomValue
from domain.tag import TagRef

ContactType = Literal["person", "organization"]
ContactStatus = Literal["ACTIVE", "INACTIVE", "ARCHIVED"]
MAX_TAGS: Final = 100


class Contact(State):
    type: ContactType = "person"
    first_name: str | None = None
    last_name: str | None = None
    email: str | None = None
    phone: str | None = None
    phone_extension: str | None = None
    company: str | None = None
    job_title: str | None = None
    website: str | None = None
    source: str | None = None
    status: ContactStatus = "ACTIVE"
    assigned_to: UUID | None = None
    language: str | None = None
    globally_unsubscribed: bool = False
    dnc: bool = False
    communication_preferences: dict[str, str] = msgspec.field(default_factory=dict)
    notes: str | None = None
    birthday: str | None = None
    address: str | None = None
    city: str | None = None
    state: str | None = None
    zipcode: str | None = None
    country: str | None = None
    custom_fields: dict[str, CustomValue] = msgspec.field(default_factory=dict)
    tags: tuple[UUID, ...] = ()

    @property
    def name(self) -> str:
        """What to call the contact: the full name, else company, e-mail or phone."""
        full = " ".join(part for part in (self.first_name, self.last_name) if part)
        return full or self.company or self.email or self.phone or ""


class ContactDetails(Value):
    """The fields that a caller may set; a field not given stays as it is."""

    type: ContactType | UnsetType = UNSET
    first_name: str | UnsetType | None = UNSET
    last_name: str | UnsetType | None = UNSET
    email: str | UnsetType | None = UNSET
    phone: str | UnsetType | None = UNSET
    phone_extension: str | UnsetType | None = UNSET
    company: str | UnsetType | None = UNSET
    job_title: str | UnsetType | None = UNSET
    website: str | UnsetType | None = UNSET
    source: str | UnsetType | None = UNSET
    status: ContactStatus | UnsetType = UNSET
    assigned_to: UUID | UnsetType | None = UNSET
    language: str | UnsetType | None = UNSET
    globally_unsubscribed: bool | UnsetType = UNSET
    dnc: bool | UnsetType = UNSET
    communication_preferences: dict[str, str | None] | UnsetType = UNSET
    notes: str | UnsetType | None = UNSET
    birthday: str | UnsetType | None = UNSET
    address: str | UnsetType | None = UNSET
    city: str | UnsetType | None = UNSET
    state: str | UnsetType | None = UNSET
    zipcode: str | UnsetType | None = UNSET
    country: str | UnsetType | None = UNSET
    custom_fields: dict[str, CustomValue] | UnsetType = UNSET


DETAILS: Final = frozenset(ContactDetails.__struct_fields__)
_WIRE: Final = dict(zip(ContactDetails.__struct_fields__, ContactDetails.__struct_encode_fields__, strict=True))


class CreateContact(ContactDetails, Command):
    """At least one of first name, last name, e-mail, phone and company must say who it is.

    ``phone_region``: the country that a phone number without a country code is of.
    """

    tags: tuple[TagRef, ...] = ()
    phone_region: str = "US"


class UpdateContact(ContactDetails, Command):
    """Maps (custom fields, preferences) are merged by key; a key with null goes."""

    phone_region: str = "US"


class TagContact(Command):
    tags: tuple[TagRef, ...]


class UntagContact(Command):
    tags: tuple[TagRef, ...]


class DeleteContact(Command):
    """For good: the row goes; what happened stays in the log."""


class ContactCreated(ContactDetails, Event, name="contact.created", action="created"):
    """Has what was given; a field it does not name is null."""

    tags: tuple[TagRef, ...] = ()


class ContactUpdated(Event, name="contact.updated", action="updated"):
    changed: ContactDetails
    previous: ContactDetails


class ContactUnsubscribed(
    Event, name="contact.unsubscribed", action="updated", changes={"globallyUnsubscribed": (False, True)}
):
    """From everything the workspace sends."""


class ContactResubscribed(
    Event, name="contact.resubscribed", action="updated", changes={"globallyUnsubscribed": (True, False)}
):
    """The contact may be written to again."""


class ContactTagged(Event, name="contact.tag_added", action="updated"):
    tag_id: UUID
    tag_name: str


class ContactUntagged(Event, name="contact.tag_removed", action="updated", takes_away=True):
    tag_id: UUID
    tag_name: str


class ContactDeleted(Event, name="contact.deleted", action="deleted"):
    """What it was is in the events before."""


ContactCommand = CreateContact | UpdateContact | TagContact | UntagContact | DeleteContact
ContactEvent = (
    ContactCreated
    | ContactUpdated
    | ContactUnsubscribed
    | ContactResubscribed
    | ContactTagged
    | ContactUntagged
    | ContactDeleted
)

_NORMALISE: dict[str, Callable[[Any], Any]] = {
    "first_name": values.text_or_none,
    "last_name": values.text_or_none,
    "email": values.email_or_none,
    "phone_extension": lambda value: values.text(value, 20) if value.strip() else None,
    "company": values.text_or_none,
    "job_title": values.text_or_none,
    "website": lambda value: values.web_url(value) if value.strip() else None,
    "source": values.text_or_none,
    "language": values.language,
    "communication_preferences": values.preferences,
    "notes": values.long_text,
    "birthday": values.day,
    "address": values.text_or_none,
    "city": values.text_or_none,
    "state": values.text_or_none,
    "zipcode": values.text_or_none,
    "country": values.text_or_none,
    "custom_fields": values.custom_fields,
}


def _normalised(details: CreateContact | UpdateContact) -> dict[str, Any]:
    """The given fields as they are kept; refuses with every field that is not acceptable."""
    check = Check()
    fields = {name: value for name, value in named(details).items() if name in DETAILS}
    for name, value in fields.items():
        if value is not None and (normalise := _NORMALISE.get(name)) is not None:
            fields[name] = check.field(_WIRE[name], normalise, value)
    extension = None
    if fields.get("phone") is not None:
        number, extension = _phone(check, fields["phone"], details.phone_region)
        fields["phone"] = number
    if details.phone is not UNSET and details.phone_extension is UNSET:
        fields["phone_extension"] = extension
    check.done()
    return fields


def _phone(check: Check, given: str, region: str) -> tuple[str | None, str | None]:
    if not given.strip():
        return None, None
    return check.field("phone", lambda value: values.phone(value, region), given) or (None, None)


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
        case DeleteContact(), Contact():
            return [ContactDeleted()]
        case never, _:
            assert_never(never)


def _created(command: CreateContact) -> ContactCreated:
    fields = _normalised(command)
    for name in ("custom_fields", "communication_preferences"):
        if name in fields:
            fields[name] = {key: value for key, value in fields[name].items() if value is not None}
    given = {name: value for name, value in fields.items() if value is not None and value != {}}
    tags = tuple({tag.id: tag for tag in command.tags}.values())
    _limit(len(tags))
    created = ContactCreated(**{"type": "person", "status": "ACTIVE", **given}, tags=tags)
    _check(Contact(**{**given, "tags": ()}))
    return created


def _updated(details: UpdateContact, contact: Contact) -> list[ContactEvent]:
    changed, previous = difference(_normalised(details), contact)
    _check(applied(contact, ContactDetails(**changed)))
    events: list[ContactEvent] = []
    unsubscribed = changed.pop("globally_unsubscribed", None)
    previous.pop("globally_unsubscribed", None)
    if changed:
        events.append(ContactUpdated(changed=ContactDetails(**changed), previous=ContactDetails(**previous)))
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
        case ContactUnsubscribed(), Contact():
            return msgspec.structs.replace(contact, globally_unsubscribed=True)
        case ContactResubscribed(), Contact():
            return msgspec.structs.replace(contact, globally_unsubscribed=False)
        case ContactTagged(tag_id=tag_id), Contact():
            return msgspec.structs.replace(contact, tags=(*contact.tags, tag_id))
        case ContactUntagged(tag_id=tag_id), Contact():
            return msgspec.structs.replace(contact, tags=tuple(tag for tag in contact.tags if tag != tag_id))
        case never, _:
            assert_never(never)


CONTACT: Decider[ContactCommand, ContactEvent, Contact] = Decider(
    stream_type="contact",
    state=Contact,
    commands=(CreateContact, UpdateContact, TagContact, UntagContact, DeleteContact),
    events=(
        ContactCreated,
        ContactUpdated,
        ContactUnsubscribed,
        ContactResubscribed,
        ContactTagged,
        ContactUntagged,
        ContactDeleted,
    ),
    decide=decide,
    evolve=evolve,
)
