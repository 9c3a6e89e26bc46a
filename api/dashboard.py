"""The dashboard over HTTP."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, Any, Final, TypeVar

from litestar import Controller
from litestar.di import NamedDependency
from litestar.params import QueryParameter

from api.http.answers import Json, plain
from api.http.ask import Ask
from api.http.fresh import MinSeq, fresh
from api.http.routes import get
from domain.kernel import invalid
from domain.kernel.money import currency as known_currency
from eventstore.database import Db
from projections.dashboard import DASHBOARD
from projections.dashboard_series import series
from projections.dashboard_statistics import statistics
from schemas.dashboard import DashboardSeries, DashboardStatistics, Period

T = TypeVar("T")

OfPeriod = Annotated[
    Period,
    QueryParameter(description="The last 7, 30 or 90 days with today, or the year so far. Days are those of UTC."),
]
InCurrency = Annotated[
    str | None,
    QueryParameter(
        max_length=10, description="The currency (ISO 4217) of amounts; unless given, that of the most open deals."
    ),
]
_SAID: Final[dict[str, Any]] = {"errors": ("validation_failed",), "headers": ("Daybook-View-Seq",)}
_ABOUT: Final = (
    " Of what is there now: what was deleted does not count. A member limited to what is assigned to them is told of that alone."
    " A worker keeps it, a moment behind the log: `Daybook-View-Seq` says how far it is, and `minSeq` waits for it."
)


class DashboardController(Controller):
    path = "/dashboard"
    tags = ["Dashboard"]  # noqa: RUF012 - what Litestar reads

    @get(
        "/stats",
        operation_id="getDashboardStatistics",
        summary="What contacts, deals, tasks and messages come to",
        description=f"Now, and in a period.{_ABOUT}",
        scope="dashboard:read",
        **_SAID,
    )
    async def statistics(
        self,
        ask: NamedDependency[Ask],
        period: OfPeriod = "30d",
        currency: InCurrency = None,
        min_seq: MinSeq = None,
    ) -> Json[DashboardStatistics]:
        code = _code(currency)
        return await _answered(ask, min_seq, lambda conn: statistics(conn, period, code, datetime.now(UTC)))

    @get(
        "/series",
        operation_id="getDashboardSeries",
        summary="The dashboard's statistics day by day",
        description=f"For each day of a period, today included.{_ABOUT}",
        scope="dashboard:read",
        **_SAID,
    )
    async def series(
        self,
        ask: NamedDependency[Ask],
        period: OfPeriod = "30d",
        currency: InCurrency = None,
        min_seq: MinSeq = None,
    ) -> Json[DashboardSeries]:
        code = _code(currency)
        return await _answered(ask, min_seq, lambda conn: series(conn, period, code, datetime.now(UTC)))


async def _answered(ask: Ask, min_seq: int | None, read: Callable[[Db], T]) -> Json[T]:
    found, headers = await fresh(ask, DASHBOARD, min_seq, read)
    return plain(found, headers=headers)


def _code(given: str | None) -> str | None:
    try:
        return None if given is None else known_currency(given)
    except ValueError as error:
        raise invalid("currency", str(error)) from None
