"""Creating contacts over HTTP, against Postgres alone doing the same statements."""

from __future__ import annotations

from collections.abc import Sequence

from bench import load
from bench.figure import Figure, budget
from bench.load import Job, Outcome
from bench.machine import Spent
from bench.pgbench import CLIENTS, Pgbench
from bench.scale import Scale
from bench.stack import Entry, Stack

WORKSPACES = 16
ROUNDS = 3

BODY = (
    b'{"firstName":"Sarah","lastName":"Kimberley","email":"s' + load.UNIQUE + b'@example.com","phone":"+14155552671",'
    b'"company":"Acme Corp","source":"website","customFields":{"plan":"gold"}}'
)
TAGGED = BODY.replace(b"}}", b'},"tags":["customer","lead"]}')


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    entries = stack.enter(WORKSPACES)
    one: list[Outcome] = []
    many: list[Outcome] = []
    spent: list[Spent] = []
    with stack.api() as api:
        meter = stack.meter(api=api.process)

        def measure(used: Sequence[Entry], number: int, body: bytes = BODY) -> Outcome:
            requests = [load.request("POST", "/api/v1/contacts", entry.key, body) for entry in used]
            job = Job(api.host, api.port, CLIENTS, requests, seconds=scale.seconds / 2, first=number << 32)
            with meter.measured() as found:
                outcome = load.run(job)
            spent.append(found[0])
            return outcome

        measure(entries, 0)  # warms up: plans, caches, connections
        spent.clear()
        for turn in range(ROUNDS):
            many.append(measure(entries, 2 * turn + 1))
            one.append(measure(entries[:1], 2 * turn + 2))
        plain = list(spent)
        measure(entries, 2 * ROUNDS + 1, TAGGED)  # makes the tags
        spent.clear()
        tagged = [measure(entries, 2 * ROUNDS + 2 + turn, TAGGED) for turn in range(ROUNDS)]
        cost_of_tagged = sum(found.total for found in spent) / sum(outcome.count for outcome in tagged) * 1000
    pgbench = Pgbench(stack)
    same = pgbench.create([entry.workspace_id for entry in entries], scale.seconds)
    floor = pgbench.floor(scale.seconds)

    requests = sum(outcome.count for outcome in (*one, *many))
    app = sum(found.cpu["api"] for found in plain) / requests * 1000
    postgres = sum(found.cpu["postgres"] for found in plain) / requests * 1000
    rate = _median([outcome.per_second for outcome in many])
    half, slow = (_median([outcome.percentile(p) for outcome in many]) for p in (50, 99))
    cpu = {"app": app, "postgres": postgres, "floorPerSecond": floor}
    remark = f"app {app:.2f} + Postgres {postgres:.2f}"
    return [
        budget("create a contact over HTTP", app + postgres, "CPU ms", 1.2, details=cpu, remark=remark),
        budget("create a contact with two tags", cost_of_tagged, "CPU ms", 1.6),
        Figure("create: p99", slow * 1000, "ms", "5 x p50", half * 5000),
        Figure("create: requests/s", rate, "/s", "pgbench, same SQL", same, limit=0.30, at_least=True),
        Figure(
            "create: all in one workspace",
            _median([outcome.per_second for outcome in one]),
            "/s",
            "over 16 workspaces",
            rate,
            limit=0.9,
            at_least=True,
        ),
        Figure("pgbench, same SQL", same, "/s", "one plain insert of 300 bytes", floor, limit=None),
    ]


def _median(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]
