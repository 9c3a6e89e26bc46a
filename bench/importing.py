"""Importing a CSV file: upload, parse, validate, find duplicates, write."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Sequence
from typing import Any, Final

from bench.figure import Figure, rate
from bench.machine import PeakMemory, Spent
from bench.people import People
from bench.scale import Scale
from bench.stack import Api, Entry, Stack

LOOK_SECONDS: Final = 0.25
"""Between two looks at the job, so that they cost next to nothing of what is measured."""


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    people = People()
    warm, small, large = stack.enter(3)
    with stack.api() as api, stack.worker("jobs") as worker:  # views are measured by themselves
        _imported(api, warm, people.csv(0, scale.rows))
        stack.settle()
        meter = stack.meter(api=api.process, worker=worker)
        memory = PeakMemory((api.process, worker))
        with memory.watched(), meter.measured() as found:
            _imported(api, small, people.csv(0, scale.rows))
        more = PeakMemory((api.process, worker))
        with more.watched():
            _imported(api, large, people.csv(0, 5 * scale.rows))
    spent: Spent = found[0]
    cpu = {name: seconds / scale.rows * 1e6 for name, seconds in spent.cpu.items()}
    remark = ", ".join(f"{name} {value:.0f} µs" for name, value in cpu.items())
    return [
        rate("import contacts of a CSV", scale.rows / spent.total, "/CPU s", 8_000, details=cpu, remark=remark),
        Figure(
            "import: memory for five times the file",
            more.peak / 2**20,
            "MiB",
            "1.25 x that for one",
            memory.peak / 2**20 * 1.25,
        ),
    ]


def _imported(api: Api, entry: Entry, file: bytes) -> None:
    """Uploads the file and waits for the job."""
    job = _asked(api, entry, "/contacts/import?async=true", file)["data"]["jobId"]
    while (state := _asked(api, entry, f"/jobs/{job}")["data"])["status"] != "completed":
        if state["status"] == "failed":
            raise RuntimeError(f"the import failed: {state}")
        time.sleep(LOOK_SECONDS)
    if state["errors"]:
        raise RuntimeError(f"rows were refused: {state['errorDetails'][:3]}")


def _asked(api: Api, entry: Entry, path: str, file: bytes | None = None) -> dict[str, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {entry.key}", "Content-Type": "text/csv"}
    request = urllib.request.Request(api.url + path, data=file, headers=headers)
    with urllib.request.urlopen(request, timeout=120) as answer:
        found: dict[str, dict[str, Any]] = json.load(answer)
    return found
