"""What the dashboard's counts add up to, by statistic, currency and day."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Final, LiteralString, NamedTuple

from domain.kernel.money import Amount, Money
from eventstore.database import Db
from projections.dashboard import Statistic, day
from schemas.dashboard import Period

DAY: Final = timedelta(days=1)
_DAYS: Final[dict[Period, int]] = {"7d": 7, "30d": 30, "90d": 90}

# What is before the days asked for is one sum, as of the day before them. A task that is due later is not overdue.
_BY_DAY: Final[LiteralString] = """
    SELECT statistic, currency, date_trunc('day', greatest(at, %s), 'UTC') AS day, sum(n)::bigint, sum(amount)
    FROM dashboard_counts
    WHERE workspace_id = %s AND (%s::uuid IS NULL OR owner = %s) AND (statistic <> 'tasks_due' OR at < %s)
    GROUP BY statistic, currency, day
"""


class Stretch(NamedTuple):
    """A period up to ``now``, from the beginning of its first day; and as many days ``before``, to compare it with."""

    before: datetime
    since: datetime
    now: datetime

    @property
    def days(self) -> list[datetime]:
        """The beginnings of the period's days."""
        return [self.since + number * DAY for number in range((self.now - self.since).days + 1)]


def stretch(period: Period, now: datetime) -> Stretch:
    """``30d``: today and the 29 days before it; ``ytd``: from January 1st. Days are those of UTC."""
    today = day(now)
    days = _DAYS.get(period) or today.timetuple().tm_yday
    since = today - (days - 1) * DAY
    return Stretch(since - days * DAY, since, now)


class Sum(NamedTuple):
    """How many, and what they are worth in the smallest unit of their currency."""

    n: int = 0
    amount: int = 0


ByDay = Mapping[datetime, Sum]


class Sums:
    """What was earlier than the first day asked for is as of the day before it."""

    def __init__(self, found: Mapping[tuple[Statistic, str, datetime], Sum]) -> None:
        self._found = found

    def by_day(self, statistic: Statistic, currency: str | None = None) -> ByDay:
        """In one currency, or of things in all of them, which says how many they are."""
        days: dict[datetime, Sum] = {}
        for (name, code, at), found in self._found.items():
            if name == statistic and currency in (None, code):
                there = days.get(at, Sum())
                days[at] = Sum(there.n + found.n, there.amount + found.amount)
        return days

    def total(self, statistic: Statistic, currency: str | None = None) -> Sum:
        return added(self.by_day(statistic, currency))

    @property
    def currencies(self) -> list[str]:
        """Those of deals, that of the most open ones first."""
        deals: defaultdict[str, int] = defaultdict(int)
        for (statistic, currency, _), found in self._found.items():
            if currency:
                deals[currency] += found.n if statistic == "deals_open" else 0
        return sorted(deals, key=lambda code: (-deals[code], code))


def read(conn: Db, since: datetime, now: datetime) -> Sums:
    """Of what the caller sees: of what is assigned to them where they see only that."""
    seen = conn.visible_to
    found = conn.execute(_BY_DAY, (since - DAY, conn.workspace_id, seen, seen, now))
    return Sums({(name, code, at.astimezone(UTC)): Sum(n, int(amount)) for name, code, at, n, amount in found})


def added(days: ByDay, since: datetime | None = None, until: datetime | None = None) -> Sum:
    """The sum of the days from ``since`` to before ``until``."""
    picked = [found for at, found in days.items() if (since is None or at >= since) and (until is None or at < until)]
    return Sum(sum(found.n for found in picked), sum(found.amount for found in picked))


def worth(found: Sum, currency: str | None) -> Amount:
    """In whole units."""
    return Money(amount=found.amount, currency=currency).decimal if currency else Amount(0)


def part(some: int, of: int) -> float:
    """``some`` as a fraction of so many; 0 of none."""
    return round(some / of, 4) if of else 0.0
