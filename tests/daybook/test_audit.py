"""The auditor's commands, as they are typed."""

from __future__ import annotations

import base64
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner, Result

from application.calling.signing import signing_key
from daybook.cli import daybook
from daybook.embedded import EmbeddedPostgres
from daybook.settings import SettingsError
from domain.contact import CONTACT, CreateContact
from domain.tag import TAG, CreateTag
from eventstore.append import Origin
from eventstore.bundle.contents import MAX_LINE
from eventstore.checkpoint import fingerprint, sign_head, signature_holds
from eventstore.ids import new_id
from eventstore.printed import from_line, printed
from eventstore.unit_of_work import EventStore
from projections.contact import CONTACTS
from projections.table.rebuild import rebuild
from schemas.verification import Checkpoint
from tests.conftest import make_workspace
from tests.logs import whole_log
from tests.projections.house import a_house

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


def test_a_line_that_never_ends_is_no_entry_and_is_not_read_to_its_end(tmp_path: Path) -> None:
    export = tmp_path / "log.ndjson"
    with export.open("wb") as file:
        file.write(b'{"id":"')
        file.truncate(40 * MAX_LINE)
    tracemalloc.start()
    try:
        done = typed("verify", "--file", str(export))
        _, most = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (done.exit_code, "line 1" in done.output) == (1, True)
    assert most < 10 * MAX_LINE


def test_a_checkpoint_is_printed_as_a_line_and_taken_back_by_verify(
    store: EventStore, origin: Origin, postgres: EmbeddedPostgres, tmp_path: Path
) -> None:
    store.run(origin, lambda unit: unit.begin(TAG, new_id(), CreateTag(name="VIP")))
    env = {"DATABASE_URL": postgres.url(), "DAYBOOK_SECRET_KEY": base64.b64encode(SECRET).decode()}
    command = ("audit", "checkpoint", "--workspace", str(origin.workspace_id))
    line = typed(*command, "--print", **env)
    assert line.exit_code == 0, line.output
    assert (line.output.count("\n"), len(line.output) < 350) == (1, True)
    as_json = msgspec.json.decode(typed(*command, **env).output, type=Checkpoint)
    assert from_line(line.output) == as_json
    assert printed(as_json) == line.output.strip()
    assert signature_holds(from_line(line.output))
    export, kept = tmp_path / "log.ndjson", tmp_path / "kept"
    export.write_bytes(b"\n".join(msgspec.json.encode(entry) for entry in whole_log(store.pool, origin.workspace_id)))
    kept.write_text(line.output)
    done = typed("verify", "--file", str(export), "--checkpoints", str(kept), "--trusted", fingerprint(PUBLIC))
    assert done.exit_code == 0, done.output
    assert f"signed by    {fingerprint(PUBLIC)}, 1 of them" in done.output


def test_keys_that_are_gone_though_nobody_was_erased_are_told(postgres: EmbeddedPostgres) -> None:
    url = postgres.url(database="rebuilding")
    with a_house(postgres) as house:
        workspace_id = make_workspace(house.owner)
        verify = ("verify", "--workspace", str(workspace_id))
        create = CreateContact(first_name="Ada")
        house.store.run(house.origin(workspace_id), lambda unit: unit.begin(CONTACT, new_id(), create))
        assert "lost keys" not in typed(*verify, DATABASE_URL=url).output
        house.owner.execute("DELETE FROM person_keys WHERE workspace_id = %s", (workspace_id,))
        rebuild(house.owner, CONTACTS)
        done = typed(*verify, DATABASE_URL=url)
    assert done.exit_code == 0, done.output
    assert "lost keys    1 contacts have none, though nobody erased them" in done.output


def test_a_workspace_without_a_log_has_no_checkpoint_to_print(postgres: EmbeddedPostgres) -> None:
    env = {"DATABASE_URL": postgres.url(), "DAYBOOK_SECRET_KEY": base64.b64encode(SECRET).decode()}
    done = typed("audit", "checkpoint", "--workspace", str(new_id()), **env)
    assert isinstance(done.exception, SettingsError)
    assert "has no log" in str(done.exception)


LINE = "daybook-checkpoint-1 01a1ff53-2010-75df-a781-94f99102f50d 5 2026-03-15T10:30:00.000000Z AAAA - AAAA AAAA"


@pytest.mark.parametrize("line", [LINE[:-5], LINE + " x", LINE.replace("AAAA -", "A!AA -"), LINE.replace(" 5 ", " x ")])
def test_a_line_that_is_no_checkpoint_is_named(tmp_path: Path, line: str) -> None:
    kept = tmp_path / "kept"
    kept.write_text(f"{LINE}\n{line}\n")
    done = typed("verify", "--file", __file__, "--checkpoints", str(kept))
    assert isinstance(done.exception, SettingsError)
    assert "line 2: is no checkpoint" in str(done.exception)
