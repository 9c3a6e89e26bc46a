"""A company: an organization that contacts belong to."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from domain.kernel import Command, Event, State, Value
from domain.kernel.address import Address
from domain.kernel.record import record
from domain.kernel.types import CustomFields, Domain, Line, Name

CompanyName = Annotated[Name, Meta(description="What it is called.")]
WebDomain = Annotated[Domain, Meta(description="The domain of its website, such as `acme.example.com`.")]
Industry = Annotated[Line, Meta(description="What it does, such as `Brewing`.")]
Where = Meta(description="Its postal address; given anew as a whole.")
Size = Annotated[Literal["1-10", "11-50", "51-200", "201-500", "500+"], Meta(description="How many people work there.")]


class CompanyDetails(Value):
    name: CompanyName
    domain: WebDomain | None = None
    industry: Industry | None = None
    size: Size | None = None
    address: Annotated[Address | None, Where] = None
    custom_fields: CustomFields = msgspec.field(default_factory=dict)


class CompanyChanges(Value):
    """The fields of a company that can change."""

    name: CompanyName | UnsetType = UNSET
    domain: WebDomain | UnsetType | None = UNSET
    industry: Industry | UnsetType | None = UNSET
    size: Size | UnsetType | None = UNSET
    address: Annotated[Address | UnsetType | None, Where] = UNSET
    custom_fields: CustomFields | UnsetType = UNSET


class Company(CompanyDetails, State):
    """What contacts can belong to."""


class CreateCompany(CompanyDetails, Command):
    """A company to create."""


class UpdateCompany(CompanyChanges, Command):
    """What to change."""


class DeleteCompany(Command):
    """Its contacts stay, and belong to no company."""


class CompanyCreated(CompanyDetails, Event, name="company.created", action="created"):
    """A company was made."""


class CompanyUpdated(Event, name="company.updated", action="updated"):
    """Fields of the company changed."""

    changed: CompanyChanges
    previous: CompanyChanges


class CompanyDeleted(Event, name="company.deleted", action="deleted"):
    """What it was is in the events before."""


COMPANY = record(
    "company",
    state=Company,
    create=CreateCompany,
    update=UpdateCompany,
    delete=DeleteCompany,
    created=CompanyCreated,
    updated=CompanyUpdated,
    deleted=CompanyDeleted,
)
