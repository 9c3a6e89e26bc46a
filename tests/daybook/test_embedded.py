import asyncio
import os
import pwd
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import nats
import psutil
import psycopg
import pytest

from daybook.embedded import EmbeddedNats, EmbeddedPostgres, EmbeddedServerError, lock_data
from daybook.embedded.postgres import POSTGRES_USER

AS_ROOT = os.geteuid() == 0
ONLY_ROOT = pytest.mark.skipif(
    not AS_ROOT, reason="only root can be another user; without it all tests run as an ordinary one"
)
NOT_READABLE = 77

SERVE = """
import sys, time
from pathlib import Path
from daybook.embedded import EmbeddedNats, EmbeddedPostgres, lock_data
data = Path(sys.argv[1])
with lock_data(data), EmbeddedPostgres(data) as postgres, EmbeddedNats(data) as nats:
    print(postgres.pid, nats.pid, flush=True)
    time.sleep(60)
"""

# It becomes the ordinary user only once all is imported: the interpreter itself may live under root's home.
AS_ORDINARY_USER = """
import encodings.idna, os, sys
from pathlib import Path
import psutil, psycopg
from daybook.embedded import EmbeddedNats, EmbeddedPostgres
from daybook.embedded.postgres import programs
try:
    psycopg.connect("host=/nowhere")
except psycopg.OperationalError:
    pass
os.setgroups([])
os.setgid(int(sys.argv[3]))
os.setuid(int(sys.argv[2]))
if not os.access(programs() / "postgres", os.R_OK | os.X_OK):
    sys.exit(77)
data = Path(sys.argv[1]) / "data"
for _ in range(2):
    with EmbeddedPostgres(data) as postgres, EmbeddedNats(data) as nats:
        assert psycopg.connect(postgres.url()).execute("SELECT 1").fetchone() == (1,)
        assert psutil.Process(postgres.pid).uids().real == psutil.Process(nats.pid).uids().real == os.getuid()
        assert data.stat().st_mode & 0o777 == 0o700
"""


@contextmanager
def empty() -> Iterator[Path]:
    # Not tmp_path: pytest closes its directory to other users, and run by root Postgres is one.
    with tempfile.TemporaryDirectory(prefix="daybook-test-") as folder:
        yield Path(folder) / "data"


