"""Which contact a row is about, so that importing the same rows again creates nothing.

By e-mail address; without one by phone number and name; with neither, a contact of that name that has all of the row's
values already. So two people of one name are not made one, unless nothing at all tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from uuid import UUID

import msgspec

from application.import_rows import Entry
from domain import values
from domain.changes import difference, named
from domain.contact import CONTACT, Contact, ContactDetails, CreateContact
from domain.kernel import Refused
from domain.values import folded
from eventstore.rows import Current
from eventstore.unit_of_work import Work
from projections import contact as contacts
from projections import contact_match as matches
from projections.contact_match import Person


@dataclass(frozen=True)
class _Draft:
    """A row without an e-mail address as the contact that it would make: what it is found again by."""

    name: str
    person: Person | None
    given: ContactDetails

    @property
    def content(self) -> str:
        return msgspec.json.encode(self.given).decode()


class Matcher:
    """Looks up what exists for a whole chunk at once, and remembers what its rows make."""

    def __init__(self, unit: Work, chunk: Sequence[Entry], region: str, visible_to: UUID | None) -> None:
        self._unit = unit
        self._visible_to = visible_to
        self._addresses: dict[int, str] = {}
        self._drafts: dict[int, _Draft] = {}
        self._by_email: dict[str, UUID] = {}
        self._by_person: dict[Person, UUID] = {}
        self._by_content: dict[int, UUID] = {}
        self._made_of_name: dict[str, list[UUID]] = {}
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
            found = self._by_content.get(entry.number) or self._made_like(draft)
        else:
            return None
        return None if found is None else self._unit.loaded[found]

    def remember(self, contact: Current[Contact]) -> None:
        """A contact that a row has made: rows behind it may be about it too."""
        state = contact.state
        if state.email is not None:
            self._by_email[state.email] = contact.id
        if self._drafts:
            name = folded(state.name)
            self._made_of_name.setdefault(name, []).append(contact.id)
            if state.phone is not None:
                self._by_person.setdefault((name, state.phone, state.phone_extension), contact.id)

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
        self._drafts[entry.number] = _Draft(name, person, ContactDetails(**given))

    def _look_up(self) -> None:
        conn = self._unit.conn
        if self._addresses:
            found = contacts.by_emails(conn, list(set(self._addresses.values())))
            self._by_email = {address: self._known(contact) for address, contact in found.items()}
        if persons := [draft.person for draft in self._drafts.values() if draft.person is not None]:
            of_persons = matches.by_persons(conn, persons, self._visible_to)
            self._by_person = {person: self._known(contact) for person, contact in of_persons.items()}
        wanted = {number: draft for number, draft in self._drafts.items() if draft.person is None}
        if wanted:
            like = matches.by_content(
                conn, [(draft.name, draft.content) for draft in wanted.values()], self._visible_to
            )
            numbers = list(wanted)
            self._by_content = {numbers[place]: self._known(contact) for place, contact in like.items()}

    def _known(self, contact: Current[Contact]) -> UUID:
        self._unit.loaded.setdefault(contact.id, contact)
        return contact.id

    def _made_like(self, draft: _Draft) -> UUID | None:
        given = named(draft.given)
        for contact_id in self._made_of_name.get(draft.name, ()):
            contact: Current[Contact] | None = self._unit.loaded[contact_id]
            if contact is not None and not difference(given, contact.state)[0]:
                return contact_id
        return None
