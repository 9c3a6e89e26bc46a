"""Whether the database can be worked with: known at once while it is away, and said when its disk is full."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from daybook.embedded import EmbeddedPostgres
from eventstore.database import Pool, Unavailable, connection, open_pool
from eventstore.migrate import connect
from eventstore.readiness import unready
from tests.servers import running_postgres


@pytest.fixture
def own() -> Iterator[EmbeddedPostgres]:
    """One that may be stopped, and whose disk may be full."""
    with TemporaryDirectory(prefix="daybook-test-") as folder, running_postgres(Path(folder)) as server:
        yield server


def until(pool: Pool, why: str | None) -> None:
    deadline = time.monotonic() + 20
    while unready(pool) != why:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_server_known_to_be_away_is_not_waited_for(own: EmbeddedPostgres) -> None:
    with open_pool(own.url(user="daybook_app"), size=2, timeout=5) as pool:
        assert unready(pool) is None
        own.stop()
        until(pool, "database not available")
        began = time.monotonic()
        for _ in range(20):
            assert unready(pool) == "database not available"
            with pytest.raises(Unavailable), connection(pool):
                pytest.fail("there is no connection")
        assert time.monotonic() - began < 4
        own.start()
        until(pool, None)


@contextmanager
def small_disk(folder: Path) -> Iterator[Path]:
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1m,mode=777", "tmpfs", str(folder)], check=True)
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount a disk that is full soon")
def test_a_full_disk_is_said_until_there_is_room_again(own: EmbeddedPostgres) -> None:
    with (
        TemporaryDirectory(prefix="daybook-test-") as name,
        small_disk(Path(name)) as disk,
        connect(own.url()) as owner,
    ):
        Path(name).chmod(0o777)
        (space := disk / "space").mkdir(mode=0o777)
        space.chmod(0o700)
        account = (Path(own.url().partition("host=")[2].partition("&")[0].replace("%2F", "/"))).stat()
        os.chown(space, account.st_uid, account.st_gid)
        owner.execute(f"CREATE TABLESPACE small LOCATION '{space}'".encode())
        owner.execute("CREATE TABLE large (n text) TABLESPACE small")
        owner.execute("GRANT ALL ON large TO daybook_app; GRANT CREATE ON TABLESPACE small TO daybook_app")
        owner.execute("ALTER ROLE daybook_app SET temp_tablespaces = small")
        with open_pool(own.url(user="daybook_app"), size=1) as pool:
            with pytest.raises(Unavailable), connection(pool) as conn:
                conn.execute("INSERT INTO large SELECT repeat('x', 100) FROM generate_series(1, 20000)")
            assert unready(pool) == "the database's disk is full"
            assert unready(pool) == "the database's disk is full"
            owner.execute("DROP TABLE large")
            owner.execute("CHECKPOINT")
            assert unready(pool) is None
