"""The fields of a contact: what each is, how it is kept, and which of them can change."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Value, values
from domain.kernel.fields import Kept, Refers
from domain.kernel.personal import PERSONAL
from domain.kernel.types import CustomFields, Day, Email, Language, Line, Phone, Preferences, Text, Url

ContactType = Literal["person", "organization"]
ContactStatus = Literal["ACTIVE", "INACTIVE", "ARCHIVED"]

Type = Annotated[ContactType, Meta(description="What kind it is.")]
Status = Annotated[ContactStatus, Meta(description="How it stands.")]
FirstName = Annotated[Line, PERSONAL, Meta(description="First name.")]
LastName = Annotated[Line, PERSONAL, Meta(description="Last name.")]
EmailAddress = Annotated[Email, PERSONAL, Meta(description="An e-mail address; kept in lower case.")]
PhoneNumber = Annotated[Phone, PERSONAL, Meta(description="Written any way, and kept in E.164: `+14155552671`.")]
Extension = Annotated[
    str, PERSONAL, Kept(values.extension_or_none), Meta(description="What to dial after the phone number.")
]
CompanyName = Annotated[Line, PERSONAL, Meta(description="The company's name.")]
CompanyId = Annotated[UUID, Refers("company", counted=True), Meta(description="The company that it belongs to.")]
JobTitle = Annotated[Line, PERSONAL, Meta(description="What they do at the company.")]
Website = Annotated[Url, PERSONAL, Meta(description="An absolute URL.")]
Source = Annotated[Line, PERSONAL, Meta(description="Where the contact came from, such as `website`.")]
AssignedTo = Annotated[
    UUID, Refers("membership"), Meta(description="The user whom the contact is assigned to: a member of the workspace.")
]
LanguageTag = Annotated[Language, PERSONAL, Meta(description="A BCP 47 language tag, such as `en` or `pt-BR`.")]
Unsubscribed = Annotated[bool, Meta(description="Unsubscribed from everything that the workspace sends.")]
DoNotContact = Annotated[bool, Meta(description="Do not contact.")]
Notes = Annotated[Text, PERSONAL, Meta(description="Free text, with line breaks.")]
Birthday = Annotated[Day, PERSONAL, Meta(description="A date, `YYYY-MM-DD`.")]
Address = Annotated[Line, PERSONAL, Meta(description="Street and number.")]
City = Annotated[Line, PERSONAL, Meta(description="City.")]
Region = Annotated[Line, PERSONAL, Meta(description="State or region.")]
Zipcode = Annotated[Line, PERSONAL, Meta(description="Postal code.")]
Country = Annotated[Line, PERSONAL, Meta(description="Country.")]
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
    communication_preferences: Annotated[dict[str, str], PERSONAL, Map] = msgspec.field(default_factory=dict)
    notes: Notes | None = None
    birthday: Birthday | None = None
    address: Address | None = None
    city: City | None = None
    state: Region | None = None
    zipcode: Zipcode | None = None
    country: Country | None = None
    custom_fields: Annotated[CustomFields, PERSONAL] = msgspec.field(default_factory=dict)


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
    communication_preferences: Annotated[Preferences, PERSONAL, Map] | UnsetType = UNSET
    notes: Notes | UnsetType | None = UNSET
    birthday: Birthday | UnsetType | None = UNSET
    address: Address | UnsetType | None = UNSET
    city: City | UnsetType | None = UNSET
    state: Region | UnsetType | None = UNSET
    zipcode: Zipcode | UnsetType | None = UNSET
    country: Country | UnsetType | None = UNSET
    custom_fields: Annotated[CustomFields, PERSONAL] | UnsetType = UNSET
