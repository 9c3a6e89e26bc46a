"""The auditor's bundle: exporting the log, verifying and replaying it from the file alone, and the live state's hash."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

import psutil

from bench import people
from bench.figure import Figure, rate, shown
from bench.scale import Scale
from bench.stack import Stack
from eventstore.bundle.making import declared, pieces
from eventstore.bundle.replaying import replayed
from eventstore.bundle.verifying import verify_bundle
from eventstore.database import reading
from eventstore.state import States, stored_events
from schemas.log import Actor


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, scale.contacts):
        continue
    stack.settle()
    meter = stack.meter(app=psutil.Process())
    connected = partial(reading, stack.services.pool, entry.workspace_id)
    with connected() as conn:
        declaration = declared(conn, Actor(type="system"), datetime.now(UTC))
    path = stack.data / "bundle.tar"
    with meter.measured() as exporting, path.open("wb") as written:
        for piece in pieces(connected, declaration):
            written.write(piece.content)
    with meter.measured() as verifying, path.open("rb") as file:
        found = verify_bundle(file)
    with meter.measured() as replaying, path.open("rb") as file, replayed(file) as replay:
        assert replay.states is not None, found
        replay.states.fold()
    with meter.measured() as folding:
        live = States(stored_events(connected, declaration.last))
        live.fold()
    if (found.verdict, live.hash) != ("intact", replay.states.hash):
        raise RuntimeError(f"the bundle is not what the log is: {found}")
    per = {"bytes per event": path.stat().st_size / found.report.events}
    return [
        rate(
            "export: the log into a bundle", declaration.last / exporting[0].total, "events/CPU s", 10_000, details=per
        ),
        _beside("verify: a bundle", declaration.last / verifying[0].total, "walk the live chain", 80_000),
        _beside(
            "replay: verify, sort and fold a bundle", declaration.last / replaying[0].total, "replay of rows", 50_000
        ),
        _beside(
            "state: fold the live log, without rows", declaration.last / folding[0].total, "replay of rows", 50_000
        ),
    ]


def _beside(name: str, value: float, other: str, least: float) -> Figure:
    """For information, against the budget of what does the like to the live log."""
    against = f"{other}: budget {shown(least)} events/CPU s"
    return Figure(name, value, "events/CPU s", against, least, limit=None, at_least=True, in_cpu_time=True)