@pytest.fixture
def fresh() -> Iterator[Path]:
    with empty() as folder:
        yield folder


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A directory with Postgres data, which take a second to make."""
    with empty() as folder:
        with EmbeddedPostgres(folder):
            pass
        yield folder


@pytest.fixture
def data(made: Path) -> Path:
    shutil.rmtree(made / "nats", ignore_errors=True)
    return made


@pytest.fixture
def postgres(data: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(data, options={"shared_buffers": "16MB"}) as server:
        yield server


@pytest.fixture
def nats_server(fresh: Path) -> Iterator[EmbeddedNats]:
    with EmbeddedNats(fresh) as server:
        yield server


def sql(server: EmbeddedPostgres, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(server.url(), autocommit=True) as connection:
        cursor = connection.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def socket_directory(server: EmbeddedPostgres) -> Path:
    return Path(str(psycopg.conninfo.conninfo_to_dict(server.url())["host"]))


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def process_of(pid: int | None) -> psutil.Process:
    assert pid is not None
    return psutil.Process(pid)


def port_of(server: EmbeddedNats) -> int:
    return int(server.url.rpartition(":")[2])


@contextmanager
def serving(data: Path) -> Iterator[tuple[subprocess.Popen[str], psutil.Process, psutil.Process]]:
    """Another process that serves the data, and its Postgres and NATS."""
    with subprocess.Popen([sys.executable, "-c", SERVE, str(data)], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        postgres, nats_server = (psutil.Process(int(pid)) for pid in parent.stdout.readline().split())
        try:
            yield parent, postgres, nats_server
        finally:
            for process in (parent, postgres, nats_server):
                with suppress(psutil.NoSuchProcess):
                    process.kill()


async def messages(url: str, *publish: bytes) -> int:
    """How many messages the stream holds after publishing some more."""
    client = await nats.connect(url, allow_reconnect=False)
    try:
        stream = client.jetstream()
        await stream.add_stream(name="TEST", subjects=["test"])
        for body in publish:
            await stream.publish("test", body)
        return (await stream.stream_info("TEST")).state.messages
    finally:
        await client.close()


def test_a_second_start_carries_on_with_the_same_data(data: Path, postgres: EmbeddedPostgres) -> None:
    sql(postgres, "CREATE TABLE kept AS SELECT 1 AS n")
    first = postgres.pid
    postgres.stop()
    assert postgres.pid is None

    with EmbeddedPostgres(data) as again:
        assert again.pid != first
        assert sql(again, "SELECT n FROM kept") == [(1,)]


def test_start_and_stop_may_be_repeated(postgres: EmbeddedPostgres) -> None:
    pid = postgres.pid
    postgres.start()
    assert postgres.pid == pid

    postgres.stop()
    postgres.stop()


def test_a_server_that_died_is_started_again(postgres: EmbeddedPostgres) -> None:
    process_of(postgres.pid).kill()
    while postgres.pid is not None:
        time.sleep(0.01)

    postgres.start()

    assert sql(postgres, "SELECT 1") == [(1,)]


def test_postgres_is_reached_over_a_private_socket_only(data: Path, postgres: EmbeddedPostgres) -> None:
    assert process_of(postgres.pid).net_connections("inet") == []
    assert mode(data / "run") == mode(data / "postgres") == 0o700
    assert mode(data / "postgres.log") == 0o600
    assert sql(postgres, "SHOW server_encoding") == [("UTF8",)]
    assert sql(postgres, "SHOW shared_buffers") == [("16MB",)]


def test_the_log_of_postgres_tells_of_an_error_without_values(data: Path, postgres: EmbeddedPostgres) -> None:
    with psycopg.connect(postgres.url(), autocommit=True) as conn:
        conn.execute("CREATE TEMPORARY TABLE people (email text UNIQUE)")
        conn.execute("INSERT INTO people VALUES (%s)", ("planted@example.com",))
        with pytest.raises(psycopg.errors.UniqueViolation, match="planted"):
            conn.execute("INSERT INTO people VALUES (%s)", ("planted@example.com",))
    written = (data / "postgres.log").read_text()
    assert "duplicate key value violates unique constraint" in written
    assert "planted" not in written


def test_options_open_no_other_door(data: Path) -> None:
    with EmbeddedPostgres(data, options={"listen_addresses": "*"}) as postgres:
        assert sql(postgres, "SHOW listen_addresses") == [("",)]


def test_a_ctrl_c_in_the_terminal_is_not_for_the_servers(postgres: EmbeddedPostgres, nats_server: EmbeddedNats) -> None:
    assert os.getsid(postgres.pid or 0) == postgres.pid
    assert os.getsid(nats_server.pid or 0) == nats_server.pid


@ONLY_ROOT
def test_an_ordinary_user_needs_no_help_from_root() -> None:
    user = pwd.getpwnam("nobody")
    with tempfile.TemporaryDirectory(prefix="daybook-test-") as folder:
        os.chown(folder, user.pw_uid, user.pw_gid)
        argv = [sys.executable, "-c", AS_ORDINARY_USER, folder, str(user.pw_uid), str(user.pw_gid)]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode == NOT_READABLE:
        pytest.skip("the virtualenv cannot be read by an ordinary user")
    assert (done.returncode, done.stderr) == (0, "")


@ONLY_ROOT
def test_root_lends_postgres_a_user_that_may_search_but_not_list(fresh: Path) -> None:
    fresh.mkdir(mode=0o700)
    (fresh / "credentials.json").touch(0o600)
    fresh.parent.chmod(0o700)

    with EmbeddedPostgres(fresh) as postgres:
        assert process_of(postgres.pid).username() == POSTGRES_USER
        assert mode(fresh) == mode(fresh.parent) == 0o701
        assert mode(fresh / "credentials.json") == 0o600
        assert (fresh / "postgres").owner() == (fresh / "run").owner() == POSTGRES_USER


def test_a_path_too_long_for_a_socket_gets_a_short_private_one(fresh: Path) -> None:
    deep = fresh / ("long" * 30)
    with EmbeddedPostgres(deep) as postgres:
        assert sql(postgres, "SELECT 1") == [(1,)]
        assert EmbeddedPostgres(deep).url() == postgres.url()
        run = socket_directory(postgres)
        assert mode(run) == 0o700
    shutil.rmtree(run)


@pytest.mark.parametrize("owner", ["us, as a link", pytest.param("nobody", marks=ONLY_ROOT)])
def test_a_socket_directory_that_somebody_else_made_is_refused(fresh: Path, owner: str) -> None:
    postgres = EmbeddedPostgres(fresh / ("long" * 30))
    run = socket_directory(postgres)
    if owner == "nobody":
        run.mkdir()
        shutil.chown(run, owner)
    else:
        run.symlink_to(fresh.parent)

    try:
        with pytest.raises(EmbeddedServerError, match="belongs to somebody else"):
            postgres.start()
    finally:
        run.unlink() if run.is_symlink() else run.rmdir()


def test_kill_minus_nine_of_the_parent_leaves_servers_that_are_carried_on_with(data: Path) -> None:
    with serving(data) as (parent, left_postgres, left_nats):
        parent.kill()
        parent.wait()

        with lock_data(data), EmbeddedPostgres(data) as postgres, EmbeddedNats(data) as nats_server:
            assert (postgres.pid, nats_server.pid) == (left_postgres.pid, left_nats.pid)
            assert sql(postgres, "SELECT 1") == [(1,)]
            assert asyncio.run(messages(nats_server.url, b"one")) == 1

        for process in (left_postgres, left_nats):
            assert not process.is_running() or process.status() == psutil.STATUS_ZOMBIE


def test_kill_minus_nine_of_the_parent_leaves_data_that_starts_again(data: Path) -> None:
    with serving(data) as (parent, left_postgres, left_nats):
        sql(EmbeddedPostgres(data), "CREATE TABLE kept_after_kill AS SELECT 1 AS n")
        assert asyncio.run(messages(EmbeddedNats(data).url, b"one")) == 1
        for process in (parent, left_postgres, left_nats):
            process.kill()

    with EmbeddedPostgres(data) as postgres, EmbeddedNats(data) as nats_server:
        assert sql(postgres, "SELECT n FROM kept_after_kill") == [(1,)]
        assert asyncio.run(messages(nats_server.url)) == 1


def test_a_process_id_that_is_a_strangers_by_now_is_no_hindrance(data: Path, postgres: EmbeddedPostgres) -> None:
    postgres.stop()
    with subprocess.Popen(["sleep", "60"], user=POSTGRES_USER if AS_ROOT else None) as stranger:
        (data / "postgres/postmaster.pid").write_text(f"{stranger.pid}\n")
        (data / "run/.s.PGSQL.5432.lock").write_text(f"{stranger.pid}\n")

        postgres.start()

        assert stranger.poll() is None
        stranger.kill()
    assert sql(postgres, "SELECT 1") == [(1,)]


def test_half_made_data_are_made_anew(fresh: Path) -> None:
    (fresh / "postgres.new/base").mkdir(parents=True)

    with EmbeddedPostgres(fresh) as postgres:
        assert sql(postgres, "SELECT 1") == [(1,)]
    assert not (fresh / "postgres.new").exists()


def test_data_that_lost_their_version_are_left_alone(fresh: Path) -> None:
    (fresh / "postgres/base").mkdir(parents=True)

    with pytest.raises(EmbeddedServerError, match="no PG_VERSION"):
        EmbeddedPostgres(fresh).start()

    assert (fresh / "postgres/base").exists()


def test_a_server_that_cannot_start_says_what_it_logged(data: Path) -> None:
    postgres = EmbeddedPostgres(data, options={"shared_buffers": "plenty"})

    with pytest.raises(EmbeddedServerError, match='invalid value for parameter "shared_buffers": "plenty"'):
        postgres.start()

    assert postgres.pid is None


def test_a_missing_nats_server_is_named(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)

    with pytest.raises(EmbeddedServerError, match="nats-server is not installed"):
        EmbeddedNats(fresh).start()


def test_nats_has_no_address_before_its_first_start(fresh: Path) -> None:
    with pytest.raises(EmbeddedServerError, match="start it first"):
        _ = EmbeddedNats(fresh).url


def test_nats_wants_its_token(fresh: Path, nats_server: EmbeddedNats) -> None:
    with (
        socket.create_connection(("127.0.0.1", port_of(nats_server)), timeout=5) as anonymous,
        anonymous.makefile("rb") as heard,
    ):
        anonymous.sendall(b'CONNECT {"verbose":false}\r\nPING\r\n')
        assert [heard.readline()[:5], heard.readline()] == [b"INFO ", b"-ERR 'Authorization Violation'\r\n"]
    assert mode(fresh / "nats/token") == mode(fresh / "nats/nats.json") == 0o600
    token = nats_server.url.split("@")[0].removeprefix("nats://")
    assert token not in " ".join(process_of(nats_server.pid).cmdline())


def test_nats_keeps_its_address_and_its_messages(fresh: Path, nats_server: EmbeddedNats) -> None:
    url = nats_server.url
    assert asyncio.run(messages(url, b"one", b"two")) == 2
    nats_server.stop()

    with EmbeddedNats(fresh) as again:
        assert again.url == url
        assert asyncio.run(messages(url)) == 2


def test_nats_moves_to_another_port_when_its_own_is_taken(nats_server: EmbeddedNats) -> None:
    url = nats_server.url
    assert nats_server.url_file.read_text().split() == [url]
    nats_server.stop()
    with socket.create_server(("127.0.0.1", port_of(nats_server))):
        nats_server.start()

    assert nats_server.url != url
    assert nats_server.url_file.read_text().split() == [nats_server.url]
    assert mode(nats_server.url_file) == 0o600
    assert asyncio.run(messages(nats_server.url)) == 0


def test_a_server_that_does_not_listen_is_stopped_by_force(
    nats_server: EmbeddedNats, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(EmbeddedNats, "_signals", ((signal.SIGTERM, 0.1), (signal.SIGKILL, 5.0)))
    process = process_of(nats_server.pid)
    process.suspend()

    nats_server.stop()

    assert not process.is_running()


def test_a_second_serve_on_the_same_data_is_refused(data: Path) -> None:
    with serving(data) as (parent, _, _):
        with (
            pytest.raises(EmbeddedServerError, match=rf"in use by another Daybook \(process {parent.pid}\)"),
            lock_data(data),
        ):
            pytest.fail("locked twice")
        parent.send_signal(signal.SIGINT)
        parent.wait()

    with lock_data(data):
        pass
