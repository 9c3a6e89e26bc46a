"""A server that does not answer is given up in time, and of several hosts the one that takes writes is found."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import LiteralString
from uuid import UUID

import psutil
import psycopg
import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore.database import Db, Pool, Unavailable, connection, one, open_pool, reading
from eventstore.lasting import in_bulk
from eventstore.patience import BULK, AsyncPatientConnection
from tests.servers import another_database
from tests.standby import Pair, host, streaming_pair
from workers.running.context import async_pool

PATIENCE = 1.0
SHARES = {
    "lock_timeout": 300,
    "idle_in_transaction_session_timeout": 300,
    "statement_timeout": 600,
    "transaction_timeout": 900,
}
"""Milliseconds, of a patience of 900."""


@contextmanager
def frozen(server: EmbeddedPostgres) -> Iterator[None]:
    """All of its processes stand still; their host goes on acknowledging what is sent to them."""
    assert server.pid is not None
    postmaster = psutil.Process(server.pid)
    processes = [postmaster, *postmaster.children()]
    for process in processes:
        process.suspend()
    try:
        yield
    finally:
        for process in processes:
            process.resume()


@contextmanager
def black_hole() -> Iterator[int]:
    """A port that takes connections and never says anything."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def answers(pool: Pool) -> bool:
    with connection(pool) as conn:
        return one(conn, "SELECT 1") == (1,)


def pipelined(pool: Pool, *statements: LiteralString) -> None:
    with connection(pool) as conn, conn.transaction(), conn.pipeline():
        for statement in statements:
            conn.execute(statement)


def seconds_until_unavailable(act: Callable[[], object]) -> float:
    began = time.monotonic()
    with pytest.raises(Unavailable):
        act()
    return time.monotonic() - began


def until_it_answers(pool: Pool) -> None:
    deadline = time.monotonic() + 10
    while True:
        try:
            assert answers(pool)
        except Unavailable:
            assert time.monotonic() < deadline
        else:
            return


def test_a_frozen_server_is_given_up_in_time_and_used_again_when_it_answers(postgres: EmbeddedPostgres) -> None:
    with open_pool(postgres.url(user="daybook_app"), size=2, timeout=1, patience=PATIENCE) as pool:
        assert answers(pool)
        with frozen(postgres):
            for _ in range(3):  # those that were connected before, and then none
                assert seconds_until_unavailable(partial(answers, pool)) < PATIENCE + 1
        until_it_answers(pool)


def test_a_pipeline_on_a_frozen_server_is_given_up_as_fast(postgres: EmbeddedPostgres) -> None:
    with open_pool(postgres.url(user="daybook_app"), size=1, timeout=1, patience=PATIENCE) as pool:
        assert answers(pool)
        with frozen(postgres):
            assert seconds_until_unavailable(partial(pipelined, pool, "SELECT 1", "SELECT 2")) < PATIENCE + 1


def test_patience_is_for_an_answer_and_errors_cost_no_connection(postgres: EmbeddedPostgres) -> None:
    with open_pool(postgres.url(user="daybook_app"), size=1, patience=PATIENCE) as pool:
        with connection(pool) as conn:
            backend = conn.info.backend_pid
            for _ in range(3):
                assert one(conn, "SELECT pg_sleep(0.5)") == ("",)
        with pytest.raises(psycopg.errors.DivisionByZero):
            pipelined(pool, "SELECT 1", "SELECT 1/0", "SELECT 2")
        with connection(pool) as conn:
            assert conn.info.backend_pid == backend


def test_workers_give_up_a_frozen_server_too(postgres: EmbeddedPostgres, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(AsyncPatientConnection, "patience", PATIENCE)

    async def ask() -> float:
        async with async_pool(postgres.url(user="daybook_worker")) as pool, pool.connection() as conn:
            with frozen(postgres):
                began = time.monotonic()
                with pytest.raises(psycopg.OperationalError, match="has not answered in time"):
                    await conn.execute("SELECT 1")
                return time.monotonic() - began

    assert asyncio.run(ask()) < PATIENCE + 1


def test_what_a_host_that_is_gone_was_sent_is_given_up_by_tcp_unless_the_address_says_otherwise(
    postgres: EmbeddedPostgres,
) -> None:
    def parameters(url: str) -> dict[str, str]:
        with open_pool(url, size=1) as pool, connection(pool) as conn:
            return conn.info.get_parameters()

    assert parameters(postgres.url()).items() >= {"connect_timeout": "5", "tcp_user_timeout": "10000"}.items()
    assert parameters(f"{postgres.url()}&connect_timeout=3")["connect_timeout"] == "3"


def test_behind_a_host_that_says_nothing_the_next_one_is_found(postgres: EmbeddedPostgres) -> None:
    with another_database(postgres, "behind", prepared=False), black_hole() as port:
        url = f"postgresql://daybook_app@/behind?host=127.0.0.1,{host(postgres)}&port={port},5432&connect_timeout=2"
        with open_pool(url, size=1, timeout=10, wait=False) as pool:
            assert answers(pool)


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with TemporaryDirectory(prefix="daybook-test-") as folder, streaming_pair(Path(folder)) as found:
        yield found


def test_of_two_hosts_the_one_that_takes_writes_is_used_and_after_a_promotion_the_other(pair: Pair) -> None:
    pair.wait_until_equal()
    primary, standby = host(pair.primary), host(pair.standby)
    url = f"postgresql://daybook_app@/postgres?host={standby},{primary}&port=5432&target_session_attrs=read-write"
    with open_pool(url, size=4, timeout=2) as pool:
        assert writable_host(pool) == primary
        pair.kill_primary()
        with pytest.raises(Unavailable):
            writable_host(pool)
        pair.promote()
        until_it_answers(pool)
        assert writable_host(pool) == standby


def writable_host(pool: Pool) -> str:
    with connection(pool) as conn:
        assert one(conn, "SELECT pg_is_in_recovery()") == (False,)
        return conn.info.host


def test_a_client_that_says_nothing_in_a_transaction_loses_what_it_holds(
    postgres: EmbeddedPostgres, owner: Db, workspace: UUID
) -> None:
    with open_pool(postgres.url(user="daybook_app"), size=2, patience=PATIENCE) as pool:
        assert seconds_until_unavailable(partial(say_nothing, pool, owner, workspace)) < PATIENCE
        until_it_answers(pool)


def say_nothing(pool: Pool, owner: Db, workspace: UUID) -> None:
    """Holds the workspace's log, until somebody else can have it all the same."""
    with reading(pool, workspace) as conn:
        conn.execute("SELECT FROM log_heads WHERE workspace_id = %s FOR UPDATE", (workspace,)).fetchone()
        time.sleep(PATIENCE / 2)
        owner.execute("SELECT FROM log_heads WHERE workspace_id = %s FOR UPDATE NOWAIT", (workspace,))


@pytest.mark.parametrize("times", [1, BULK])
def test_bulk_work_has_more_time(postgres: EmbeddedPostgres, times: int) -> None:
    with open_pool(postgres.url(user="daybook_app"), size=1, patience=0.9) as pool, connection(pool) as conn:
        with ExitStack() as manner, conn.transaction():
            if times > 1:
                manner.enter_context(in_bulk(conn))
            assert limits_of(conn) == {name: share * times for name, share in SHARES.items()}
            assert conn.patience == 0.9 * times
        assert limits_of(conn) == SHARES


def limits_of(conn: Db) -> dict[str, int]:
    """What the server is told about giving up."""
    rows = conn.execute("SELECT name, setting::int FROM pg_settings WHERE name = ANY(%s)", (list(SHARES),))
    return dict(rows.fetchall())
