"""The dashboard on the wire: statistics of a period, and the same day by day."""

from __future__ import annotations

from datetime import date
from typing import Annotated, ClassVar, Literal

from msgspec import Meta

from domain.kernel import JSON, Value
from domain.kernel.money import Amount, Currency

Period = Literal["7d", "30d", "90d", "ytd"]

TotalContacts = Annotated[int, Meta(description="How many contacts there are.")]
OpenDeals = Annotated[int, Meta(description="How many deals are open.")]
TotalValue = Annotated[Amount, Meta(description="What the open deals in `currency` are worth, in whole units.")]
WonValue = Annotated[Amount, Meta(description="What the deals won that are in `currency` are worth, in whole units.")]
WinRate = Annotated[float, Meta(description="Of the deals that were won or lost, the part won, 0 to 1; 0 without any.")]
Sent = Annotated[int, Meta(description="E-mails sent to contacts: interactions `email_sent`.")]
Received = Annotated[int, Meta(description="E-mails received from contacts: interactions `email_received`.")]
InCurrency = Annotated[
    Currency | None,
    Meta(description="The currency of these amounts: the one asked for, or else that of most open deals."),
]


class ContactStatistics(Value):
    """Contacts."""

    total: TotalContacts
    new: Annotated[int, Meta(description="How many of them were created in the period.")]
    trend: Annotated[
        float,
        Meta(
            description=(
                "How many more that is than in as many days right before, as a fraction of those: 0.12 is 12% more, -0.5"
                " half as many. 0 where there were none before."
            )
        ),
    ]


class MoneyInDeals(Value):
    """The deals in one currency."""

    currency: Currency
    open: OpenDeals
    total_value: TotalValue
    won_this_period: Annotated[int, Meta(description="How many deals were won in the period.")]
    won_value: WonValue


class DealStatistics(Value):
    """Deals: how many there are, and what those in one currency are worth."""

    open: OpenDeals
    currency: InCurrency
    total_value: TotalValue
    won_this_period: Annotated[int, Meta(description="How many deals were won in the period.")]
    won_value: WonValue
    win_rate: WinRate
    currencies: Annotated[list[MoneyInDeals], Meta(description="The same by currency, the most open deals first.")]


class TaskStatistics(Value):
    """Tasks."""

    pending: Annotated[int, Meta(description="How many are to be done, and not overdue.")]
    overdue: Annotated[int, Meta(description="How many should have been done by now.")]
    completed_this_period: Annotated[int, Meta(description="How many were completed in the period, and still are.")]


class MessageStatistics(Value):
    """Messages of the period."""

    sent: Sent
    received: Received
    response_rate: Annotated[
        float, Meta(description="Of the contacts that were sent some, the part that then wrote, 0 to 1; 0 without any.")
    ]


class DashboardStatistics(Value):
    """What the workspace comes to, now and in a period."""

    contacts: Annotated[ContactStatistics, Meta(description="Contacts.")]
    deals: Annotated[DealStatistics, Meta(description="Deals, and what those in one currency are worth.")]
    tasks: Annotated[TaskStatistics, Meta(description="Tasks.")]
    messages: Annotated[MessageStatistics, Meta(description="E-mails of the period.")]
    period: Annotated[Period, Meta(description="The period that was asked for.")]

    example: ClassVar[JSON] = {
        "contacts": {"total": 342, "new": 28, "trend": 0.12},
        "deals": {
            "open": 42,
            "currency": "USD",
            "totalValue": 1840000,
            "wonThisPeriod": 8,
            "wonValue": 384000,
            "winRate": 0.38,
            "currencies": [
                {"currency": "USD", "open": 42, "totalValue": 1840000, "wonThisPeriod": 8, "wonValue": 384000}
            ],
        },
        "tasks": {"pending": 15, "overdue": 3, "completedThisPeriod": 47},
        "messages": {"sent": 234, "received": 189, "responseRate": 0.72},
        "period": "30d",
    }


class ContactsOfDay(Value):
    """Contacts on a day."""

    total: Annotated[int, Meta(description="How many contacts there were at its end.")]
    new: Annotated[int, Meta(description="How many of those that are there now were created on it.")]


class DealsOfDay(Value):
    """Deals on a day; amounts are of those in one currency."""

    open: Annotated[int, Meta(description="How many deals were open at its end.")]
    total_value: Annotated[Amount, Meta(description="What those in `currency` were worth, in whole units.")]
    won: Annotated[int, Meta(description="How many deals were won on it, and still are.")]
    won_value: WonValue
    win_rate: WinRate


class TasksOfDay(Value):
    """Tasks on a day."""

    open: Annotated[int, Meta(description="How many were to be done at its end, overdue or not.")]
    overdue: Annotated[int, Meta(description="How many were due on it and are to be done still.")]
    completed: Annotated[int, Meta(description="How many were completed on it, and still are.")]


class MessagesOfDay(Value):
    """Messages on a day."""

    sent: Sent
    received: Received


class DashboardDay(Value):
    """The statistics of a day, which begins and ends at midnight UTC."""

    day: Annotated[date, Meta(description="The day: `YYYY-MM-DD`.")]
    contacts: Annotated[ContactsOfDay, Meta(description="Contacts.")]
    deals: Annotated[DealsOfDay, Meta(description="Deals, and what those in one currency are worth.")]
    tasks: Annotated[TasksOfDay, Meta(description="Tasks.")]
    messages: Annotated[MessagesOfDay, Meta(description="E-mails of the day.")]


class DashboardSeries(Value):
    """The statistics of a period, day by day."""

    period: Annotated[Period, Meta(description="The period that was asked for.")]
    currency: InCurrency
    days: Annotated[list[DashboardDay], Meta(description="Its days, the first one first; the last is today.")]

    example: ClassVar[JSON] = {
        "period": "7d",
        "currency": "USD",
        "days": [
            {
                "day": "2026-03-15",
                "contacts": {"total": 342, "new": 4},
                "deals": {"open": 42, "totalValue": 1840000, "won": 1, "wonValue": 42000.5, "winRate": 0.5},
                "tasks": {"open": 18, "overdue": 1, "completed": 6},
                "messages": {"sent": 31, "received": 22},
            }
        ],
    }
