"""Connections that give up on a server that does not answer.

A host that is gone is noticed by TCP, within ``tcp_user_timeout``. A server that is frozen is not: its host goes on
acknowledging what it is sent. So a wait for an answer ends too, and its connection with it.

The server gives up before its client does: what a client no longer waits for is not carried out behind its back, and a
client that is frozen in the midst of a transaction keeps others waiting for seconds only.
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

BULK: Final = 4
"""So many times the patience has bulk work."""

READS: Final = 20
"""So many times the patience has what reads all that there is of something."""

_INTERVAL: Final = 0.1
_WITH_TRANSACTION_TIMEOUT: Final = 170_000
_DEFAULTS: Final = {"connect_timeout": 5, "tcp_user_timeout": 10_000}
"""Seconds for each host to be connected to, and milliseconds for what was sent to be acknowledged."""


def within_time(url: str) -> str:
    """The address, with limits to the time that connecting and sending take; its own come first."""
    return make_conninfo("", **{**_DEFAULTS, **conninfo_to_dict(url)})


def server_limits(patience: float, server_version: int, *, scope: str = "SESSION") -> bytes:
    """What tells the server when to give up, where its client waits so many seconds for each answer.

    A lock that is waited for and a client that says nothing in a transaction get a third of them, a statement two, and a
    transaction all. ``scope`` is ``LOCAL`` for a transaction in hand.
    """
    third = round(patience * 1000 / 3)
    limits = {
        "lock_timeout": third,
        "idle_in_transaction_session_timeout": third,
        "statement_timeout": 2 * third,
        "transaction_timeout": 3 * third,
    }
    if server_version < _WITH_TRANSACTION_TIMEOUT:
        del limits["transaction_timeout"]
    said = [f"SET {scope} {name} = {limit}" for name, limit in limits.items()]
    if (
        scope == "LOCAL" and "transaction_timeout" in limits
    ):  # one that runs is not put off, but begins anew behind none
        said.insert(0, "SET LOCAL transaction_timeout = 0")
    return "; ".join(said).encode()


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
