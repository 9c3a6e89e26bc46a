"""What was written to contacts and by them, for the dashboard: counted from the interactions that there are."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from psycopg import Cursor

from eventstore.database import Db
from projections.dashboard_sums import part
from projections.interaction import INTERACTIONS
from projections.table.seeing import seen
from schemas.dashboard import MessagesOfDay, MessageStatistics

_MAILS: Final = f"""
    WITH mails AS MATERIALIZED (
        SELECT contact_id, occurred_at, type = 'email_sent' AS sent FROM {INTERACTIONS.table}
        WHERE workspace_id = %s AND occurred_at >= %s AND occurred_at < %s AND type IN ('email_sent', 'email_received')
            AND ({{seen}})
    )
"""
_STATISTICS: Final = f"""{_MAILS}
    SELECT count(*) FILTER (WHERE sent), count(*) FILTER (WHERE NOT sent),
        count(DISTINCT contact_id) FILTER (WHERE sent),
        count(DISTINCT contact_id) FILTER (WHERE NOT sent AND occurred_at > first)
    FROM (SELECT *, min(occurred_at) FILTER (WHERE sent) OVER (PARTITION BY contact_id) AS first FROM mails) AS told
"""
_BY_DAY: Final = f"""{_MAILS}
    SELECT date_trunc('day', occurred_at, 'UTC') AS day, count(*) FILTER (WHERE sent), count(*) FILTER (WHERE NOT sent)
    FROM mails GROUP BY day
"""


def statistics(conn: Db, since: datetime, now: datetime) -> MessageStatistics:
    """Of the contacts that the caller sees."""
    row = _asked(conn, _STATISTICS, since, now).fetchone()
    assert row is not None
    sent, received, written_to, answered = row
    return MessageStatistics(sent=sent, received=received, response_rate=part(answered, written_to))


def by_day(conn: Db, days: Sequence[datetime], now: datetime) -> Iterator[MessagesOfDay]:
    """Of each of these days, which follow one another."""
    found = {at: (sent, received) for at, sent, received in _asked(conn, _BY_DAY, days[0], now)}
    for at in days:
        sent, received = found.get(at, (0, 0))
        yield MessagesOfDay(sent=sent, received=received)


def _asked(conn: Db, query: str, since: datetime, now: datetime) -> Cursor[Any]:
    theirs = seen(INTERACTIONS, conn.visible_to)
    params = (conn.workspace_id, since, now, *theirs.params_in(conn.workspace_id))
    return conn.execute(query.format(seen=theirs.sql).encode(), params)
