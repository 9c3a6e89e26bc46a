"""Which contact a row is about, so that importing the same rows again creates nothing.

By e-mail address; without one by phone number and name; with neither, a contact of that name that has all of the row's
values already. So two people of one name are not made one, unless nothing at all tells them apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from application.importing.importer import Commands, Entry, Plan
from domain.contact import CONTACT, Contact
from domain.contact_cells import CELLS
from domain.kernel import Refused, values
from domain.kernel.changes import difference
from domain.kernel.values import folded
from eventstore.rows import Current
from eventstore.work import Work
from projections import contact as contacts
from projections import contact_match as matches

Path = tuple[str, ...]
"""Where in a contact a text is: a field, or a custom field's key behind ``customFields``."""

Person = tuple[str, str, str | None]
"""A folded name, a phone number and its extension."""


_ANYBODY: Final = Contact()
"""What a contact is where nothing is said: rows do not have it, either."""


@dataclass(frozen=True)
class _Draft:
    """A row without an e-mail address as the contact that it would make: what it is found again by."""

    name: str
    person: Person | None
    given: dict[str, Any]

    @property
    def texts(self) -> dict[Path, str]:
        """All that the row says in words; what is so of everybody, unless said otherwise, tells nobody apart."""
        found: dict[Path, Any] = {
            (wire,): self.given[python]
            for wire, python in CELLS.items()
            if python in self.given and self.given[python] != getattr(_ANYBODY, python)
        }
        found |= {("customFields", key): value for key, value in self.given.get("custom_fields", {}).items()}
        return {path: text for path, text in found.items() if isinstance(text, str)}


class ContactMatcher:
    """Looks up what exists for a whole chunk at once, and remembers what its rows make."""

    def __init__(self, unit: Work, plan: Plan, chunk: Sequence[Entry], commands: Commands[Contact]) -> None:
        self._unit = unit
        self._visible_to = plan.visible_to
        self._commands = commands
        self._addresses: dict[int, str] = {}
        self._drafts: dict[int, _Draft] = {}
        self._marks: dict[int, Path] = {}
        self._by_email: dict[str, UUID] = {}
        self._by_person: dict[Person, UUID] = {}
        self._by_mark: dict[tuple[str, Path, str], list[UUID]] = {}
        for entry in chunk:
            self._look_at(entry)
        self._look_up()

    def find(self, entry: Entry) -> Current[Contact] | None:
        address = self._addresses.get(entry.number)
        draft = self._drafts.get(entry.number)
        if address is not None:
            found = self._by_email.get(address)
        elif draft is not None and draft.person is not None:
            found = self._by_person.get(draft.person)
        elif draft is not None:
            found = self._like(draft, self._marks[entry.number])
        else:
            return None
        return None if found is None else self._unit.at_hand(CONTACT, found)

    def remember(self, made: Current[Contact]) -> None:
        """A contact that a row has made: rows behind it may be about it too."""
        if made.state.email is not None:
            self._by_email[made.state.email] = made.id
        if self._drafts:
            name = folded(made.state.name)
            self._remember_person(name, made)
            for path in set(self._marks.values()):
                self._remember_mark(name, path, made)

    def _remember_person(self, name: str, contact: Current[Contact]) -> None:
        if contact.state.phone is not None:
            person = (name, contact.state.phone, contact.state.phone_extension)
            self._by_person.setdefault(person, contact.id)

    def _remember_mark(self, name: str, path: Path, contact: Current[Contact]) -> None:
        if (mark := _text_at(contact.state, path)) is not None:
            self._by_mark.setdefault((name, path, mark), []).append(contact.id)

    def _look_at(self, entry: Entry) -> None:
        if entry.errors or entry.blank:
            return
        email = entry.fields.get("email")
        if email is None or not email.strip():
            self._draft(entry)
            return
        with suppress(ValueError):  # creating it says what is wrong with the address
            self._addresses[entry.number] = values.email(email)

    def _draft(self, entry: Entry) -> None:
        try:
            contact = self._commands.draft(entry)
        except Refused:
            return  # creating it says why
        given = {name: value for name in entry.fields if (value := getattr(contact, name)) not in (None, {})}
        name = folded(contact.name)
        person = None if contact.phone is None else (name, contact.phone, contact.phone_extension)
        self._drafts[entry.number] = _Draft(name, person, given)

    def _look_up(self) -> None:
        conn = self._unit.conn
        if self._addresses:
            found = contacts.by_emails(conn, list(set(self._addresses.values())))
            self._by_email = {address: self._known(contact).id for address, contact in found.items()}
        if persons := [draft.person for draft in self._drafts.values() if draft.person is not None]:
            names, phones = {name for name, _, _ in persons}, {phone for _, phone, _ in persons}
            for name, contact in matches.with_phones(conn, list(names), list(phones), self._visible_to):
                self._remember_person(name, self._known(contact))
        self._marks = _marks({number: draft for number, draft in self._drafts.items() if draft.person is None})
        for path in set(self._marks.values()):
            drafts = [self._drafts[number] for number, mark in self._marks.items() if mark == path]
            names, texts = {draft.name for draft in drafts}, {draft.texts[path] for draft in drafts}
            for name, contact in matches.with_texts(conn, path, list(names), list(texts), self._visible_to):
                self._remember_mark(name, path, self._known(contact))

    def _known(self, contact: Current[Contact]) -> Current[Contact]:
        self._unit.know(CONTACT, [contact])
        return contact

    def _like(self, draft: _Draft, mark: Path) -> UUID | None:
        """The first contact of the draft's name that has all of its values."""
        for contact_id in self._by_mark.get((draft.name, mark, draft.texts[mark]), ()):
            contact = self._unit.at_hand(CONTACT, contact_id)
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
    found = contact.custom_fields.get(path[1]) if len(path) == 2 else getattr(contact, CELLS[path[0]])
    return found if isinstance(found, str) else None
