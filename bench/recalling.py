"""Reading as of a moment: what keeping the past costs, and a page of a year ago beside the page of now."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from typing import Final
from uuid import UUID

import psutil

from bench import load, people
from bench.figure import Figure, rate
from bench.scale import Scale
from bench.searching import PAGE, cost
from bench.stack import Entry, Stack
from domain.contact import CONTACT, UpdateContact
from eventstore.database import one
from eventstore.migrate import connect
from eventstore.work import Work
from projections.catalogue import PAST
from projections.contact import CONTACTS
from workers.consuming.consumer import Consuming
from workers.consuming.view import consumer_of
from workers.running.context import async_pool

SINCE: Final = 2
"""Changes of each contact since the moment that is read: in all, one has three or four versions."""
MOST: Final = 3.0
"""So many times the page of now may the page of then cost."""

PAGES: Final = {
    "plain": f"/api/v1/contacts?limit={PAGE}",
    "by name": f"/api/v1/contacts?limit={PAGE}&sort=name",
    "changed last": f"/api/v1/contacts?limit={PAGE}&sort=-updatedAt",
    "with a tag": f"/api/v1/contacts?limit={PAGE}&tag=vip",
    "with a tag that half of them have": f"/api/v1/contacts?limit={PAGE}&tag=customer",
    "search": f"/api/v1/contacts?limit={PAGE}&search=kamala",
    "with a custom field": f"/api/v1/contacts/search?limit={PAGE}&field1=700",
}


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, scale.contacts, fields=2):
        continue
    then = _end(stack, entry)
    _go_on(stack, entry)
    meter = stack.meter(app=psutil.Process())
    with meter.measured() as keeping:
        asyncio.run(_keep(stack, entry))
    stack.settle()
    events = _end(stack, entry)
    found = [rate("the past of rows, kept", events / keeping[0].total, "events/CPU s", 2_000), _size(stack)]
    with stack.api() as api:
        of_api = stack.meter(api=api.process)
        for name, path in PAGES.items():
            now, past = (
                cost(api, of_api, [load.request("GET", asked, entry.key)], scale)
                for asked in (path, f"{path}&asOf={then}")
            )
            remark = f"{past:.2f} CPU ms, now {now:.2f}"
            found.append(
                Figure(f"list {PAGE} as of then, {name}", past / now, "x", "3 x the page of now", MOST, remark=remark)
            )
    return found


def _go_on(stack: Stack, entry: Entry) -> None:
    """Every contact is changed, over and over."""
    with connect(stack.owner_url) as conn:
        ids = [row[0] for row in conn.execute(f"SELECT id FROM {CONTACTS.table} ORDER BY id".encode())]
    for time in range(SINCE):
        for first in range(0, len(ids), people.CHUNK):
            work = partial(_change, ids=ids[first : first + people.CHUNK], city=f"City {time}")
            stack.services.store.run(entry.caller.origin(), work, bulk=True)


def _change(unit: Work, ids: Sequence[UUID], city: str) -> None:
    for contact_id in ids:
        unit.execute(CONTACT, contact_id, UpdateContact(city=city))


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
