"""What an auditor types: export, verify, replay and state, their exit codes, and what they say."""

from __future__ import annotations

import base64
import json
import re
import sys
from pathlib import Path
from subprocess import run
from uuid import UUID

import msgspec
import pytest
from click.testing import CliRunner, Result

from application.calling.signing import signing_key
from daybook.cli import daybook
from daybook.embedded import EmbeddedPostgres
from daybook.settings import SettingsError
from eventstore.append import Origin
from eventstore.checkpoint import fingerprint, sign_head
from eventstore.database import Db, Pool
from eventstore.unit_of_work import EventStore
from tests.verify.bundles import ending, entries_of, remade, unpacked
from tests.verify.tampering import EVENTS, Past, write_past

SECRET = b"k" * 32
KEY = signing_key(SECRET)
TRUSTED = fingerprint(KEY.public_key().public_bytes_raw())
OTHER = "SHA256:If4x36FUomFia/hUBG/SJxt77UtqvkWqWId+9H+XIbk"


@pytest.fixture
def past(store: EventStore, origin: Origin) -> Past:
    return write_past(store, origin)


@pytest.fixture
def bundle(postgres: EmbeddedPostgres, workspace: UUID, past: Past, tmp_path: Path) -> Path:
    """As it is exported where the key that signs is at hand."""
    path = tmp_path / "acme.tar"
    done = live(postgres, "audit", "export", "--workspace", str(workspace), "-o", str(path))
    assert done.exit_code == 0, done.output
    return path


def live(postgres: EmbeddedPostgres, *words: str, key: str = base64.b64encode(SECRET).decode()) -> Result:
    return CliRunner().invoke(daybook, words, env={"DATABASE_URL": postgres.url(), "DAYBOOK_SECRET_KEY": key})


def offline(*words: str) -> Result:
    """Without the address of a database, and without a key."""
    found = CliRunner().invoke(daybook, ["audit", *words], env={"DATABASE_URL": "", "DAYBOOK_SECRET_KEY": ""})
    assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
    return found


