"""Connections that give up on a server that does not answer.

A host that is gone is noticed by TCP, within ``tcp_user_timeout``. A server that is frozen is not: its host goes on
acknowledging what it is sent. So a wait for an answer ends too, and its connection with it.
"""

from __future__ import annotations

from typing import Final, TypeVar

from psycopg import AsyncConnection, Connection, OperationalError
from psycopg.abc import PQGen
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import _WaitTimeout  # what waiting raises when its time is up
from psycopg.rows import TupleRow

T = TypeVar("T")

PATIENCE_SECONDS: Final = 15.0
"""For an answer. A statement that takes longer, or waits so long for a lock, is given up."""

_INTERVAL: Final = 0.1
_DEFAULTS: Final = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""Seconds for each host to be connected to, and milliseconds for what was sent to be acknowledged."""


def within_time(url: str) -> str:
    """The address, with limits to the time that connecting and sending take; its own come first."""
    return make_conninfo("", **{**_DEFAULTS, **conninfo_to_dict(url)})


class PatientConnection(Connection[TupleRow]):
    """Raises ``OperationalError`` and is closed when the server has not answered for ``patience`` seconds.

    ``None``, as an owner's long statements need it, is for ever.
    """

    patience: float | None = None

    def wait(self, gen: PQGen[T], interval: float = _INTERVAL, timeout: float | None = None) -> T:
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except _WaitTimeout:
            self.close()  # else its rollback would wait as long again
            raise _silent() from None


class AsyncPatientConnection(AsyncConnection[TupleRow]):
    """The same for event loops."""

    patience = PATIENCE_SECONDS

    async def wait(self, gen: PQGen[T], interval: float = _INTERVAL, timeout: float | None = None) -> T:  # noqa: ASYNC109 - psycopg's signature
        try:
            return await super().wait(gen, interval, self.patience if timeout is None else timeout)
        except _WaitTimeout:
            await self.close()
            raise _silent() from None


def _silent() -> OperationalError:
    return OperationalError("the server has not answered in time")
