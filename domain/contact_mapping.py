"""What the columns of a table of contacts may be for, and the headers that people write above them."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from domain.contact_cells import CELLS, READERS
from domain.importing.fields import Fields, Map

CUSTOM: Final = "custom."
PREFERENCES: Final = "communicationPreferences."

_SYNONYMS: Final = {
    "firstName": "firstname givenname forename fname first contactfirstname",
    "lastName": "lastname surname familyname lname last contactlastname",
    "email": (
        "email emailaddress email1 emailaddress1 email1address email1value primaryemail mail workemail businessemail"
        " contactemail useremail"
    ),
    "phone": (
        "phone phonenumber phone1 phonenumber1 phone1value primaryphone telephone telephonenumber tel businessphone"
        " workphone companyphone mobile mobilephone mobilenumber cell cellphone homephone"
    ),
    "phoneExtension": "phoneextension phoneext extension ext",
    "company": (
        "company companyname organization organisation organizationname organisationname organization1name account"
        " accountname business businessname employer"
    ),
    "companyId": "companyid",
    "jobTitle": "jobtitle job title position role jobrole designation organization1title",
    "website": "website websiteurl webpage homepage web url site companywebsite website1value domain",
    "source": "source leadsource contactsource originalsource",
    "status": "status contactstatus",
    "type": "type contacttype",
    "assignedTo": "assignedto ownerid assigneduserid",
    "language": "language preferredlanguage lang locale",
    "globallyUnsubscribed": "globallyunsubscribed unsubscribed emailoptout optedout optout hasoptedoutofemail",
    "dnc": "dnc donotcontact donotcall",
    "notes": "notes note comments comment remarks",
    "birthday": "birthday dateofbirth birthdate dob",
    "address": (
        "address streetaddress street address1 addressline1 mailingaddress mailingstreet businessstreet"
        " address1street homestreet"
    ),
    "city": "city town locality mailingcity businesscity address1city homecity",
    "state": (
        "state province stateprovince stateregion region mailingstate mailingstateprovince businessstate"
        " address1region homestate"
    ),
    "zipcode": (
        "zipcode zip postalcode postcode zippostalcode mailingzippostalcode mailingpostalcode businesspostalcode"
        " address1postalcode homepostalcode"
    ),
    "country": "country countryregion countryname mailingcountry businesscountryregion address1country",
    "tags": "tags tag labels label",
    "name": "name fullname contactname displayname customername clientname leadname contact",
}

PEOPLE: Final = Fields(
    noun="contact",
    cells=CELLS,
    synonyms=_SYNONYMS,
    readers=READERS,
    maps={
        CUSTOM: Map("custom_fields", "customFields"),
        PREFERENCES: Map("communication_preferences", "communicationPreferences"),
    },
    spellings={"customFields.": CUSTOM, "custom_fields.": CUSTOM},
    common_words=frozenset(
        {"type", "status", "companyId", "assignedTo", "language", "globallyUnsubscribed", "dnc", "birthday"}
    ),
    unlike=frozenset({"email"}),
    whole=("name", frozenset({"firstName", "lastName"})),
    needed=("name", "firstName", "lastName", "email", "phone", "company"),
    tagged=True,
)

ORGANIZATIONS: Final = replace(
    PEOPLE,
    synonyms={
        field: f"{synonyms} {_SYNONYMS['name']}" if field == "company" else synonyms
        for field, synonyms in _SYNONYMS.items()
        if field != "name"
    },
)
"""Of organizations the name is the company."""
