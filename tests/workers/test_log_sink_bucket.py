"""Checkpoints get into a bucket by themselves, each under a lock, and none is ever written over."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import msgspec
import pytest
from minio import Minio
from minio.error import S3Error
from moto.server import ThreadedMotoServer
from prometheus_client import REGISTRY
from urllib3 import PoolManager

from daybook.auditing import kept_checkpoints
from daybook.openapi import ROOT
from daybook.settings import Settings, SettingsError, load
from eventstore.checkpoint import digest
from eventstore.ids import new_id
from gateways.checkpoint_bucket import Bucket
from projections.verify import verify
from schemas.verification import Checkpoint
from tests.workers.running import Installation, eventually, running
from tests.workers.test_log_sink import signed
from workers import log_sink

SECRET = "not-to-be-told"

RIGHTS = {
    ("GET", "object-lock"): "s3:GetBucketObjectLockConfiguration",
    ("GET", "location"): "s3:GetBucketLocation",
    ("GET", ""): "s3:GetObject",
    ("PUT", ""): "s3:PutObject",
}
"""By method and first parameter of a request, what its credentials must be allowed."""

KILLED = """
import json, os, signal, sys
from eventstore.database import open_pool
from gateways.checkpoint_bucket import Bucket
from workers import log_sink
url, bucket = json.loads(sys.argv[1])
log_sink.reached = lambda *_: os.kill(os.getpid(), signal.SIGKILL)
with open_pool(url, size=2) as pool:
    log_sink.sink(pool, Bucket(**bucket))
