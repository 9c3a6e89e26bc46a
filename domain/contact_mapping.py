"""What the columns of a table of contacts mean: recognised by their headers, or as a caller maps them."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Final

from domain.contact_cells import CUSTOM, FIELDS, PREFERENCES, READERS
from domain.kernel import FieldError, Refused, values

Columns = dict[str, str | None]
"""Column → what it is for: a field, ``name``, ``tags``, ``custom.<key>``, ``communicationPreferences.<key>``; or nothing."""

MAX_COLUMNS: Final = 200
SAMPLE_ROWS: Final = 1_000

_PREFIXES: Final = {CUSTOM: CUSTOM, "customFields.": CUSTOM, "custom_fields.": CUSTOM, PREFERENCES: PREFERENCES}
_BY_PYTHON_NAME: Final = {python: wire for wire, python in FIELDS.items()}
_TARGETS: Final = frozenset({*FIELDS, "name", "tags"})
_NAMES: Final = frozenset({"firstName", "lastName"})
_KINDS: Final = frozenset({"type", "status", "assignedTo", "language", "globallyUnsubscribed", "dnc", "birthday"})
"""Fields whose headers stand over other words and other things too."""

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
"""Headers by what they mean, without case, spaces and punctuation; of several in a table, the earlier named is it."""

_COUNTERS: Final = frozenset({"", "index", "idx", "no", "nr", "row", "rowno", "rownumber", "rowindex", "unnamed0"})
_NOT_IN_KEY: Final = re.compile(r"[^\w .\-]+")
_SPACES: Final = re.compile(r"\s+")
_PLAIN: Final = re.compile(r"[\W_]+")


def headers(cells: Sequence[str]) -> list[str]:
    """The columns' names: as they are written, trimmed; those without one by their place, a repeated one numbered."""
    names: list[str] = []
    for place, cell in enumerate(cells, 1):
        name = _SPACES.sub(" ", cell).strip() or f"Column {place}"
        names.append(_unlike(name, names))
    return names


def recognised(
    columns: Sequence[str], sample: Sequence[Sequence[str]], *, fixed: Collection[str] = (), organizations: bool = False
) -> Columns:
    """What each column is for, by its header.

    ``sample`` is the table's first rows. Of several columns for one field the first choice fills it; all others, and
    those that no field is for, become custom fields under their headers, so that nothing is lost. So does a column
    for a ``fixed`` field (one with the same value in all rows), or whose cells are not of the field's kind, such as
    a status of other words. A column that only numbers the rows is left out. Of ``organizations`` the name is the
    company.
    """
    cells = [[row[place] if place < len(row) else "" for row in sample] for place in range(len(columns))]
    found = _fields(columns, cells, frozenset(fixed), organizations=organizations)
    keys = [name.removeprefix(CUSTOM) for name in fixed if name.startswith(CUSTOM)]
    for place, column in enumerate(columns):
        if found[column] is None and not _numbers_rows(column, place, cells[place]):
            found[column] = _custom(column, place, keys)
    return found


def _fields(
    columns: Sequence[str], cells: Sequence[Sequence[str]], fixed: frozenset[str], *, organizations: bool
) -> Columns:
    found: Columns = dict.fromkeys(columns)
    taken = set(fixed)
    by_header: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        by_header.setdefault(plain(column), []).append(place)
    for field, synonyms in _SYNONYMS.items():
        target = "company" if field == "name" and organizations else field
        if target in taken or (target == "name" and taken & _NAMES):
            continue
        for place in (place for synonym in synonyms.split() for place in by_header.get(synonym, ())):
            if _fits(target, cells[place]):
                found[columns[place]] = target
                taken.add(target)
                break
    return found


def given(mapping: Mapping[str, str | None], columns: Sequence[str], *, complete: bool) -> Columns:
    """A caller's mapping, checked; columns that it does not name are left out.

    ``complete``: whether the table's columns are all known, so that a mapping of another one is a mistake.
    Refuses with every entry that is not acceptable.
    """
    errors: list[FieldError] = []
    found: Columns = dict.fromkeys(columns)
    for column, target in mapping.items():
        try:
            wanted = target_of(target)
            if wanted is not None:
                _check_beside(wanted, {name for name in found.values() if name})
                if complete:
                    _check_known(column, columns)
        except ValueError as error:
            errors.append(FieldError(field=f"mapping.{column[:64]}", message=str(error)))
        else:
            found[column] = wanted
    if errors:
        names = ", ".join(error.field for error in errors)
        raise Refused("validation_failed", f"Not acceptable: {names}.", details=errors)
    return found


def _check_known(column: str, columns: Sequence[str]) -> None:
    if column not in columns:
        raise ValueError("is not a column of the table")


def _check_beside(target: str, others: set[str]) -> None:
    if target != "tags" and target in others:
        raise ValueError(f"fills {target}, as another column does")
    if (target == "name" and others & _NAMES) or (target in _NAMES and "name" in others):
        raise ValueError("is a whole name beside a first or last name")


def target_of(given: str | None) -> str | None:
    """What a column is mapped to, in the words of any of the documents."""
    name = (given or "").strip()
    if not name:
        return None
    for written, prefix in _PREFIXES.items():
        if name.startswith(written):
            return prefix + values.custom_key(name.removeprefix(written))
    name = _BY_PYTHON_NAME.get(name, name)
    if name not in _TARGETS:
        raise ValueError("must be a contact's field, name, tags or custom.<key>")
    return name


def plain(header: str) -> str:
    """A header without case, accents, spaces and punctuation: ``"E-mail 1"`` → ``"email1"``."""
    return _PLAIN.sub("", values.folded(header))


def _fits(target: str, cells: Sequence[str]) -> bool:
    """Whether all cells of the sample can be read as this field, if it is one that cannot be just any text."""
    if target not in _KINDS:
        return True
    try:
        for cell in cells:
            if cell.strip():
                READERS[target](cell)
    except ValueError:
        return False
    return True


def _numbers_rows(column: str, place: int, cells: Sequence[str]) -> bool:
    """Whether the column does nothing but number the rows, from 0 or 1."""
    named = plain(column)
    if named not in _COUNTERS and column != f"Column {place + 1}":
        return False
    return bool(cells) and any([str(number + first) for number in range(len(cells))] == list(cells) for first in (0, 1))


def _custom(column: str, place: int, keys: list[str]) -> str:
    """A custom field under the column's header, or the key that a header such as ``custom.plan`` names."""
    written = next((column.removeprefix(prefix) for prefix in _PREFIXES if column.startswith(prefix)), column)
    key = _SPACES.sub(" ", _NOT_IN_KEY.sub(" ", written)).strip(" .-_")[:60].rstrip()
    try:
        key = values.custom_key(key)
    except ValueError:
        key = f"Column {place + 1}"
    key = _unlike(key, keys)
    keys.append(key)
    return (PREFERENCES if column.startswith(PREFERENCES) else CUSTOM) + key


def _unlike(name: str, others: Collection[str]) -> str:
    """The name, with a number behind it when there is another of the same."""
    number = 1
    found = name
    while found in others:
        number += 1
        found = f"{name} {number}"
    return found
