"""The dashboard's view: what contacts, deals and tasks come to, by owner and time.

Each thing counts as a few facts, such as that a deal was won on a day for so much. An event takes away those that were true
before it and adds those that are true behind it; so the sums are those over what is there, whatever way it came there.
Where a fact holds for as long as the thing is so (a contact is there, a deal or task is open), its time is the event's day, and
the sums up to a day are what there was on it; else it is when it happened, or is due.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, time
from typing import Any, Final, Literal, NamedTuple
from uuid import UUID

from domain.contact import CONTACT, Contact
from domain.deal import DEAL, Deal
from domain.kernel import Decider
from domain.stage import DealStatus
from domain.task import TASK, Task
from projections.view.view import Add, Fold, Moment, Table, View, When

Statistic = Literal[
    "contacts", "contacts_new", "deals_open", "deals_won", "deals_lost", "tasks_open", "tasks_due", "tasks_completed"
]

NOBODY: Final = UUID(int=0)
"""Who owns what is assigned to nobody."""

COUNTS: Final = Table(
    "dashboard_counts",
    columns={
        "statistic": "text",
        "owner": "uuid",
        "at": "timestamptz",
        "currency": "text",
        "n": "bigint NOT NULL",
        "amount": "numeric NOT NULL",
    },
    key=("statistic", "owner", "at", "currency"),
    sums=True,
)
"""``at``: a day, but for ``tasks_due``; ``amount``: in the currency's smallest unit."""


class Known(NamedTuple):
    """A thing, and since when it is there and has the status that it has."""

    state: Any
    began: datetime
    stands: datetime


class Fact(NamedTuple):
    """``at``: ``None`` for as long as it is true."""

    statistic: Statistic
    at: datetime | None = None
    currency: str = ""
    amount: int = 0


def day(at: datetime) -> datetime:
    """The day, by UTC, that a time is in: its beginning."""
    return datetime.combine(at.astimezone(UTC).date(), time(), UTC)


_DEALS: Final[dict[DealStatus, Statistic]] = {"open": "deals_open", "won": "deals_won", "lost": "deals_lost"}


def facts(known: Known | None) -> list[Fact]:
    match known:
        case None:
            return []
        case Known(Contact(), began):
            return [Fact("contacts"), Fact("contacts_new", day(began))]
        case Known(Deal(status=status, value=value), _, stands):
            at = None if status == "open" else day(stands)
            return [Fact(_DEALS[status], at, value.currency, value.amount)]
        case Known(Task(status="completed"), _, stands):
            return [Fact("tasks_completed", day(stands))]
        case Known(Task(due_date=due)):
            return [Fact("tasks_open"), *([Fact("tasks_due", due)] if due else [])]
        case _:
            raise AssertionError(known)


def count(moment: Moment) -> Iterator[Add]:
    """What the event takes away and adds."""
    today = day(moment.entry.recorded_at)
    for sign, known in ((-1, moment.before), (1, moment.after)):
        owner = NOBODY if known is None else known.state.assigned_to or NOBODY
        for fact in facts(known):
            at = today if fact.at is None else fact.at
            yield Add(COUNTS, (fact.statistic, owner, at, fact.currency, sign, sign * fact.amount))


def _fold(decider: Decider[Any, Any, Any]) -> Fold:
    def evolve(known: Known | None, event: Any, when: When) -> Known | None:
        state = decider.evolve(None if known is None else known.state, event)
        if state is None:
            return None
        if known is None:
            return Known(state, when.recorded, when.recorded)
        return Known(state, known.began, known.stands if state.status == known.state.status else when.recorded)

    return Fold(decider.events, evolve)


_COUNTED: Final[tuple[Decider[Any, Any, Any], ...]] = (CONTACT, DEAL, TASK)

DASHBOARD: Final = View(
    name="dashboard",
    version=1,
    tables=(COUNTS,),
    apply={event.event_name: count for decider in _COUNTED for event in decider.events},
    folds={decider.stream_type: _fold(decider) for decider in _COUNTED},
)