"""


@contextmanager
def store(port: int = 0) -> Iterator[ThreadedMotoServer]:
    """A server that speaks the S3 protocol, and what it keeps as long as this process lives."""
    server = ThreadedMotoServer("127.0.0.1", port, verbose=False)
    server.start()
    assert server._server is not None
    try:
        yield server
    finally:
        server.stop()
        server._server.server_close()


@pytest.fixture
def s3(monkeypatch: pytest.MonkeyPatch) -> Iterator[ThreadedMotoServer]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "daybook")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET)
    monkeypatch.delenv("AWS_CA_BUNDLE", raising=False)
    with store() as server:
        yield server


def client(place: Bucket) -> Minio:
    return Minio(place.endpoint.removeprefix("http://"), access_key="auditor", secret_key=SECRET, secure=False)


def bucket(server: ThreadedMotoServer, *, locked: bool = True, prefix: str = "daybook/heads") -> Bucket:
    """Of the server, and new."""
    host, port = server.get_host_and_port()
    place = Bucket(f"heads-{new_id()}", prefix, f"http://{host}:{port}", "COMPLIANCE", 30)
    client(place).make_bucket(place.bucket, object_lock=locked)
    return place


def objects(place: Bucket) -> list[str]:
    """Every version of every object."""
    found = client(place).list_objects(place.bucket, recursive=True, include_version=True)
    return [str(each.object_name) for each in found]


def content(place: Bucket, name: str) -> bytes:
    response = client(place).get_object(place.bucket, name)
    try:
        return response.read()
    finally:
        response.close()
        response.release_conn()


def name(checkpoint: Checkpoint) -> str:
    return f"daybook/heads/{checkpoint.workspace_id}/{checkpoint.seq:012}.json"


def is_kept(place: Bucket, made: list[Checkpoint]) -> bool:
    return objects(place) == [name(checkpoint) for checkpoint in made]


def lock(place: Bucket, checkpoint: Checkpoint) -> tuple[str, datetime]:
    """How it is locked, and until when."""
    headers = client(place).stat_object(place.bucket, name(checkpoint)).metadata
    assert headers is not None
    until = str(headers["x-amz-object-lock-retain-until-date"])
    return str(headers["x-amz-object-lock-mode"]), datetime.fromisoformat(until)


def sinking(installation: Installation, place: Bucket) -> Any:
    config = replace(installation.config, checkpoint_sink=place)
    return running(config, partial(log_sink.run, every=0.05, soon=0.05))


def has_reached(installation: Installation, checkpoint: Checkpoint) -> bool:
    query = "SELECT seq FROM consumer_checkpoints WHERE workspace_id = %s AND consumer LIKE 'sink:%%'"
    row = installation.owner.execute(query, (checkpoint.workspace_id,)).fetchone()
    return row is not None and row[0] == checkpoint.seq


def signed_twice(installation: Installation) -> list[Checkpoint]:
    workspace_id = installation.workspace()
    return [signed(installation, workspace_id) for _ in range(2)]


@pytest.fixture
def alone(installation: Installation) -> Installation:
    """What other tests signed counts as being elsewhere, and is not put anywhere."""
    installation.owner.execute("UPDATE log_heads SET signed_seq = 0")
    return installation


def test_each_checkpoint_gets_into_the_bucket_and_the_log_is_verified_with_them(
    alone: Installation, s3: ThreadedMotoServer, tmp_path: Path
) -> None:
    place, made = bucket(s3), signed_twice(alone)
    with sinking(alone, place):
        eventually(lambda: is_kept(place, made))
        made.append(signed(alone, made[0].workspace_id))
        eventually(lambda: is_kept(place, made))
    (tmp_path / "kept").write_bytes(b"".join(content(place, each) for each in objects(place)))
    kept = kept_checkpoints(tmp_path / "kept")
    assert kept == made
    report = verify(alone.owner, workspaces=[made[0].workspace_id], checkpoints=kept)
    assert (report.finding, report.checkpoints) == (None, 6)


def test_an_object_is_locked_for_the_days_that_are_set(alone: Installation, s3: ThreadedMotoServer) -> None:
    place, (checkpoint, _) = bucket(s3), signed_twice(alone)
    place.put(checkpoint, digest(checkpoint))
    (found,) = client(place).list_objects(place.bucket, recursive=True, include_version=True)
    mode, until = lock(place, checkpoint)
    assert mode == "COMPLIANCE"
    assert abs(until - datetime.now(UTC) - timedelta(days=30)) < timedelta(minutes=1)
    with pytest.raises(S3Error, match="AccessDenied"):
        client(place).remove_object(place.bucket, name(checkpoint), version_id=found.version_id)


def test_a_server_that_is_away_and_comes_back_loses_nothing(
    alone: Installation, s3: ThreadedMotoServer, caplog: pytest.LogCaptureFixture
) -> None:
    place, made = bucket(s3), signed_twice(alone)
    s3.stop()
    assert s3._server is not None
    s3._server.server_close()
    with sinking(alone, place):
        eventually(lambda: REGISTRY.get_sample_value("daybook_checkpoint_sink_behind") == 1)
        made.append(signed(alone, made[0].workspace_id))
        with store(s3.get_host_and_port()[1]):
            eventually(lambda: REGISTRY.get_sample_value("daybook_checkpoint_sink_behind") == 0)
            assert is_kept(place, made)
    assert "checkpoints are not kept elsewhere yet" in caplog.text
    assert SECRET not in caplog.text


def test_a_worker_that_is_killed_between_the_bucket_and_its_memory_puts_it_again_without_harm(
    alone: Installation, s3: ThreadedMotoServer, caplog: pytest.LogCaptureFixture
) -> None:
    place, made = bucket(s3), signed_twice(alone)
    given = json.dumps([alone.config.database_url, {field: getattr(place, field) for field in place.__match_args__}])
    died = subprocess.run([sys.executable, "-c", KILLED, given], check=False, timeout=30)
    assert died.returncode == -signal.SIGKILL
    assert is_kept(place, made)
    assert not has_reached(alone, made[1])
    with sinking(alone, place):
        eventually(lambda: has_reached(alone, made[1]))
    assert is_kept(place, made), "one version each: nothing was written over"
    assert "another checkpoint" not in caplog.text


def test_another_checkpoint_in_its_place_as_before_the_log_was_put_back_stays_and_both_are_kept(
    alone: Installation, s3: ThreadedMotoServer, caplog: pytest.LogCaptureFixture
) -> None:
    place, (checkpoint, _) = bucket(s3), signed_twice(alone)
    other = msgspec.structs.replace(checkpoint, hash="0" * 64)
    for _ in range(2):
        place.put(other, digest(other))
        place.put(checkpoint, digest(checkpoint))
    beside = name(checkpoint).replace(".json", f"-{digest(checkpoint)[:16]}.json")
    assert sorted(objects(place)) == sorted([name(checkpoint), beside])
    assert b"0" * 64 in content(place, name(checkpoint))
    assert "another checkpoint is at" in caplog.text


def test_a_store_that_knows_no_conditions_gets_them_under_their_locks(
    alone: Installation, s3: ThreadedMotoServer
) -> None:
    place, (checkpoint, _) = bucket(s3), signed_twice(alone)
    assert s3._server is not None
    s3._server.app = without_conditions(s3._server.app)
    place.put(checkpoint, digest(checkpoint))
    assert objects(place) == [name(checkpoint)]
    assert lock(place, checkpoint)[0] == "COMPLIANCE"


def without_conditions(app: Callable[..., Iterable[bytes]]) -> Callable[..., Iterable[bytes]]:
    def answer(environ: dict[str, Any], start: Callable[..., Any]) -> Iterable[bytes]:
        if "HTTP_IF_NONE_MATCH" not in environ:
            return app(environ, start)
        start("501 Not Implemented", [("Content-Type", "application/xml")])
        return [b"<Error><Code>NotImplemented</Code><Message>no conditions</Message></Error>"]

    return answer


def settings(place: Bucket, **more: str) -> Settings:
    sink = f"s3://{place.bucket}/{place.prefix}"
    return load({"DAYBOOK_CHECKPOINT_SINK": sink, "DAYBOOK_CHECKPOINT_S3_ENDPOINT": place.endpoint, **more})


def test_a_bucket_without_object_lock_is_refused_at_start_and_gets_nothing(
    alone: Installation, s3: ThreadedMotoServer, caplog: pytest.LogCaptureFixture
) -> None:
    place = bucket(s3, locked=False)
    with pytest.raises(
        SettingsError, match=f"DAYBOOK_CHECKPOINT_SINK cannot be used: .*{place.bucket} has no object lock"
    ):
        settings(place).need_checkpoint_sink()
    signed_twice(alone)
    with sinking(alone, place):
        eventually(lambda: "has no object lock" in caplog.text)
    assert objects(place) == []


@pytest.mark.parametrize("command", ["worker", "serve"])
def test_a_command_that_starts_workers_ends_with_what_is_wrong(
    command: str, s3: ThreadedMotoServer, tmp_path: Path
) -> None:
    place = bucket(s3, locked=False)
    environment = {
        "DATABASE_URL": "postgresql://nobody@127.0.0.1:1/daybook",
        "NATS_URL": "nats://127.0.0.1:1",
        "DAYBOOK_DATA": str(tmp_path / "data"),
        "DAYBOOK_PORT": "0",
        "DAYBOOK_SECRET_KEY": "A" * 43 + "=",
        "DAYBOOK_CHECKPOINT_SINK": f"s3://{place.bucket}",
        "DAYBOOK_CHECKPOINT_S3_ENDPOINT": place.endpoint,
        "AWS_ACCESS_KEY_ID": "daybook",
        "AWS_SECRET_ACCESS_KEY": SECRET,
    }
    ended = subprocess.run(
        [sys.executable, "-m", "daybook", command],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert ended.returncode == 2
    assert ended.stderr.strip() == (
        f"daybook: DAYBOOK_CHECKPOINT_SINK cannot be used: the bucket {place.bucket} has no object lock: make one that has"
    )
    assert not (tmp_path / "data").exists(), "nothing was started"


def test_a_bucket_that_is_not_there_is_refused_at_start(s3: ThreadedMotoServer) -> None:
    place = replace(bucket(s3), bucket="not-there")
    with pytest.raises(SettingsError, match="the bucket not-there: NoSuchBucket"):
        settings(place).need_checkpoint_sink()


def test_a_server_that_is_away_at_start_is_tried_on(caplog: pytest.LogCaptureFixture, s3: ThreadedMotoServer) -> None:
    place = replace(bucket(s3), endpoint="http://127.0.0.1:1")
    assert settings(place).need_checkpoint_sink() == replace(place, days=365)
    assert "DAYBOOK_CHECKPOINT_SINK is away: http://127.0.0.1:1" in caplog.text
    assert SECRET not in caplog.text


def test_credentials_need_the_rights_that_the_page_for_auditors_names_and_no_other(
    alone: Installation, s3: ThreadedMotoServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    place, (made, _) = bucket(s3), signed_twice(alone)
    used, send = set[str](), PoolManager.urlopen

    def noting(self: PoolManager, method: str, url: str, redirect: bool = True, **given: Any) -> Any:
        used.add(RIGHTS[method, urlsplit(url).query.partition("=")[0]])
        if any(header.lower().startswith("x-amz-object-lock") for header in given["headers"]):
            used.add("s3:PutObjectRetention")
        return send(self, method, url, redirect, **given)

    monkeypatch.setattr(PoolManager, "urlopen", noting)
    monkeypatch.delenv("AWS_REGION", raising=False)
    monkeypatch.delenv("AWS_DEFAULT_REGION", raising=False)
    place.check()
    for _ in range(2):
        place.put(made, digest(made))
    assert used == set(re.findall(r"s3:\w+", (ROOT / "docs" / "auditing.md").read_text()))


def test_mode_and_days_of_the_lock_are_settings(s3: ThreadedMotoServer) -> None:
    place = bucket(s3, prefix="")
    found = settings(place, DAYBOOK_CHECKPOINT_S3_MODE="governance", DAYBOOK_CHECKPOINT_S3_DAYS="7")
    assert found.need_checkpoint_sink() == replace(place, mode="GOVERNANCE", days=7)


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"DAYBOOK_CHECKPOINT_SINK": "s3://"}, "DAYBOOK_CHECKPOINT_SINK must be as s3://bucket/prefix"),
        ({"DAYBOOK_CHECKPOINT_SINK": "s3://UPPER/x"}, "DAYBOOK_CHECKPOINT_SINK must be as"),
        ({"DAYBOOK_CHECKPOINT_SINK": "s3://heads/a/../b"}, "DAYBOOK_CHECKPOINT_SINK must be as"),
        ({"DAYBOOK_CHECKPOINT_S3_ENDPOINT": "host:9000"}, "DAYBOOK_CHECKPOINT_S3_ENDPOINT must be an absolute"),
        (
            {"DAYBOOK_CHECKPOINT_S3_ENDPOINT": "http://host/path"},
            "DAYBOOK_CHECKPOINT_S3_ENDPOINT must be a URL of a host",
        ),
        ({"DAYBOOK_CHECKPOINT_S3_MODE": "NONE"}, "DAYBOOK_CHECKPOINT_S3_MODE must be one of COMPLIANCE, GOVERNANCE"),
        ({"DAYBOOK_CHECKPOINT_S3_DAYS": "0"}, "DAYBOOK_CHECKPOINT_S3_DAYS must be a whole number from 1"),
    ],
)
def test_a_bucket_that_cannot_be_one_is_named(more: dict[str, str], says: str) -> None:
    with pytest.raises(SettingsError, match=says):
        load({"DAYBOOK_CHECKPOINT_SINK": "s3://heads", **more})


def test_a_bucket_without_credentials_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for variable in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY", "AWS_SECRET_KEY"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "none"))
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", "http://127.0.0.1:1/")
    with pytest.raises(SettingsError, match="no credentials: set AWS_ACCESS_KEY_ID"):
        load({"DAYBOOK_CHECKPOINT_SINK": "s3://heads"}).need_checkpoint_sink()
