"""Moments of a log: a seq, or a time and what had been recorded by then."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from domain.kernel import Refused
from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.chain import timestamp
from eventstore.database import Pool, reading
from eventstore.ids import new_id
from eventstore.moment import seq_of
from eventstore.reader import read_log
from eventstore.unit_of_work import EventStore

OTHER_FORMS = (
    "2026-03-15",
    "2026-03-15T10:30:00",
    "2026-03-15 10:30:00Z",
    "2026-03-15T10Z",
    "2026-03-15T10:30Z",
    "2026-03-15T10:30:00,5Z",
    "2026-03-15T10:30:00.Z",
    "2026-03-15T10:30:00+01",
    "2026-03-15T10:30:00+0100",
    "2026-03-15T10:30:00+01:00:30",
    "2026-03-15T10:30:00+24:00",
    "20260315T103000Z",
    "2026-W11-7T10:30:00Z",
    "2026-074T10:30:00Z",
    "2026-02-30T10:30:00Z",
    "2026-03-15T24:00:00Z",
    "\uff12026-03-15T10:30:00Z",
)
"""Times of ISO 8601 that are none of RFC 3339, and days and hours that there are not."""


def write(store: EventStore, origin: Origin, name: str) -> None:
    store.run(origin, lambda work: work.begin(TAG, new_id(), CreateTag(name=name)))


def test_a_time_is_that_of_the_last_entry_recorded_by_then(
    store: EventStore, origin: Origin, workspace: UUID, pool: Pool
) -> None:
    for number in range(9):
        write(store, origin, f"tag {number}")
        time.sleep(0.002)

    with reading(pool, workspace) as conn:
        entries = read_log(conn, limit=100)
        for entry in entries:
            at = datetime.fromisoformat(entry.recorded_at)
            assert seq_of(conn, entry.recorded_at) == entry.seq
            assert seq_of(conn, timestamp(at - timedelta(microseconds=1))) == entry.seq - 1
            assert seq_of(conn, timestamp(at + timedelta(microseconds=1))) == entry.seq
            assert seq_of(conn, f"{at + timedelta(hours=2):%Y-%m-%dT%H:%M:%S.%f}+02:00") == entry.seq
        assert len(entries) >= 9
        assert seq_of(conn, timestamp(datetime.now(UTC))) == entries[-1].seq
        assert seq_of(conn, "0001-01-01T00:00:00Z") == 0


@pytest.mark.parametrize(
    "written",
    [
        "2026-03-15T10:30:00Z",
        "2026-03-15t10:30:00z",
        "2026-03-15T10:30:00.5Z",
        "2026-03-15T10:30:00.123456789Z",
        "2026-03-15T10:30:00+01:00",
        "2026-03-15T10:30:00.000001-23:59",
        "2026-03-15T10:30:00-00:00",
    ],
)
def test_a_time_is_written_in_any_form_of_rfc_3339(workspace: UUID, pool: Pool, written: str) -> None:
    with reading(pool, workspace) as conn:
        assert seq_of(conn, written) == 0


def test_a_seq_is_itself(store: EventStore, origin: Origin, workspace: UUID, pool: Pool) -> None:
    write(store, origin, "VIP")

    with reading(pool, workspace) as conn:
        last = read_log(conn, limit=100)[-1].seq
        assert [seq_of(conn, str(seq)) for seq in range(last + 1)] == [*range(last + 1)]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ("2999-01-01T00:00:00Z", "lies in the future"),
        ("99", "is ahead of the log, which ends at 1"),
        ("9999-12-31T23:59:59-14:00", "must be in the years 1 to 9999"),
        ("0001-01-01T00:00:00+14:00", "must be in the years 1 to 9999"),
        *(
            (no_moment, "must be an RFC 3339 time")
            for no_moment in ("", "yesterday", "-1", "1.0", "\uff12", "9" * 19, "9" * 100_000, "T" * 41)
        ),
        *((other_form, "must be an RFC 3339 time") for other_form in OTHER_FORMS),
    ],
)
def test_what_is_no_moment_of_the_log_is_refused_under_its_name(
    store: EventStore, origin: Origin, workspace: UUID, pool: Pool, asked: str, said: str
) -> None:
    write(store, origin, "VIP")

    with reading(pool, workspace) as conn, pytest.raises(Refused, match=f"^from: .*{said}"):
        seq_of(conn, asked, "from")


def test_an_empty_log_has_no_entry_at_any_moment(workspace: UUID, pool: Pool) -> None:
    with reading(pool, workspace) as conn:
        assert seq_of(conn, "0") == 0
        assert seq_of(conn, timestamp(datetime.now(UTC))) == 0
