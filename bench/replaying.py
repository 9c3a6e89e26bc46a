"""Going through the log: rebuilding rows from it, and verifying it."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from bench import people
from bench.figure import Figure, rate
from bench.scale import Scale
from bench.stack import Stack
from eventstore.database import one
from eventstore.migrate import connect
from eventstore.verify import Report, snapshot, verify_log
from projections.contact import CONTACTS
from projections.table.rebuild import rebuild
from projections.verify import verify


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, scale.contacts):
        continue
    stack.settle()
    meter = stack.meter(app=psutil.Process())
    with connect(stack.owner_url) as conn:
        counted = one(conn, "SELECT count(*) FROM events WHERE stream_type = 'contact'")
        assert counted is not None
        with meter.measured() as rebuilding:
            rebuild(conn, CONTACTS)
        walked = Report()
        with meter.measured() as walking, snapshot(conn):
            verify_log(conn, entry.workspace_id, walked)
        with meter.measured() as verifying:
            report = verify(conn)
    if report.finding is not None:
        raise RuntimeError(f"the log does not verify: {report.finding}")
    return [
        rate("replay: rebuild the contact rows", counted[0] / rebuilding[0].total, "events/CPU s", 50_000),
        rate("verify: walk the chain", walked.events / walking[0].total, "events/CPU s", 80_000),
        Figure(
            "verify: chain, rows and counts",
            report.events / verifying[0].total,
            "events/CPU s",
            "the chain alone",
            walked.events / walking[0].total,
            limit=None,
        ),
    ]
