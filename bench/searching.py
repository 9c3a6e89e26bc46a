"""Lists and searches over many contacts."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from urllib.parse import quote

from bench import load, people
from bench.figure import Figure, budget
from bench.load import Job
from bench.machine import Meter
from bench.scale import Scale
from bench.stack import Api, Entry, Stack
from projections.contact import LISTING

CONNECTIONS = 8
PAGE = 50
SHORT_PAGE = 20
TWO_WORDS = ("daniel 3", "anna berg", "son 41", "sara labs")
SEARCHES = ("kamala", "strand", "thomas", "ström", "er.st", "12345@example")


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, scale.contacts):
        continue
    stack.settle()
    found: list[Figure] = []
    with stack.api() as api:
        meter = stack.meter(api=api.process)
        for sort in sorted(LISTING.sorts):
            first = f"/api/v1/contacts?limit={PAGE}&sort={sort}"
            deep = f"{first}&cursor={_cursor(api, entry, sort, scale.deep)}"
            shallow_ms = _cost(api, meter, entry, [first], scale)
            deep_ms = _cost(api, meter, entry, [deep], scale)
            found.append(budget(f"list {PAGE} by {sort}, first page", shallow_ms, "CPU ms", 1.2))
            found.append(budget(f"list {PAGE} by {sort}, page {scale.deep} by cursor", deep_ms, "CPU ms", 1.2))
            ratio = max(shallow_ms, deep_ms) / min(shallow_ms, deep_ms)
            found.append(Figure(f"list by {sort}: dearer page", ratio, "x", "1.5 x the other", 1.5))
        found += _short(api, meter, entry, scale)
        searches = [f"/api/v1/contacts?limit={PAGE}&search={quote(text)}" for text in SEARCHES]
        found.append(
            budget("search by part of a name or e-mail", _cost(api, meter, entry, searches, scale), "CPU ms", 3)
        )
    return found


def _short(api: Api, meter: Meter, entry: Entry, scale: Scale) -> list[Figure]:
    """What users wait for most: one thing, a short page, two words."""
    tagged = json.dumps({"firstName": "Two", "tags": ["customer", "lead"]}).encode()
    headers = {"Authorization": f"Bearer {entry.key}", "Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(f"{api.url}/contacts", tagged, headers)) as answer:
        one = f"/api/v1/contacts/{json.load(answer)['data']['id']}"
    short = f"/api/v1/contacts?limit={SHORT_PAGE}"
    words = [f"{short}&search={quote(text)}" for text in TWO_WORDS]
    return [
        budget("get a contact with two tags", _cost(api, meter, entry, [one], scale), "CPU ms", 0.55),
        budget(f"list {SHORT_PAGE}", _cost(api, meter, entry, [short], scale), "CPU ms", 0.9),
        budget(f"search by two words, {SHORT_PAGE} shown", _cost(api, meter, entry, words, scale), "CPU ms", 3),
    ]


def _cost(api: Api, meter: Meter, entry: Entry, paths: Sequence[str], scale: Scale) -> float:
    return cost(api, meter, [load.request("GET", path, entry.key) for path in paths], scale)


def cost(api: Api, meter: Meter, requests: list[bytes], scale: Scale) -> float:
    """CPU milliseconds a request, of the API process and Postgres together."""
    load.run(Job(api.host, api.port, CONNECTIONS, requests, count=20 * len(requests)))
    return spent(api, meter, requests, scale.seconds / 4)


def spent(api: Api, meter: Meter, requests: list[bytes], seconds: float) -> float:
    """The same within so many seconds, however warm they are."""
    with meter.measured() as found:
        outcome = load.run(Job(api.host, api.port, CONNECTIONS, requests, seconds=seconds))
    return found[0].total / outcome.count * 1000


def _cursor(api: Api, entry: Entry, sort: str, page: int) -> str:
    """The cursor of a deep page: of the last row of the pages before it."""
    skipped = (page - 1) * PAGE - 1
    wanted = f"{api.url}/contacts?limit=1&offset={skipped}&sort={sort}"
    request = urllib.request.Request(wanted, headers={"Authorization": f"Bearer {entry.key}"})
    with urllib.request.urlopen(request, timeout=60) as answer:
        cursor: str = json.load(answer)["meta"]["nextCursor"]
    return cursor