class TestExport:
    def test_an_export_is_signed_and_verifies(self, bundle: Path, workspace: UUID) -> None:
        done = offline("verify", str(bundle), "--trusted", TRUSTED)
        assert (done.exit_code, done.output.splitlines()[-1]) == (0, "intact")
        assert f"workspace    {workspace}" in done.output
        assert f"events       {EVENTS}, without a gap, each chained to the one before" in done.output
        assert "checkpoints  1 signed heads, met by the log" in done.output
        assert f"signed by    {TRUSTED}, 1 of them" in done.output

    @pytest.mark.usefixtures("past")
    def test_without_the_key_it_says_that_the_end_is_not_signed(
        self, postgres: EmbeddedPostgres, workspace: UUID, tmp_path: Path
    ) -> None:
        path = tmp_path / "unsigned.tar"
        words = ("audit", "export", "--workspace", str(workspace), "-o", str(path))
        done = CliRunner().invoke(
            daybook,
            words,
            env={"DATABASE_URL": postgres.url(), "DAYBOOK_DATA": str(tmp_path), "DAYBOOK_SECRET_KEY": ""},
        )
        assert done.exit_code == 0
        assert "the log's end is not signed for this: DAYBOOK_SECRET_KEY is not set" in done.output
        assert offline("verify", str(path)).exit_code == 0
        assert offline("verify", str(path), "--trusted", TRUSTED).exit_code == 2

    @pytest.mark.usefixtures("past")
    def test_a_stretch_is_exported(self, postgres: EmbeddedPostgres, workspace: UUID, tmp_path: Path) -> None:
        path = tmp_path / "part.tar"
        words = ("audit", "export", "--workspace", str(workspace), "--from", "3", "--to", "5", "-o", str(path))
        assert live(postgres, *words).exit_code == 0
        assert [entry.seq for entry in entries_of(unpacked(path.read_bytes()))] == [3, 4, 5]

    @pytest.mark.usefixtures("past")
    @pytest.mark.parametrize("bounds", [["--from", "5", "--to", "3"], ["--to", "10"], ["--from", "soon"]])
    def test_a_stretch_that_is_none_is_refused_and_nothing_written(
        self, postgres: EmbeddedPostgres, workspace: UUID, tmp_path: Path, bounds: list[str]
    ) -> None:
        words = ("audit", "export", "--workspace", str(workspace), *bounds, "-o", str(tmp_path / "x.tar"))
        done = live(postgres, *words)
        assert (done.exit_code, list(tmp_path.iterdir())) == (2, [])
        assert bounds[0].strip("-") in done.output

    @pytest.mark.usefixtures("past")
    @pytest.mark.parametrize("since", ["soon", "0", "10", "2099-01-01T00:00:00Z"])
    def test_nothing_is_signed_for_one_that_begins_nowhere(
        self, postgres: EmbeddedPostgres, owner: Db, workspace: UUID, tmp_path: Path, since: str
    ) -> None:
        words = ("audit", "export", "--workspace", str(workspace), "--from", since, "-o", str(tmp_path / "x.tar"))
        assert live(postgres, *words).exit_code == 2
        assert owner.execute("SELECT FROM log_checkpoints WHERE workspace_id = %s", (workspace,)).fetchall() == []

    def test_a_workspace_without_a_log_has_no_bundle(self, postgres: EmbeddedPostgres, tmp_path: Path) -> None:
        done = live(postgres, "audit", "export", "--workspace", str(UUID(int=9)), "-o", str(tmp_path / "x.tar"))
        assert done.exit_code == 2
        assert "no entry between the two" in done.output

    @pytest.mark.usefixtures("past")
    @pytest.mark.parametrize("words", [["export", "-o"], ["state", "--out"]])
    def test_a_file_that_cannot_be_written_is_said_to_be_so(
        self, postgres: EmbeddedPostgres, workspace: UUID, tmp_path: Path, words: list[str]
    ) -> None:
        command, option = words
        path = str(tmp_path / "nowhere" / "x")
        done = live(postgres, "audit", command, "--workspace", str(workspace), option, path)
        assert isinstance(done.exception, SettingsError)
        assert f"No such file or directory: '{path}" in str(done.exception)

    def test_no_secret_is_in_it(self, bundle: Path) -> None:
        lines = b"".join(unpacked(bundle.read_bytes()).values())
        assert SECRET not in lines
        assert KEY.private_bytes_raw() not in lines
        assert KEY.private_bytes_raw().hex().encode() not in lines


