"""Moments of a log, as callers write them: what had been recorded by then."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Final, LiteralString

from domain.kernel import invalid
from domain.kernel.values import moment
from eventstore.database import Db, one
from eventstore.reader import head

MAX_LENGTH: Final = 40
_MOST_DIGITS: Final = 18
_RFC_3339: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(?:\.\d+)?(?:[Zz]|[+-]\d\d:\d\d)", re.ASCII)

# Entries are recorded in order of time, so the last of a time is found by halving the log.
_LAST: Final[LiteralString] = """
    WITH RECURSIVE half (low, high) AS (
        SELECT 0::bigint, seq FROM log_heads WHERE workspace_id = %(w)s
        UNION ALL
        SELECT CASE WHEN by_then THEN middle ELSE low END, CASE WHEN by_then THEN high ELSE middle - 1 END
        FROM (
            SELECT low, high, (low + high + 1) / 2 AS middle,
                (SELECT recorded_at <= %(at)s FROM events WHERE workspace_id = %(w)s AND seq = (low + high + 1) / 2) AS by_then
            FROM half WHERE low < high
        ) AS halved
    )
    SELECT low, clock_timestamp() < %(at)s FROM half WHERE low = high
"""


def seq_of(conn: Db, asked: str, field: str = "asOf") -> int:
    """The seq of the last entry that the log had at a moment; 0 before the first. Inside ``reading``.

    ``asked``: a seq of the log, or an RFC 3339 time, to the microsecond and without leap seconds. Refuses (422, naming the ``field``)
    what is neither, a time in the future, and a seq that the log has not come to.
    """
    wanted = read(asked, field)
    if isinstance(wanted, int):
        return _reached(conn, wanted, field)
    row = one(conn, _LAST, {"w": conn.workspace_id, "at": wanted})
    last, future = (0, False) if row is None else row
    if future:
        raise invalid(field, "lies in the future")
    return int(last)


def read(asked: str, field: str) -> int | datetime:
    """The seq, or the time in UTC, that was written; refuses (422, naming the ``field``) what is neither."""
    if asked.isascii() and asked.isdigit() and len(asked) <= _MOST_DIGITS:
        return int(asked)
    return _time(asked, field)


def _reached(conn: Db, seq: int, field: str) -> int:
    last, _ = head(conn)
    if seq > last:
        raise invalid(field, f"is ahead of the log, which ends at {last}")
    return seq


def _time(asked: str, field: str) -> datetime:
    no_moment = invalid(field, "must be an RFC 3339 time, such as 2026-03-15T10:30:00Z, or a seq of the log")
    if len(asked) > MAX_LENGTH or not _RFC_3339.fullmatch(asked):
        raise no_moment
    try:
        time = datetime.fromisoformat(asked.upper())
    except ValueError:
        raise no_moment from None
    try:
        return moment(time)
    except ValueError as error:
        raise invalid(field, str(error)) from None
