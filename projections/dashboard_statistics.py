"""The dashboard's statistics of a period."""

from __future__ import annotations

from datetime import datetime

from eventstore.database import Db
from projections import dashboard_messages
from projections.dashboard_sums import Stretch, Sums, added, part, read, stretch, worth
from schemas.dashboard import (
    ContactStatistics,
    DashboardStatistics,
    DealStatistics,
    MoneyInDeals,
    Period,
    TaskStatistics,
)


def statistics(conn: Db, period: Period, currency: str | None, now: datetime) -> DashboardStatistics:
    """Of what the caller sees; amounts in this currency, or in that of most open deals."""
    asked = stretch(period, now)
    sums = read(conn, asked.before, now)
    return DashboardStatistics(
        contacts=_contacts(sums, asked),
        deals=_deals(sums, asked, currency),
        tasks=_tasks(sums, asked),
        messages=dashboard_messages.statistics(conn, asked.since, now),
        period=period,
    )


def _contacts(sums: Sums, asked: Stretch) -> ContactStatistics:
    made = sums.by_day("contacts_new")
    new, before = added(made, asked.since).n, added(made, asked.before, asked.since).n
    return ContactStatistics(total=sums.total("contacts").n, new=new, trend=part(new - before, before))


def _deals(sums: Sums, asked: Stretch, currency: str | None) -> DealStatistics:
    currencies = sums.currencies
    code = currency or next(iter(currencies), None)
    won, lost = (added(sums.by_day(statistic), asked.since).n for statistic in ("deals_won", "deals_lost"))
    return DealStatistics(
        open=sums.total("deals_open").n,
        currency=code,
        total_value=worth(sums.total("deals_open", code), code),
        won_this_period=won,
        won_value=worth(added(sums.by_day("deals_won", code), asked.since), code),
        win_rate=part(won, won + lost),
        currencies=[_money(sums, asked, each) for each in currencies],
    )


def _money(sums: Sums, asked: Stretch, currency: str) -> MoneyInDeals:
    there = sums.total("deals_open", currency)
    won = added(sums.by_day("deals_won", currency), asked.since)
    return MoneyInDeals(
        currency=currency,
        open=there.n,
        total_value=worth(there, currency),
        won_this_period=won.n,
        won_value=worth(won, currency),
    )


def _tasks(sums: Sums, asked: Stretch) -> TaskStatistics:
    overdue = sums.total("tasks_due").n
    return TaskStatistics(
        pending=sums.total("tasks_open").n - overdue,
        overdue=overdue,
        completed_this_period=added(sums.by_day("tasks_completed"), asked.since).n,
    )