class TestExitCodes:
    def test_a_tampered_bundle_is_1(self, bundle: Path) -> None:
        bundle.write_bytes(remade(bundle.read_bytes(), lambda entries: [*entries[:3], *entries[4:]]))
        done = offline("verify", str(bundle))
        assert done.exit_code == 1
        assert re.search(r"TAMPERED: workspace .*, seq 5, .*: seq: expected 4, found 5", done.output)
        assert "intact up to there: 3 events" in done.output

    def test_one_signed_by_others_is_1(self, bundle: Path) -> None:
        done = offline("verify", str(bundle), "--trusted", OTHER)
        assert done.exit_code == 1
        assert "one of the trusted public keys" in done.output

    def test_a_cut_off_bundle_is_2(self, bundle: Path) -> None:
        bundle.write_bytes(bundle.read_bytes()[:-1500])
        done = offline("verify", str(bundle))
        assert done.exit_code == 2
        assert "INCOMPLETE: it ends within" in done.output

    def test_a_cut_tail_is_found_by_a_kept_checkpoint(
        self, bundle: Path, pool: Pool, workspace: UUID, tmp_path: Path
    ) -> None:
        kept = tmp_path / "kept.ndjson"
        kept.write_bytes(msgspec.json.encode(sign_head(pool, workspace, KEY)) + b"\n")
        entries = entries_of(unpacked(bundle.read_bytes()))[:-2]
        cut = remade(bundle.read_bytes(), lambda _: entries, checkpoints=[], declaration=ending(entries))
        bundle.write_bytes(cut)
        assert offline("verify", str(bundle)).exit_code == 0
        done = offline("verify", str(bundle), "--checkpoints", str(kept))
        assert done.exit_code in (1, 2)
        assert "7" in done.output

    @pytest.mark.parametrize(
        "words",
        [
            ["verify"],
            ["verify", "no-such-file.tar"],
            ["verify", __file__, "--trusted", "SHA256:short"],
            ["verify", __file__, "--checkpoints", __file__],
            ["verify", __file__, "--loudly"],
            ["replay", "no-such-file.tar"],
            ["replay", __file__, "--until", "yesterday"],
            ["replay", __file__, "--until", "2026-03-15"],
        ],
    )
    def test_who_asks_wrongly_is_told_with_3(self, words: list[str]) -> None:
        done = offline(*words)
        assert done.exit_code == 3
        assert "Error: " in done.output

    def test_a_file_that_cannot_be_written_is_3(self, bundle: Path, tmp_path: Path) -> None:
        done = offline("replay", str(bundle), "--out", str(tmp_path / "nowhere" / "states.ndjson"))
        assert done.exit_code == 3
        assert "No such file or directory" in done.output

    def test_more_events_than_allowed_for_are_3(self, bundle: Path) -> None:
        done = offline("verify", str(bundle), "--max-events", "8")
        assert done.exit_code == 3
        assert "it has 9 events" in done.output

    def test_what_is_no_bundle_is_1(self) -> None:
        assert offline("verify", __file__).exit_code == 1


class TestReplay:
    @pytest.mark.parametrize("seq", [0, 3, 6, EVENTS])
    def test_the_bundle_and_the_database_have_the_same_hash(
        self, bundle: Path, postgres: EmbeddedPostgres, workspace: UUID, seq: int
    ) -> None:
        here = offline("replay", str(bundle), "--until", str(seq), "--trusted", TRUSTED)
        there = live(postgres, "audit", "state", "--workspace", str(workspace), "--as-of", str(seq))
        assert here.exit_code == there.exit_code == 0
        assert here.output == there.output
        assert here.output.startswith(f"seq     {seq}\n")
        assert re.search(r"^hash    [0-9a-f]{64}$", here.output, re.MULTILINE)

    def test_of_a_workspace_without_a_log_there_is_no_hash(self, postgres: EmbeddedPostgres) -> None:
        done = live(postgres, "audit", "state", "--workspace", str(UUID(int=9)))
        assert done.exit_code == 2
        assert "has no log" in done.output

    def test_states_are_written_one_a_line(self, bundle: Path, tmp_path: Path) -> None:
        out = tmp_path / "states.ndjson"
        done = offline("replay", str(bundle), "--out", str(out))
        states = [json.loads(line) for line in out.read_bytes().splitlines()]
        assert [state["type"] for state in states].count("contact") == 1
        assert "        1 contact\n" in done.output

    def test_of_a_tampered_bundle_there_is_no_state(self, bundle: Path) -> None:
        bundle.write_bytes(remade(bundle.read_bytes(), lambda entries: entries[1:]))
        done = offline("replay", str(bundle))
        assert done.exit_code == 1
        assert "hash  " not in done.output

    def test_a_moment_behind_the_bundle_is_3(self, bundle: Path) -> None:
        done = offline("replay", str(bundle), "--until", str(EVENTS + 1))
        assert done.exit_code == 3
        assert f"ends with event {EVENTS}" in done.output


def test_neither_database_nor_network_is_touched(bundle: Path) -> None:
    """A process in which no socket can be made comes to the same."""
    program = (
        "import sys\n"
        "from daybook.cli import daybook\n"
        "sys.addaudithook(lambda name, _: sys.exit('a socket') if name.startswith('socket.') else None)\n"
        "daybook(sys.argv[1:])\n"
    )
    for command in ("verify", "replay"):
        done = run([sys.executable, "-c", program, "audit", command, str(bundle)], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
