"""Which contact a row is about, so that importing the same rows again creates nothing.

By e-mail address; without one by phone number and name; with neither, a contact of that name that has all of the row's
values already. So two people of one name are not made one, unless nothing at all tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import msgspec

from application.import_rows import Entry
from domain import values
from domain.changes import difference
from domain.contact import CONTACT, Contact, ContactDetails, CreateContact
from domain.contact_cells import FIELDS
from domain.kernel import Refused
from domain.values import folded
from eventstore.rows import Current
from eventstore.unit_of_work import Work
from projections import contact as contacts
from projections import contact_match as matches
from projections.contact_match import Likeness, Person

Path = tuple[str, ...]
"""Where in a contact a text is: a field, or a custom field's key behind ``customFields``."""


@dataclass(frozen=True)
class _Draft:
    """A row without an e-mail address as the contact that it would make: what it is found again by."""

    name: str
    person: Person | None
    given: dict[str, Any]

    @property
    def texts(self) -> dict[Path, str]:
        """All that the row says in words."""
        found: dict[Path, Any] = {
            (wire,): self.given[python] for wire, python in FIELDS.items() if python in self.given
        }
        found |= {("customFields", key): value for key, value in self.given.get("custom_fields", {}).items()}
        return {path: text for path, text in found.items() if isinstance(text, str)}

    def likeness(self, path: Path) -> Likeness:
        return Likeness(self.name, self.texts[path], msgspec.json.encode(ContactDetails(**self.given)).decode())


class Matcher:
    """Looks up what exists for a whole chunk at once, and remembers what its rows make."""

    def __init__(self, unit: Work, chunk: Sequence[Entry], region: str, visible_to: UUID | None) -> None:
        self._unit = unit
        self._visible_to = visible_to
        self._addresses: dict[int, str] = {}
        self._drafts: dict[int, _Draft] = {}
        self._marks: dict[int, Path] = {}
        self._by_email: dict[str, UUID] = {}
        self._by_person: dict[Person, UUID] = {}
        self._by_likeness: dict[int, UUID] = {}
        self._made: dict[tuple[str, Path, str], list[UUID]] = {}
        for entry in chunk:
            self._look_at(entry, region)
        self._look_up()

    def find(self, entry: Entry) -> Current[Contact] | None:
        address = self._addresses.get(entry.number)
        draft = self._drafts.get(entry.number)
        if address is not None:
            found = self._by_email.get(address)
        elif draft is not None and draft.person is not None:
            found = self._by_person.get(draft.person)
        elif draft is not None:
            found = self._by_likeness.get(entry.number) or self._made_like(draft, self._marks[entry.number])
        else:
            return None
        return None if found is None else self._unit.loaded[found]

    def remember(self, contact: Current[Contact]) -> None:
        """A contact that a row has made: rows behind it may be about it too."""
        state = contact.state
        if state.email is not None:
            self._by_email[state.email] = contact.id
        if not self._drafts:
            return
        name = folded(state.name)
        if state.phone is not None:
            self._by_person.setdefault((name, state.phone, state.phone_extension), contact.id)
        for path in set(self._marks.values()):
            if (mark := _text_at(state, path)) is not None:
                self._made.setdefault((name, path, mark), []).append(contact.id)

    def _look_at(self, entry: Entry, region: str) -> None:
        if entry.errors or entry.blank:
            return
        email = entry.fields.get("email")
        if email is None or not email.strip():
            self._draft(entry, region)
            return
        with suppress(ValueError):  # creating it says what is wrong with the address
            self._addresses[entry.number] = values.email(email)

    def _draft(self, entry: Entry, region: str) -> None:
        try:
            (created,) = CONTACT.decide(CreateContact(**entry.fields, phone_region=region), None)
        except Refused:
            return  # creating it says why
        contact = CONTACT.evolve(None, created)
        assert contact is not None
        given = {name: value for name in entry.fields if (value := getattr(contact, name)) not in (None, {})}
        name = folded(contact.name)
        person = None if contact.phone is None else (name, contact.phone, contact.phone_extension)
        self._drafts[entry.number] = _Draft(name, person, given)

    def _look_up(self) -> None:
        conn = self._unit.conn
        if self._addresses:
            found = contacts.by_emails(conn, list(set(self._addresses.values())))
            self._by_email = {address: self._known(contact) for address, contact in found.items()}
        if persons := [draft.person for draft in self._drafts.values() if draft.person is not None]:
            of_persons = matches.by_persons(conn, persons, self._visible_to)
            self._by_person = {person: self._known(contact) for person, contact in of_persons.items()}
        self._marks = _marks({number: draft for number, draft in self._drafts.items() if draft.person is None})
        for path in set(self._marks.values()):
            numbers = [number for number, mark in self._marks.items() if mark == path]
            wanted = [self._drafts[number].likeness(path) for number in numbers]
            like = matches.by_likeness(conn, path, wanted, self._visible_to)
            self._by_likeness |= {numbers[place]: self._known(contact) for place, contact in like.items()}

    def _known(self, contact: Current[Contact]) -> UUID:
        self._unit.loaded.setdefault(contact.id, contact)
        return contact.id

    def _made_like(self, draft: _Draft, mark: Path) -> UUID | None:
        for contact_id in self._made.get((draft.name, mark, draft.texts[mark]), ()):
            contact: Current[Contact] | None = self._unit.loaded[contact_id]
            if contact is not None and not difference(draft.given, contact.state)[0]:
                return contact_id
        return None


def _marks(drafts: dict[int, _Draft]) -> dict[int, Path]:
    """For each row the text that tells most: the one of which there are most different ones in all rows."""
    different: dict[Path, set[str]] = {}
    for draft in drafts.values():
        for path, text in draft.texts.items():
            different.setdefault(path, set()).add(text)
    return {number: max(draft.texts, key=lambda path: (len(different[path]), path)) for number, draft in drafts.items()}


def _text_at(contact: Contact, path: Path) -> str | None:
    found = contact.custom_fields.get(path[1]) if len(path) == 2 else getattr(contact, FIELDS[path[0]])
    return found if isinstance(found, str) else None
