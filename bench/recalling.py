"""Reading as of a moment: what keeping the past costs, and pages of a year ago, in each order, beside the pages of now."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import product
from statistics import median
from typing import Any, Final
from uuid import UUID

import psutil

from bench import load, people, things
from bench.figure import Figure, rate
from bench.scale import Scale
from bench.searching import PAGE, spent
from bench.stack import Entry, Stack
from domain.contact import CONTACT, UpdateContact
from eventstore.database import one
from eventstore.migrate import connect
from eventstore.work import Work
from projections import company, contact, deal, task
from projections.catalogue import PAST
from projections.contact import CONTACTS
from projections.table.listing import Listing
from workers.consuming.consumer import Consuming
from workers.consuming.view import consumer_of
from workers.running.context import async_pool

SINCE: Final = 2
"""Changes of each contact since the moment that is read: in all, one has three or four versions."""
MOST: Final = 3.0
"""So many times the page of now may the page of then cost."""
OTHERS: Final = 5
"""Of companies, deals and tasks there are each one for so many contacts."""

ROUNDS: Final = 3
"""Pages of now and of then by turns: what counts is the median, so that the first may warm up."""
PARTS: Final = 16
"""Of the scale's time, one for each page of a round."""
LAST_FIRST: Final = ("createdAt", "updatedAt")
"""In these orders what came since is in the way of a page that begins with the last."""

_LISTINGS: Final[Mapping[str, Listing[Any]]] = {
    "contacts": contact.LISTING,
    "companies": company.LISTING,
    "deals": deal.LISTING,
    "tasks": task.LISTING,
}
_FILTERS: Final = {
    "contacts": {
        "with a tag": "&tag=vip",
        "with a tag, by name": "&tag=vip&sort=name",
        "with a tag that half of them have": "&tag=customer",
        "with a tag that half of them have, changed last": "&tag=customer&sort=-updatedAt",
        "search": "&search=kamala",
        "search for what one has": "&search=12345@example",
        "of a status": "&status=INACTIVE",
        "of a source": "&source=website",
        "with an e-mail address": "&email=nobody@example.com",
    },
    "contacts/search": {
        "with a custom field": "&field1=700",
        "with a custom field that many have": "&field0=Labs",
    },
    "companies": {"search": "&search=12@example", "search for what many have": "&search=brewing"},
    "deals": {
        "of a status": "&status=won",
        "of a status, by value": "&status=won&sort=-value",
        "search": "&search=strand",
    },
    "tasks": {"as urgent": "&priority=high", "overdue": "&status=overdue", "search": "&search=strand"},
}


def _pages() -> Iterator[tuple[str, str]]:
    """What is asked for, in words, and its path: each list in each of its orders, and by filters."""
    for kind, listing in _LISTINGS.items():
        for sort in sorted(listing.sorts):
            order = f"-{sort}" if sort in LAST_FIRST else sort
            yield f"{kind} by {order}", f"/api/v1/{kind}?limit={PAGE}&sort={order}"
    for kind, filters in _FILTERS.items():
        for name, asked in filters.items():
            yield f"{kind.partition('/')[0]} {name}", f"/api/v1/{kind}?limit={PAGE}{asked}"


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, scale.contacts, fields=2):
        continue
    made = [_contacts(stack), *things.fill(stack, entry.caller, scale.contacts // OTHERS)]
    then = _end(stack, entry)
    _go_on(stack, entry, made)
    meter = stack.meter(app=psutil.Process())
    with meter.measured() as keeping:
        asyncio.run(_keep(stack, entry))
    stack.settle()
    events = _end(stack, entry)
    found = [rate("the past of rows, kept", events / keeping[0].total, "events/CPU s", 2_000), _size(stack)]
    with stack.api() as api:
        of_api = stack.meter(api=api.process)
        for name, path in _pages():
            asked = [[load.request("GET", each, entry.key)] for each in (path, f"{path}&asOf={then}")]
            found.append(
                _compared(
                    name, [[spent(api, of_api, of, scale.seconds / PARTS) for of in asked] for _ in range(ROUNDS)]
                )
            )
    return found


def _compared(name: str, rounds: Sequence[Sequence[float]]) -> Figure:
    now, past = (median(each) for each in zip(*rounds, strict=True))
    remark = f"{past:.2f} CPU ms, now {now:.2f}"
    times = median(past / now for now, past in rounds)
    return Figure(f"{PAGE} {name}, as of then", times, "x", "3 x the page of now", MOST, remark=remark)


def _contacts(stack: Stack) -> things.Made:
    with connect(stack.owner_url) as conn:
        ids = [row[0] for row in conn.execute(f"SELECT id FROM {CONTACTS.table} ORDER BY id".encode())]
    return things.Made(CONTACT, ids, lambda time: UpdateContact(city=f"City {time}"))


def _go_on(stack: Stack, entry: Entry, made: Sequence[things.Made]) -> None:
    """Everything is changed, over and over."""
    for time, each in product(range(SINCE), made):
        for first in range(0, len(each.ids), people.CHUNK):
            work = partial(_change, made=each, ids=each.ids[first : first + people.CHUNK], time=time)
            stack.services.store.run(entry.caller.origin(), work, bulk=True)


def _change(unit: Work, made: things.Made, ids: Sequence[UUID], time: int) -> None:
    for thing_id in ids:
        unit.execute(made.decider, thing_id, made.changed(time))


async def _keep(stack: Stack, entry: Entry) -> None:
    async with async_pool(stack.postgres.url(user="daybook_worker")) as pool:
        await Consuming(pool, consumer_of(PAST)).catch_up(entry.workspace_id)


def _end(stack: Stack, entry: Entry) -> int:
    with connect(stack.owner_url) as conn:
        row = one(conn, "SELECT seq FROM log_heads WHERE workspace_id = %s", (entry.workspace_id,))
    assert row is not None
    return int(row[0])


def _size(stack: Stack) -> Figure:
    """What is on the disk for each version of a contact."""
    with connect(stack.owner_url) as conn:
        row = one(
            conn,
            "SELECT pg_total_relation_size('past_contacts')::float8 / greatest(count(*), 1), pg_relation_size('past_contacts')"
            " / greatest(count(*), 1) FROM past_contacts",
        )
    assert row is not None
    return Figure(
        "a version of a contact, with its indexes", row[0], "bytes", "without them", row[1], limit=None,
        remark=f"{row[1]} without them",
    )  # fmt: skip
