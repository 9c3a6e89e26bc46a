"""The cells of a table of contacts: what people write there, as values of a contact's fields."""

from __future__ import annotations

from typing import Final

from domain.contact import DETAILS
from domain.contact_fields import ContactChanges
from domain.importing.cells import Reader, address, by_type, day, id_of, website
from domain.kernel import values

CELLS: Final = {
    wire: python
    for python, wire in zip(ContactChanges.__struct_fields__, ContactChanges.__struct_encode_fields__, strict=True)
    if python in DETAILS - {"custom_fields", "communication_preferences"}
}
"""The fields that one cell can fill: name on the wire → name in Python."""

_TYPES: Final = {
    "person": "person",
    "individual": "person",
    "contact": "person",
    "organization": "organization",
    "organisation": "organization",
    "company": "organization",
}


def contact_type(cell: str) -> str:
    try:
        return _TYPES[cell.strip().lower()]
    except KeyError:
        raise ValueError("must be person or organization") from None


READERS: Final[dict[str, Reader]] = {
    **by_type(ContactChanges),
    "type": contact_type,
    "assignedTo": id_of("member"),
    "birthday": day,
    "language": values.language,
    "website": website,
    "address": address,
    "notes": str.strip,
}
"""How the cells of a field are read, where they are not simply text."""
