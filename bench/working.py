"""What workers and NATS take behind each command, where nobody has webhooks."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil

from bench import creating, load
from bench.figure import Figure, budget
from bench.load import Job
from bench.scale import Scale
from bench.stack import Stack

SETTLED_SECONDS = 1.0
"""After which what was committed has been dealt with."""


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    entries = stack.enter(16)
    requests = [load.request("POST", "/api/v1/contacts", entry.key, creating.BODY) for entry in entries]
    assert stack.nats.pid is not None
    found: list[Figure] = []
    with stack.api() as api, stack.worker() as worker:
        meter = stack.meter(worker=worker, nats=psutil.Process(stack.nats.pid))
        for number, (connections, most) in enumerate([(16, 0.3), (16, 0.3), (1, 0.8)]):
            job = Job(api.host, api.port, connections, requests, seconds=scale.seconds / 2, first=number << 32)
            with meter.measured() as spent:
                outcome = load.run(job)
                time.sleep(SETTLED_SECONDS)
            cpu = {name: spent[0].cpu[name] / outcome.count * 1000 for name in ("worker", "nats")}
            name = f"workers behind a command, {connections} at a time"
            remark = " + ".join(f"{name} {value:.2f}" for name, value in cpu.items())
            found.append(budget(name, sum(cpu.values()), "CPU ms", most, details=cpu, remark=remark))
    return found[1:]  # the first warms up
