"""Going through the log: rebuilding rows from it, and verifying it."""

from __future__ import annotations

from collections.abc import Sequence

import psutil

from bench import people
from bench.figure import Figure, rate
from bench.machine import Meter
from bench.scale import Scale
from bench.stack import Stack
from daybook.collector import spare_the_collector
from eventstore.database import Db, one
from eventstore.migrate import alone, connect
from eventstore.verify import Report, snapshot, verify_log
from projections.contact import CONTACTS
from projections.table.definition import create_indexes
from projections.table.rebuild import Rebuilding
from projections.verify import verify


def figures(stack: Stack, scale: Scale) -> Sequence[Figure]:
    (entry,) = stack.enter(1)
    for _ in people.fill(stack, entry.caller, scale.contacts):
        continue
    stack.settle()
    spare_the_collector()  # as the commands do
    meter = stack.meter(app=psutil.Process())
    with connect(stack.owner_url) as conn:
        counted = one(conn, "SELECT count(*) FROM events WHERE stream_type = 'contact'")
        assert counted is not None
        with alone(conn):
            rebuilding = Rebuilding(conn, CONTACTS)
            with meter.measured() as filling:
                rebuilding.fill()
            with meter.measured() as indexing:
                rebuilding.index()
            rebuilding.finish()
        by_hand = _indexed_by_hand(conn, meter)
        walked = Report()
        with meter.measured() as walking, snapshot(conn):
            verify_log(conn, entry.workspace_id, walked)
        with meter.measured() as verifying:
            report = verify(conn)
    if report.finding is not None:
        raise RuntimeError(f"the log does not verify: {report.finding}")
    return [
        rate("replay: fold and COPY of the contact rows", counted[0] / filling[0].total, "events/CPU s", 50_000),
        Figure("replay: their indexes", indexing[0].total, "CPU s", "1.5 x CREATE INDEX by hand", by_hand * 1.5),
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


def _indexed_by_hand(conn: Db, meter: Meter) -> float:
    """CPU seconds for the same indexes over the same rows."""
    conn.execute(f"CREATE TABLE by_hand AS SELECT * FROM {CONTACTS.table}")
    with meter.measured() as found:
        for name, statement in create_indexes(CONTACTS, "by_hand").items():
            conn.execute(statement.format(index=f"by_hand_{name}").encode())
    conn.execute("DROP TABLE by_hand")
    return found[0].total
