"""Made-up people: always the same ones, with names, companies and addresses about as various as real ones."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final
from uuid import UUID

from application.calling.caller import Caller
from bench.stack import Stack
from domain.contact import CONTACT, CreateContact, UpdateContact
from domain.tag import TAG, CreateTag, TagRef
from eventstore.ids import new_id
from eventstore.work import Work

CHUNK: Final = 1_000

_FIRST: Final = (
    "Ada Aisha Alan Alba Amina Anders Anna Arjun Astrid Beatriz Björn Carla Chen Chiara Chloé Dana Daniel David Dilek Elena "
    "Emeka Emil Emma Erik Esra Fatima Felix Fiona Freya Gabriel George Grace Hana Hannah Hassan Hugo Ida Igor Ines Ingrid "
    "Ivan Jack James Jana Javier Jin Johan John Julia Kaito Kamala Karin Katya Kenji Lara Lars Laura Léa Leo Lin Linnea "
    "Lucas Lucía Magnus Maja Marco Maria Marta Mateo Max Maya Mei Mia Miguel Milan Mira Mohammed Nadia Natalia Nia Nils "
    "Noah Nora Olga Oliver Omar Oskar Otto Pablo Paul Petra Priya Rafael Rahul Raj Rosa Ruth Sam Samira Sara Sarah Sofia "
    "Stefan Sven Tara Theo Thomas Tomás Ulla Vera Victor Wei Yara Yuki Yusuf Zoe"
).split()
_ONSET: Final = "b br c ch cl d dr f g gr h j k kl l m n p r s sch st t th v w".split()
_VOWEL: Final = "a e i o u ai ei ou ie".split()
_CODA: Final = "n r l s m nd rt ck ns ll rk tz".split()
_ENDING: Final = "son berg mann ez ova ström ini er sen ton ski wood field ham".split()
_TRADES: Final = "Labs Logistics Foods Systems Partners Energy Media Health Legal Motors Textiles Software".split()
_SOURCES: Final = ("website", "referral", "trade fair", "cold call", "newsletter", "partner", "import", "webinar")
_TAGS: Final = ("customer", "lead", "vip", "partner", "newsletter", "churned", "press", "supplier", "investor", "trial")


class People:
    """Contacts as callers would send them, numbered from 0; the same numbers are the same people."""

    def __init__(self, seed: int = 20260315) -> None:
        self._random = Random(seed)
        self._surnames = [self._surname() for _ in range(6_000)]
        self._companies = [f"{self._surname()} {self._random.choice(_TRADES)}" for _ in range(4_000)]

    def _surname(self) -> str:
        pick = self._random.choice
        return (pick(_ONSET) + pick(_VOWEL) + pick(_CODA) + pick(_ENDING)).capitalize()

    def make(self, first: int, count: int) -> Iterator[dict[str, Any]]:
        for number in range(first, first + count):
            random = Random(number)
            given, family = random.choice(_FIRST), random.choice(self._surnames)
            plain = (given + "." + family).lower().encode("ascii", "ignore").decode()
            yield {
                "first_name": given,
                "last_name": family,
                "email": f"{plain}{number}@example.com",
                "phone": f"+1415{random.randrange(2_000_000, 9_999_999)}",
                "company": random.choice(self._companies),
                "source": random.choice(_SOURCES),
            }

    def csv(self, first: int, count: int) -> bytes:
        """A file such as other systems export."""
        text = io.StringIO()
        writer = csv.writer(text)
        writer.writerow(("First Name", "Last Name", "Email", "Phone", "Company", "Source"))
        writer.writerows(person.values() for person in self.make(first, count))
        return text.getvalue().encode()


def fill(stack: Stack, caller: Caller, contacts: int, *, fields: int = 0) -> Iterator[int]:
    """Contacts with tags and so many custom fields, a third of them changed since: in bulk, a thousand a unit of work.

    Yields how many there are.
    """
    people = People()
    tags: list[TagRef] = []

    def make_tags(unit: Work) -> None:
        for name in _TAGS:
            tag = unit.begin(TAG, new_id(), CreateTag(name=name))
            tags.append(TagRef(id=tag.id, name=name))

    stack.services.store.run(caller.origin(), make_tags)
    for first in range(0, contacts, CHUNK):
        ids = [new_id() for _ in range(min(CHUNK, contacts - first))]
        created = [person | _custom(first + n, fields) for n, person in enumerate(people.make(first, len(ids)))]
        stack.services.store.run(caller.origin(), partial(_create, ids=ids, created=created, tags=tags), bulk=True)
        stack.services.store.run(caller.origin(), partial(_change, ids=ids[::3]), bulk=True)
        yield first + len(ids)


def _custom(number: int, fields: int) -> dict[str, Any]:
    """Text, numbers and lists by turns: some values that many have, and some that few have."""
    random = Random(number)
    values = {
        f"field{n}": (random.choice(_TRADES), random.randrange(5_000), [random.choice(_SOURCES)])[n % 3]
        for n in range(fields)
    }
    return {"custom_fields": values} if values else {}


def _create(unit: Work, ids: Sequence[UUID], created: Sequence[dict[str, Any]], tags: Sequence[TagRef]) -> None:
    for number, (contact_id, person) in enumerate(zip(ids, created, strict=True)):
        # One tag on every second contact, and one on every tenth: common ones and rare ones.
        borne = ([tags[0]] if number % 2 else []) + ([tags[1 + number // 10 % 9]] if number % 10 == 0 else [])
        unit.begin(CONTACT, contact_id, CreateContact(**person, tags=tuple(borne)))


def _change(unit: Work, ids: Sequence[UUID]) -> None:
    for contact_id in ids:
        unit.execute(CONTACT, contact_id, UpdateContact(status="INACTIVE", job_title="Head of Purchasing"))
