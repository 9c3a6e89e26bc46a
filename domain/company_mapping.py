"""What the columns of a table of companies may be for, the headers that people write above them, and their cells."""

from __future__ import annotations

from typing import Final

from domain.company import CompanyChanges
from domain.importing.cells import Reader, by_type
from domain.importing.fields import Fields, Map

CUSTOM: Final = "custom."
ADDRESS: Final = "address."
_PARTS: Final = ("street", "city", "state", "zip", "country")

_SYNONYMS: Final = {
    "name": (
        "name company companyname organization organisation organizationname organisationname account accountname"
        " business businessname legalname rawcompanyname"
    ),
    "domain": "domain companydomain domainname website websiteurl companywebsite web webpage homepage url site",
    "industry": "industry sector branch vertical companyindustry",
    "size": "size companysize employees numberofemployees noofemployees employeecount headcount",
    "address.street": "street streetaddress address address1 addressline1 billingstreet",
    "address.city": "city town locality billingcity",
    "address.state": "state province stateprovince stateregion region billingstate",
    "address.zip": "zip zipcode postalcode postcode zippostalcode billingpostalcode",
    "address.country": "country countryregion countryname billingcountry",
}

_sizes: Final[Reader] = by_type(CompanyChanges)["size"]
_UP_TO: Final = ((10, "1-10"), (50, "11-50"), (200, "51-200"), (500, "201-500"))


def size(cell: str) -> str:
    """One of the sizes, or the one that a number of people is of."""
    people = cell.strip().replace(",", "")
    if not (people.isascii() and people.isdigit()) or len(people) > 9 or int(people) == 0:
        found: str = _sizes(cell)
        return found
    return next((name for most, name in _UP_TO if int(people) <= most), "500+")


COMPANIES: Final = Fields(
    noun="company",
    cells={"name": "name", "domain": "domain", "industry": "industry", "size": "size"},
    synonyms=_SYNONYMS,
    readers={"size": size},
    maps={
        CUSTOM: Map("custom_fields", "customFields"),
        ADDRESS: Map("address", "address", frozenset(_PARTS)),
    },
    spellings={"customFields.": CUSTOM, "custom_fields.": CUSTOM},
    common_words=frozenset({"size"}),
    unlike=frozenset({"name"}),
    needed=("name",),
)
