"""The dashboard's statistics day by day."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime

from eventstore.database import Db
from projections import dashboard_messages
from projections.dashboard_sums import ByDay, Sum, Sums, added, part, read, stretch, worth
from schemas.dashboard import (
    ContactsOfDay,
    DashboardDay,
    DashboardSeries,
    DealsOfDay,
    Period,
    TasksOfDay,
)


def series(conn: Db, period: Period, currency: str | None, now: datetime) -> DashboardSeries:
    """Of what the caller sees; amounts in this currency, or in that of most open deals."""
    asked = stretch(period, now)
    sums = read(conn, asked.since, now)
    days = asked.days
    code = currency or next(iter(sums.currencies), None)
    parts = zip(
        days,
        _contacts(sums, days),
        _deals(sums, days, code),
        _tasks(sums, days),
        dashboard_messages.by_day(conn, days, now),
        strict=True,
    )
    found = [
        DashboardDay(day=at.date(), contacts=contacts, deals=deals, tasks=tasks, messages=messages)
        for at, contacts, deals, tasks, messages in parts
    ]
    return DashboardSeries(period=period, currency=code, days=found)


def _contacts(sums: Sums, days: Sequence[datetime]) -> Iterator[ContactsOfDay]:
    made = sums.by_day("contacts_new")
    for at, there in zip(days, _standing(sums.by_day("contacts"), days), strict=True):
        yield ContactsOfDay(total=there.n, new=made.get(at, Sum()).n)


def _deals(sums: Sums, days: Sequence[datetime], code: str | None) -> Iterator[DealsOfDay]:
    won, lost, won_in = sums.by_day("deals_won"), sums.by_day("deals_lost"), sums.by_day("deals_won", code)
    there, worth_then = (_standing(sums.by_day("deals_open", which), days) for which in (None, code))
    for at, so_many, so_much in zip(days, there, worth_then, strict=True):
        won_then, lost_then = won.get(at, Sum()).n, lost.get(at, Sum()).n
        yield DealsOfDay(
            open=so_many.n,
            total_value=worth(so_much, code),
            won=won_then,
            won_value=worth(won_in.get(at, Sum()), code),
            win_rate=part(won_then, won_then + lost_then),
        )


def _tasks(sums: Sums, days: Sequence[datetime]) -> Iterator[TasksOfDay]:
    due, done = sums.by_day("tasks_due"), sums.by_day("tasks_completed")
    for at, there in zip(days, _standing(sums.by_day("tasks_open"), days), strict=True):
        yield TasksOfDay(open=there.n, overdue=due.get(at, Sum()).n, completed=done.get(at, Sum()).n)


def _standing(found: ByDay, days: Sequence[datetime]) -> Iterator[Sum]:
    """What there is at the end of each day: what there was before them, and what has come and gone since."""
    n, amount = added(found, until=days[0])
    for at in days:
        come = found.get(at, Sum())
        n, amount = n + come.n, amount + come.amount
        yield Sum(n, amount)
