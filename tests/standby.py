"""Two Postgres for tests of failover: a primary with Daybook's schema, and a standby that streams from it."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import psutil
import psycopg

from daybook.embedded import EmbeddedPostgres
from daybook.embedded.postgres import programs
from eventstore.database import Db
from eventstore.migrate import connect
from tests.servers import FAST, prepare

SECONDS = 30


@dataclass
class Pair:
    primary: EmbeddedPostgres
    standby: EmbeddedPostgres

    def url(self, user: str) -> str:
        """As an operator writes it: both hosts, of which the one that takes writes is meant."""
        hosts = ",".join(quote(host(server)) for server in (self.primary, self.standby))
        return f"postgresql://{user}@/postgres?host={hosts}&port=5432&target_session_attrs=read-write"

    def wait_until_equal(self) -> None:
        with connect(self.primary.url()) as primary, connect(self.standby.url()) as standby:
            (end,) = primary.execute("SELECT pg_current_wal_lsn()::text").fetchone() or ("",)
            self._until(standby, f"SELECT pg_last_wal_replay_lsn() >= '{end}'", True)

    def synchronous(self) -> None:
        """From now on a commit is acknowledged when the standby has it."""
        with connect(self.primary.url()) as primary:
            primary.execute("ALTER SYSTEM SET synchronous_standby_names = '*'")
            primary.execute("SELECT pg_reload_conf()")
            self._until(primary, "SELECT sync_state FROM pg_stat_replication", "sync")

    def cut(self) -> None:
        """From now on the standby learns nothing."""
        with connect(self.standby.url()) as standby:
            standby.execute("ALTER SYSTEM SET primary_conninfo = ''")
            standby.execute("SELECT pg_reload_conf()")
            self._until(standby, "SELECT count(*) FROM pg_stat_wal_receiver", 0)

    def kill_primary(self) -> None:
        """As a power cut does: all of its processes at once, so that none sees another's end and still commits."""
        assert self.primary.pid is not None
        postmaster = psutil.Process(self.primary.pid)
        processes = (postmaster, *postmaster.children())
        for process in processes:
            process.suspend()
        for process in processes:
            process.kill()
        self.primary.stop()

    def promote(self) -> None:
        with connect(self.standby.url()) as standby:
            assert standby.execute("SELECT pg_promote(true, %s)", (SECONDS,)).fetchone() == (True,)

    def _until(self, conn: Db, query: str, wanted: object) -> None:
        deadline = time.monotonic() + SECONDS
        while conn.execute(query.encode()).fetchone() != (wanted,):
            assert time.monotonic() < deadline, f"{query} does not become {wanted}"
            time.sleep(0.02)


def host(server: EmbeddedPostgres) -> str:
    """The directory of a server's socket, which libpq takes for a host."""
    return str(psycopg.conninfo.conninfo_to_dict(server.url())["host"])


@contextmanager
def streaming_pair(data: Path) -> Iterator[Pair]:
    """A primary, and a standby made of it by a base backup."""
    options = {**FAST, "synchronous_commit": "on", "shared_buffers": "32MB"}
    with EmbeddedPostgres(data / "a", options=options) as primary:
        prepare(primary.url())
        _back_up(primary, data / "b")
        with EmbeddedPostgres(data / "b", options=options) as standby:
            yield Pair(primary, standby)


def _back_up(primary: EmbeddedPostgres, data: Path) -> None:
    data.mkdir(mode=0o700)
    program = programs() / "pg_basebackup"
    flags = ["--pgdata", str(data / "postgres"), "--write-recovery-conf", "--checkpoint=fast", "--wal-method=stream"]
    subprocess.run([program, "--dbname", primary.url(), *flags], check=True, capture_output=True, text=True)
