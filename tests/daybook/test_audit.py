"""The auditor's commands, as they are typed."""

from __future__ import annotations

import base64
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from application.calling.signing import signing_key
from daybook.cli import daybook
from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.checkpoint import fingerprint, sign_head
from eventstore.ids import new_id
from eventstore.unit_of_work import EventStore
from tests.logs import whole_log

SECRET = b"k" * 32
KEY = signing_key(SECRET)
PUBLIC = KEY.public_key().public_bytes_raw()
OTHER = signing_key(b"o" * 32).public_key().public_bytes_raw()


def typed(*words: str, **env: str) -> Result:
    return CliRunner().invoke(daybook, words, env={"DAYBOOK_SECRET_KEY": "", **env})


def test_the_key_that_signs_is_shown_with_its_fingerprint(tmp_path: Path) -> None:
    done = typed("audit", "key", DAYBOOK_SECRET_KEY=base64.b64encode(SECRET).decode())
    assert done.output == f"public key   {PUBLIC.hex()}\nfingerprint  {fingerprint(PUBLIC)}\n"
    (tmp_path / "secret.key").write_bytes(SECRET)
    assert typed("audit", "key", DAYBOOK_DATA=str(tmp_path)).output == done.output


@pytest.mark.parametrize("command", [["verify"], ["verify", "--file", __file__]])
def test_a_trusted_key_that_is_none_is_a_usage_error(command: list[str]) -> None:
    done = typed(*command, "--trusted", "SHA256:short")
    assert done.exit_code == 2
    assert "Invalid value for '--trusted': 'SHA256:short' must be a public key of 64 hex digits" in done.output


@pytest.mark.parametrize("trusted", [PUBLIC.hex(), PUBLIC.hex().upper(), fingerprint(PUBLIC)])
def test_an_export_is_verified_with_the_keys_that_are_trusted(
    store: EventStore, origin: Origin, tmp_path: Path, trusted: str
) -> None:
    store.run(origin, lambda unit: unit.begin(TAG, new_id(), CreateTag(name="VIP")))
    pool, workspace_id = store.pool, origin.workspace_id
    export, kept = tmp_path / "log.ndjson", tmp_path / "kept.ndjson"
    export.write_bytes(b"\n".join(msgspec.json.encode(entry) for entry in whole_log(pool, workspace_id)))
    kept.write_bytes(msgspec.json.encode(sign_head(pool, workspace_id, KEY)))
    verify = ("verify", "--file", str(export), "--checkpoints", str(kept), "--trusted")
    assert typed(*verify, trusted).exit_code == 0
    assert typed(*verify, fingerprint(OTHER), "--trusted", trusted).exit_code == 0
    done = typed(*verify, fingerprint(OTHER))
    assert done.exit_code == 1
    assert f"expected one of the trusted public keys, found {PUBLIC.hex()}" in done.output
