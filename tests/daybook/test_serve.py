"""``daybook serve`` as a newcomer meets it: real processes, in an empty folder."""

from __future__ import annotations

import asyncio
import json
import re
import signal
import socket
import stat
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
import nats
import nats.errors
import psutil
import pytest

from daybook.embedded import EmbeddedPostgres
from daybook.embedded.server import working
from eventstore.nudge import ALL_SUBJECTS
from projections.contact import CONTACTS
from tests.daybook.serving import PROGRAM, Served, free_port
from tests.workers.running import eventually, stored


@pytest.fixture
def folder() -> Iterator[Path]:
    """Not pytest's own: as root, that is closed to the account that Postgres runs as whenever another session starts."""
    with TemporaryDirectory(prefix="daybook-test-") as name:
        yield Path(name)


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    with TemporaryDirectory(prefix="daybook-test-") as name:
        found = Served(Path(name))
        found.env["DAYBOOK_ALLOW_PRIVATE_WEBHOOKS"] = "0"
        found.start()
        try:
            yield found
        finally:
            if found.process is not None and found.process.poll() is None:
                found.interrupt()


def test_the_first_start_makes_a_workspace_and_a_key_that_only_the_owner_can_read(served: Served) -> None:
    path = served.folder / "data/credentials.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert set(served.credentials) == {"url", "workspaceId", "apiKey"}
    me = served.request("GET", "/auth/me").json()
    assert me["workspace"]["id"] == served.credentials["workspaceId"]
    assert me["user"]["role"] == "owner"


def test_the_line_that_it_prints_works_as_it_stands(served: Served) -> None:
    line = re.search(r"^  (curl .*)$", served.output.read_text(), re.MULTILINE)
    assert line is not None
    done = subprocess.run(
        ["bash", "-c", line[1]],
        cwd=served.folder,
        env=served.env,
        capture_output=True,
        text=True,
        timeout=30,
        check=True,
    )
    assert json.loads(done.stdout)["data"]["name"] == "Sarah Kim"


def test_it_prints_no_secret(served: Served) -> None:
    assert served.credentials["apiKey"] not in served.output.read_text()


def test_private_webhooks_are_refused_on_loopback_too_where_a_setting_says_so(served: Served) -> None:
    for url in ("https://127.0.0.1:9/", "http://hooks.example.com/"):
        answer = served.request("POST", "/webhooks", json={"url": url, "events": ["*"]})
        assert (answer.status_code, answer.json()["error"]["details"][0]["field"]) == (422, "url")


