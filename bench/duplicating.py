"""Duplicates among many contacts, a good part of which are like another."""

from __future__ import annotations

import time
import urllib.request
from collections.abc import Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final

from bench import load, people
from bench.figure import Figure, budget
from bench.people import CHUNK, People
from bench.scale import Scale
from bench.searching import cost
from bench.stack import Entry, Stack
from domain.contact import CONTACT, CreateContact
from eventstore.database import reading
from eventstore.ids import new_id
from eventstore.work import Work
from projections.contact_alike_kept import behind

EACH: Final = 6
"""Of so many contacts one is like another."""
PATH: Final = "/api/v1/contacts/duplicates?limit=50"


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    like = scale.contacts // EACH
    for _ in people.fill(stack, entry.caller, scale.contacts - like):
        continue
    _repeat(stack, entry, like, scale.contacts - like)
    stack.settle()
    with stack.api() as api, stack.worker("views"):
        asked = urllib.request.Request(
            f"{api.url}/contacts/duplicates", headers={"Authorization": f"Bearer {entry.key}"}
        )
        urllib.request.urlopen(asked, timeout=60).close()
        _wait_for_the_worker(stack, entry)
        meter = stack.meter(api=api.process)
        deep = f"{PATH}&offset={like // 2}"
        first, later = (cost(api, meter, [load.request("GET", path, entry.key)], scale) for path in (PATH, deep))
    return [
        budget("duplicates, first page of 50", first, "CPU ms", 20),
        budget("duplicates, a page in the midst", later, "CPU ms", 60),
    ]


def _repeat(stack: Stack, entry: Entry, count: int, among: int) -> None:
    """Contacts that are like others: by mailbox, by phone, or by name and company."""
    for first in range(0, count, CHUNK):
        made = [*_likes(Random(first), min(CHUNK, count - first), among)]
        stack.services.store.run(entry.caller.origin(), partial(_create, made=made), bulk=True)


def _likes(random: Random, count: int, among: int) -> Iterator[dict[str, Any]]:
    persons = People()
    for _ in range(count):
        (person,) = persons.make(random.randrange(among), 1)
        local, _, domain = person["email"].partition("@")
        yield person | random.choice(
            [
                {"email": f"{local}+{new_id().hex}@{domain}", "phone": None},
                {"email": None, "company": None},
                {"email": None, "phone": None},
            ]
        )


def _create(unit: Work, made: Sequence[dict[str, Any]]) -> None:
    for person in made:
        unit.begin(CONTACT, new_id(), CreateContact(**person))


def _wait_for_the_worker(stack: Stack, entry: Entry) -> None:
    left = 1
    while left:
        time.sleep(0.2)
        with reading(stack.services.pool, entry.workspace_id) as conn:
            left = behind(conn)