def test_a_second_serve_on_the_same_data_is_refused(served: Served) -> None:
    done = subprocess.run(
        [*PROGRAM, "serve"],
        cwd=served.folder,
        env={**served.env, "DAYBOOK_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 2
    assert "in use" in done.stderr


def test_a_port_that_is_taken_is_said_before_anything_is_started(served: Served, tmp_path: Path) -> None:
    env = {**served.env, "DAYBOOK_DATA": str(tmp_path / "other")}
    done = subprocess.run([*PROGRAM, "serve"], env=env, capture_output=True, text=True, timeout=30, check=False)
    assert done.returncode == 2
    assert "DAYBOOK_PORT" in done.stderr
    assert not (tmp_path / "other").exists()


def test_verify_says_what_it_checked_while_the_service_runs(served: Served) -> None:
    done = served.run("verify")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "all is well" in done.stdout
    assert re.search(r"^events +\d+", done.stdout, re.MULTILINE)


def test_verify_says_that_it_could_not_check_where_it_has_no_right_to_see_all(served: Served) -> None:
    done = served.run("verify", DATABASE_URL=EmbeddedPostgres(served.folder / "data").url(user="daybook_app"))
    assert (done.returncode, done.stdout) == (2, "")
    assert re.fullmatch(r"daybook: the database cannot be used: .*row-level security.*\n", done.stderr)


def test_verify_says_that_a_database_has_no_workspace(served: Served, tmp_path: Path) -> None:
    with served.owner() as conn:
        conn.execute("CREATE DATABASE another")
    url = EmbeddedPostgres(served.folder / "data").url(database="another")
    assert served.run("migrate", DATABASE_URL=url).returncode == 0
    done = served.run("verify", DATABASE_URL=url)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == "daybook: there is no workspace in this database: nothing was verified\n"


def test_an_empty_export_does_not_verify(served: Served, tmp_path: Path) -> None:
    (tmp_path / "log.ndjson").touch()
    done = served.run("verify", "--file", str(tmp_path / "log.ndjson"))
    assert done.returncode == 1
    assert "line 1: entry: expected the log's first entry, found an empty file" in done.stdout


def test_rows_rebuilt_while_the_service_runs_are_the_same(served: Served) -> None:
    served.request("POST", "/contacts", json={"firstName": "Re", "lastName": "Build", "tags": ["kept"]})
    before = served.request("GET", "/contacts").json()["data"]
    path = f"/contacts/{before[0]['id']}/timeline"
    written = served.request("PATCH", f"/contacts/{before[0]['id']}", json={"lastName": "Built"})
    told = served.request("GET", path, params={"minSeq": written.headers["daybook-seq"]}).json()["data"]
    assert [item["event"] for item in told] == ["contact.updated", "contact.created"]
    before = served.request("GET", "/contacts").json()["data"]
    done = served.run("projections", "rebuild")
    assert done.returncode == 0, done.stderr
    assert "rebuilt contacts" in done.stdout
    assert "rebuilt timeline" in done.stdout
    assert served.request("GET", "/contacts").json()["data"] == before
    assert served.request("GET", path).json()["data"] == told
    assert served.run("verify").returncode == 0


def test_an_exported_log_verifies_without_the_database_and_a_changed_one_does_not(
    served: Served, tmp_path: Path
) -> None:
    export = tmp_path / "log.ndjson"
    export.write_bytes(served.request("GET", "/log?limit=1000&format=ndjson").content)
    kept = tmp_path / "heads.ndjson"
    kept.write_text(json.dumps(served.request("POST", "/log/checkpoints").json()["data"]) + "\n")
    done = served.run("verify", "--file", str(export), "--checkpoints", str(kept))
    assert done.returncode == 0, done.stdout + done.stderr
    export.write_bytes(export.read_bytes().replace(b"workspace.created", b"workspace.updated", 1))
    done = served.run("verify", "--file", str(export))
    assert done.returncode == 1
    assert "line 1" in done.stdout


def test_a_row_edited_by_hand_makes_verify_fail_and_say_where(served: Served) -> None:
    contact = served.request("POST", "/contacts", json={"firstName": "Tam", "lastName": "Pered"}).json()["data"]
    with served.owner() as conn:
        conn.execute(f"UPDATE {CONTACTS.table} SET company = 'hand' WHERE id = %s", (contact["id"],))
        done = served.run("verify")
        assert done.returncode == 1
        assert contact["id"] in done.stdout
        assert "company" in done.stdout
        conn.execute(f"UPDATE {CONTACTS.table} SET company = '' WHERE id = %s", (contact["id"],))
    assert served.run("verify").returncode == 0


def test_migrate_on_a_schema_that_is_up_to_date_changes_nothing(served: Served) -> None:
    done = served.run("migrate")
    assert done.returncode == 0, done.stderr
    assert done.stdout == "up to date\n"


def test_an_api_process_that_dies_is_started_again(served: Served) -> None:
    assert served.process is not None
    children = psutil.Process(served.process.pid).children()
    api = next(child for child in children if child.cmdline()[-1] == "api")
    api.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 30
    while True:
        try:
            if served.request("GET", "/workspace").status_code == 200:
                break
        except httpx.TransportError:
            assert time.monotonic() < deadline
            time.sleep(0.1)


def test_api_and_workers_find_nats_again_that_comes_back_on_another_port(served: Served) -> None:
    url_file = served.folder / "data/nats/url"
    was = url_file.read_text().strip()
    (nats_server,) = working("nats-server", url_file.parent.resolve())
    nats_server.kill()
    with taken(int(was.rpartition(":")[2])):
        eventually(lambda: url_file.read_text().strip() != was, 20)
        url = url_file.read_text().strip()
        eventually(lambda: nudged_by(url, lambda: served.request("POST", "/contacts", json={"firstName": "Nu"})), 20)
        contact = served.request("POST", "/contacts", json={"firstName": "Re", "lastName": "Found"}).json()["data"]
        eventually(lambda: contact["id"] in [found.entry["stream"]["id"] for found in asyncio.run(stored(url))], 20)


@contextmanager
def taken(port: int) -> Iterator[None]:
    """The port in somebody else's hands, from the moment that it is free."""
    listener, deadline = None, time.monotonic() + 5
    while listener is None:
        assert time.monotonic() < deadline
        with suppress(OSError):
            listener = socket.create_server(("127.0.0.1", port))
    with listener:
        yield


def nudged_by(url: str, act: Callable[[], object]) -> bool:
    """Whether the API says on this NATS that it has written something."""

    async def main() -> bool:
        async with await nats.connect(url, allow_reconnect=False) as client:
            nudges = await client.subscribe(ALL_SUBJECTS)
            await client.flush()
            await asyncio.to_thread(act)
            with suppress(nats.errors.TimeoutError):
                await nudges.next_msg(timeout=1)
                return True
        return False

    return asyncio.run(main())


def test_ctrl_c_ends_everything_it_started_and_a_second_start_carries_on(folder: Path) -> None:
    served = Served(folder)
    served.start()
    assert served.process is not None
    contact = served.request("POST", "/contacts", json={"email": "kept@example.com"}).json()["data"]
    first = served.credentials
    started = psutil.Process(served.process.pid).children(recursive=True)
    assert served.interrupt() == 0
    _, alive = psutil.wait_procs(started, timeout=10)
    assert not alive
    served.start()
    try:
        assert served.credentials == first
        assert served.request("GET", f"/contacts/{contact['id']}").json()["data"] == contact
        assert served.run("verify").returncode == 0
    finally:
        served.interrupt()


def test_a_killed_serve_leaves_data_that_the_next_one_carries_on_with(folder: Path) -> None:
    served = Served(folder)
    served.start()
    assert served.process is not None
    served.request("POST", "/contacts", json={"email": "kept@example.com"})
    served.process.kill()
    served.process.wait(10)
    served.start()
    try:
        found = served.request("GET", "/contacts?email=kept@example.com").json()
        assert found["meta"]["total"] == 1
        assert served.run("verify").returncode == 0
    finally:
        served.interrupt()


def test_a_workspace_whose_credentials_are_gone_is_not_replaced_by_another(folder: Path) -> None:
    served = Served(folder)
    served.start()
    served.interrupt()
    (folder / "data/credentials.json").unlink()
    done = served.run("serve")
    assert done.returncode == 2
    assert "daybook: credentials.json is gone" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "data/credentials.json").exists()
